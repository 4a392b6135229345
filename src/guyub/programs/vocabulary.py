"""The coded values of programs: strategies, forms of help, sources of money."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Strategy(models.TextChoices):
    """The three national strategies (Inpres 4/2022, carried on by Inpres 8/2025)."""

    EXPENDITURE = "expenditure", _("Mengurangi beban pengeluaran")
    INCOME = "income", _("Meningkatkan pendapatan")
    POCKETS = "pockets", _("Mengurangi kantong kemiskinan")


class HelpKind(models.TextChoices):
    """What a sub-activity gives. Overlap is judged within one kind."""

    CASH = "cash", _("Bantuan tunai")
    FOOD = "food", _("Bantuan pangan")
    NUTRITION = "nutrition", _("Gizi ibu dan balita")
    HEALTH_INSURANCE = "health_insurance", _("Iuran jaminan kesehatan")
    HEALTH_SERVICE = "health_service", _("Layanan kesehatan")
    SCHOOLING = "schooling", _("Bantuan pendidikan")
    HOUSE_REPAIR = "house_repair", _("Perbaikan rumah")
    SANITATION = "sanitation", _("Jamban dan sanitasi")
    WATER = "water", _("Air bersih")
    ELECTRICITY = "electricity", _("Sambungan listrik")
    TRAINING = "training", _("Pelatihan kerja")
    JOB = "job", _("Penempatan dan padat karya")
    CAPITAL = "capital", _("Modal dan alat usaha")
    FARM_INPUT = "farm_input", _("Sarana tani, ternak, dan ikan")
    SOCIAL_CARE = "social_care", _("Rehabilitasi dan alat bantu sosial")
    INFRASTRUCTURE = "infrastructure", _("Prasarana lingkungan")
    ASSISTANCE = "assistance", _("Pendampingan")
    SUPPORT = "support", _("Data, perencanaan, dan koordinasi")


class Recipient(models.TextChoices):
    """Who is enrolled."""

    HOUSEHOLD = "household", _("Keluarga")
    PERSON = "person", _("Perorangan")
    COMMUNITY = "community", _("Kelompok atau wilayah")


class FundingSource(models.TextChoices):
    APBD_REGENCY = "apbd_regency", _("APBD Kabupaten")
    APBD_PROVINCE = "apbd_province", _("APBD Provinsi")
    APBN = "apbn", _("APBN")
    DAK = "dak", _("DAK")
    VILLAGE_FUND = "village_fund", _("Dana Desa")
    ZAKAT = "zakat", _("Zakat")
    CSR = "csr", _("CSR dan hibah")
