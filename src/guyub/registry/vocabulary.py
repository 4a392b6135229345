"""The coded values of the registry, after the answer categories of Susenas and Regsosek forms."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Sex(models.TextChoices):
    MALE = "M", _("Laki-laki")
    FEMALE = "F", _("Perempuan")


class Relation(models.TextChoices):
    """Relation to the head of the household."""

    HEAD = "head", _("Kepala keluarga")
    SPOUSE = "spouse", _("Istri/suami")
    CHILD = "child", _("Anak")
    CHILD_IN_LAW = "child_in_law", _("Menantu")
    GRANDCHILD = "grandchild", _("Cucu")
    PARENT = "parent", _("Orang tua/mertua")
    OTHER_KIN = "other_kin", _("Famili lain")
    OTHER = "other", _("Lainnya")


class Disability(models.TextChoices):
    NONE = "none", _("Tidak ada")
    PHYSICAL = "physical", _("Fisik")
    VISUAL = "visual", _("Netra")
    HEARING = "hearing", _("Rungu/wicara")
    INTELLECTUAL = "intellectual", _("Intelektual")
    MENTAL = "mental", _("Mental")
    MULTIPLE = "multiple", _("Ganda")


class Work(models.TextChoices):
    NONE = "none", _("Tidak bekerja")
    FARM_OWN = "farm_own", _("Petani/peternak")
    FARM_LABOUR = "farm_labour", _("Buruh tani")
    LABOUR = "labour", _("Buruh/pekerja lepas")
    TRADE = "trade", _("Pedagang/wiraswasta")
    EMPLOYEE = "employee", _("Pegawai/karyawan")
    CIVIL_SERVANT = "civil_servant", _("ASN/TNI/Polri")
    HOUSEWORK = "housework", _("Mengurus rumah tangga")
    STUDENT = "student", _("Pelajar/mahasiswa")
    RETIRED = "retired", _("Pensiunan")
    OTHER = "other", _("Lainnya")


class Schooling(models.TextChoices):
    """Highest level completed."""

    NONE = "none", _("Tidak/belum tamat SD")
    PRIMARY = "primary", _("SD/sederajat")
    LOWER_SECONDARY = "lower_secondary", _("SMP/sederajat")
    UPPER_SECONDARY = "upper_secondary", _("SMA/sederajat")
    DIPLOMA = "diploma", _("Diploma")
    DEGREE = "degree", _("S1 ke atas")


class HealthInsurance(models.TextChoices):
    NONE = "none", _("Tidak punya")
    PBI_NATIONAL = "pbi_apbn", _("BPJS PBI APBN")
    PBI_LOCAL = "pbi_apbd", _("BPJS PBI APBD")
    SELF_PAID = "self_paid", _("BPJS mandiri")
    EMPLOYER = "employer", _("BPJS pekerja")
    OTHER = "other", _("Lainnya")


class Floor(models.TextChoices):
    EARTH = "earth", _("Tanah")
    BAMBOO = "bamboo", _("Bambu")
    WOOD = "wood", _("Kayu/papan")
    CEMENT = "cement", _("Semen/bata")
    TILE = "tile", _("Ubin/tegel/teraso")
    CERAMIC = "ceramic", _("Keramik/granit/marmer")
    OTHER = "other", _("Lainnya")


class Wall(models.TextChoices):
    BAMBOO = "bamboo", _("Bambu/anyaman")
    WOOD = "wood", _("Kayu/papan")
    PLASTERED_BAMBOO = "plastered_bamboo", _("Plesteran anyaman bambu")
    BRICK = "brick", _("Tembok")
    OTHER = "other", _("Lainnya")


class Roof(models.TextChoices):
    THATCH = "thatch", _("Ijuk/rumbia/jerami")
    ASBESTOS = "asbestos", _("Asbes")
    ZINC = "zinc", _("Seng")
    WOOD = "wood", _("Kayu/sirap/bambu")
    TILE = "tile", _("Genteng")
    CONCRETE = "concrete", _("Beton")
    OTHER = "other", _("Lainnya")


class Sanitation(models.TextChoices):
    OWN = "own", _("Jamban sendiri")
    SHARED = "shared", _("Jamban bersama")
    PUBLIC = "public", _("MCK umum")
    NONE = "none", _("Tidak ada")


class Water(models.TextChoices):
    PIPED = "piped", _("Ledeng/PDAM")
    BOTTLED = "bottled", _("Air kemasan/isi ulang")
    BOREHOLE = "borehole", _("Sumur bor/pompa")
    PROTECTED_WELL = "protected_well", _("Sumur terlindung")
    UNPROTECTED_WELL = "unprotected_well", _("Sumur tak terlindung")
    PROTECTED_SPRING = "protected_spring", _("Mata air terlindung")
    UNPROTECTED_SPRING = "unprotected_spring", _("Mata air tak terlindung")
    SURFACE = "surface", _("Sungai/danau")
    RAIN = "rain", _("Air hujan")
    OTHER = "other", _("Lainnya")


class Electricity(models.TextChoices):
    NONE = "none", _("Bukan listrik")
    NON_PLN = "non_pln", _("Listrik non-PLN")
    PLN_NO_METER = "pln_no_meter", _("PLN tanpa meteran")
    PLN_450 = "pln_450", _("PLN 450 watt")
    PLN_900 = "pln_900", _("PLN 900 watt")
    PLN_1300 = "pln_1300", _("PLN 1.300 watt")
    PLN_2200 = "pln_2200", _("PLN 2.200 watt ke atas")


class Ownership(models.TextChoices):
    OWN = "own", _("Milik sendiri")
    RENT = "rent", _("Kontrak/sewa")
    RENT_FREE = "rent_free", _("Bebas sewa")
    OFFICIAL = "official", _("Dinas")
    OTHER = "other", _("Lainnya")


class Asset(models.TextChoices):
    REFRIGERATOR = "refrigerator", _("Lemari es")
    GAS_12KG = "gas_12kg", _("Tabung gas 5,5 kg atau lebih")
    TELEVISION = "television", _("Televisi")
    COMPUTER = "computer", _("Komputer/laptop")
    MOBILE_PHONE = "mobile_phone", _("Telepon genggam")
    MOTORCYCLE = "motorcycle", _("Sepeda motor")
    CAR = "car", _("Mobil")
    GOLD = "gold", _("Emas 10 gram atau lebih")
    LAND = "land", _("Lahan lain")
    LIVESTOCK = "livestock", _("Ternak")


class Status(models.TextChoices):
    ACTIVE = "active", _("Aktif")
    MOVED = "moved", _("Pindah")
    DIED = "died", _("Meninggal")
    GRADUATED = "graduated", _("Graduasi")
    # The record was a duplicate and stands for another one now; nobody enters this by hand.
    MERGED = "merged", _("Digabung")
    # The record is an empty shell: what it held was disposed of.
    ERASED = "erased", _("Dimusnahkan")


# What people and files may say of a household or person.
RECORDED_STATUSES = [(s.value, s.label) for s in Status if s not in (Status.MERGED, Status.ERASED)]
