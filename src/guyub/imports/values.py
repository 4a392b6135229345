"""Turning what agencies write into the registry's values, one distinct text at a time.

Each parser takes a non-empty text and returns the value or raises :class:`BadValueError` with a cause
(see :mod:`guyub.imports.causes`). The importer calls them once per *distinct* text of a column, so
they may be plain Python even for a million rows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from guyub.registry import vocabulary as v

MONTHS = {
    "jan": 1, "januari": 1, "january": 1, "feb": 2, "peb": 2, "februari": 2, "pebruari": 2,
    "february": 2, "mar": 3, "maret": 3, "march": 3, "apr": 4, "april": 4, "mei": 5, "may": 5,
    "jun": 6, "juni": 6, "june": 6, "jul": 7, "juli": 7, "july": 7, "agu": 8, "ags": 8, "agt": 8,
    "aug": 8, "agustus": 8, "august": 8, "sep": 9, "sept": 9, "september": 9, "okt": 10, "oct": 10,
    "oktober": 10, "october": 10, "nov": 11, "nop": 11, "november": 11, "nopember": 11, "des": 12,
    "dec": 12, "desember": 12, "december": 12,
}  # fmt: skip
EXCEL_EPOCH = dt.date(1899, 12, 30)


class BadValueError(ValueError):
    """A text that can't be taken; ``cause`` names why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def parse_date(text: str, pivot: int | None = None) -> dt.date:
    """Read a date as Indonesians write it: day first, month by number or name, or ISO.

    A two-digit year is taken as the latest year that is not in the future. A bare number of five
    digits is a date that Excel stored as its day count.

    Raises:
        BadValueError: ``date_format`` when it is no date, ``date_range`` when before 1900.
    """
    pivot = dt.date.today().year if pivot is None else pivot
    cleaned = text.strip().lower()
    cleaned = re.sub(r"[t ]\d{1,2}[:.]\d{2}([:.]\d{2}(\.\d+)?)?z?$", "", cleaned).strip()
    if re.fullmatch(r"\d{5}", cleaned):
        return _in_range(EXCEL_EPOCH + dt.timedelta(days=int(cleaned)))
    if match := re.fullmatch(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})", cleaned):
        year, month, day = (int(part) for part in match.groups())
    elif match := re.fullmatch(r"(\d{1,2})[-/., ]+(\d{1,2})[-/., ]+(\d{4}|\d{2})", cleaned):
        day, month, year = (int(part) for part in match.groups())
    elif match := re.fullmatch(r"(\d{1,2})[-/., ]*([a-z]+)[-/., ]*(\d{4}|\d{2})", cleaned):
        if match[2] not in MONTHS:
            raise BadValueError("date_format")
        day, month, year = int(match[1]), MONTHS[match[2]], int(match[3])
    elif match := re.fullmatch(r"(\d{2})(\d{2})(\d{4})", cleaned):
        day, month, year = (int(part) for part in match.groups())
    else:
        raise BadValueError("date_format")
    if year < 100:
        year += 2000 if 2000 + year <= pivot else 1900
    try:
        return _in_range(dt.date(year, month, day))
    except ValueError as error:
        if isinstance(error, BadValueError):
            raise
        raise BadValueError("date_format") from error


def _in_range(date: dt.date) -> dt.date:
    if date.year < 1900:
        raise BadValueError("date_range")
    return date


def squeeze(text: str) -> str:
    """Return ``text`` in lower case with nothing but letters and digits: how answers are compared."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _answers(choices: Any, extra: dict[str, str]) -> dict[str, str]:
    answers = {squeeze(str(choice.label)): str(choice.value) for choice in choices}
    answers |= {squeeze(str(choice.value)): str(choice.value) for choice in choices}
    return answers | {squeeze(text): value for text, value in extra.items()}


def _coded(choices: Any, extra: str) -> Callable[[str], str]:
    """Make a parser for one vocabulary. ``extra`` lists ``answer=code`` pairs separated by ``;``."""
    pairs = dict(pair.strip().split("=") for pair in extra.split(";") if pair.strip())
    bad = [code for code in pairs.values() if code not in choices.values]
    assert not bad, bad
    answers: dict[str, str] | None = None

    def parse(text: str) -> str:
        nonlocal answers
        if answers is None:
            # Labels are read in Indonesian, whatever language the user sees.
            from django.utils import translation

            with translation.override("id"):
                answers = _answers(choices, pairs)
        squeezed = squeeze(text)
        # Regsosek files write the number of the answer in front: "3. Istri".
        bare = re.sub(r"^\d+\s*[.)\-:]\s*", "", text.strip())
        for candidate in (squeezed, squeeze(bare)):
            if candidate in answers:
                return answers[candidate]
        raise BadValueError("unknown_answer")

    return parse


parse_sex = _coded(
    v.Sex, "l=M;laki=M;lk=M;pria=M;lakilaki=M;1=M;male=M;p=F;pr=F;wanita=F;perempuan=F;2=F;female=F"
)
parse_relation = _coded(
    v.Relation,
    "kepala rumah tangga=head;krt=head;kk=head;kepala=head;1=head;istri=spouse;suami=spouse;isteri=spouse;2=spouse;anak kandung=child;anak tiri=child;anak angkat=child;3=child;4=child_in_law;cucu=grandchild;5=grandchild;orang tua=parent;orangtua=parent;mertua=parent;ibu=parent;ayah=parent;bapak=parent;6=parent;family lain=other_kin;famili=other_kin;keponakan=other_kin;adik=other_kin;kakak=other_kin;saudara=other_kin;7=other_kin;pembantu=other;sopir=other;8=other;9=other",
)
parse_disability = _coded(
    v.Disability,
    "tidak=none;non disabilitas=none;bukan=none;tidak cacat=none;0=none;-=none;tidak ada disabilitas=none;tuna daksa=physical;daksa=physical;fisik/daksa=physical;cacat fisik=physical;tuna netra=visual;buta=visual;tuna rungu=hearing;rungu=hearing;wicara=hearing;tuna wicara=hearing;rungu wicara=hearing;tuna grahita=intellectual;grahita=intellectual;odgj=mental;psikososial=mental;eks penderita gangguan jiwa=mental;cacat ganda=multiple;fisik dan mental=multiple",
)
parse_work = _coded(
    v.Work,
    "belum/tidak bekerja=none;belum bekerja=none;menganggur=none;pengangguran=none;petani=farm_own;petani/pekebun=farm_own;peternak=farm_own;nelayan=farm_own;nelayan/perikanan=farm_own;buruh tani/perkebunan=farm_labour;buruh=labour;buruh harian lepas=labour;buruh lepas=labour;buruh bangunan=labour;tukang=labour;kuli=labour;pekerja bebas=labour;pembantu rumah tangga=labour;serabutan=labour;pedagang=trade;wiraswasta=trade;wirausaha=trade;dagang=trade;karyawan=employee;karyawan swasta=employee;pegawai swasta=employee;buruh pabrik=employee;karyawan honorer=employee;guru=employee;pns=civil_servant;asn=civil_servant;tni=civil_servant;polri=civil_servant;pegawai negeri sipil=civil_servant;ibu rumah tangga=housework;irt=housework;pelajar=student;mahasiswa=student;sekolah=student;lain-lain=other",
)
parse_schooling = _coded(
    v.Schooling,
    "tidak sekolah=none;tidak/belum sekolah=none;belum sekolah=none;belum tamat sd=none;tidak tamat sd=none;belum tamat sd/sederajat=none;tidak punya ijazah=none;tidak punya=none;sd=primary;mi=primary;tamat sd=primary;tamat sd/sederajat=primary;sd/mi=primary;paket a=primary;smp=lower_secondary;mts=lower_secondary;smp/mts=lower_secondary;sltp=lower_secondary;sltp/sederajat=lower_secondary;paket b=lower_secondary;sma=upper_secondary;smk=upper_secondary;ma=upper_secondary;slta=upper_secondary;slta/sederajat=upper_secondary;sma/smk/ma=upper_secondary;paket c=upper_secondary;d1=diploma;d2=diploma;d3=diploma;diploma i/ii=diploma;akademi=diploma;diploma iii=diploma;akademi/diploma iii/s. muda=diploma;s1=degree;d4=degree;d4/s1=degree;diploma iv/strata i=degree;sarjana=degree;s2=degree;s3=degree;perguruan tinggi=degree",
)
parse_health_insurance = _coded(
    v.HealthInsurance,
    "tidak=none;tidak ada=none;belum=none;bukan peserta=none;pbi=pbi_apbn;pbi jk=pbi_apbn;pbi jkn=pbi_apbn;bpjs pbi=pbi_apbn;pbi apbn=pbi_apbn;kis=pbi_apbn;jkn kis=pbi_apbn;pbi apbd=pbi_apbd;pbpu pemda=pbi_apbd;jamkesda=pbi_apbd;bpjs pbi apbd=pbi_apbd;mandiri=self_paid;pbpu=self_paid;bpjs non pbi=self_paid;non pbi=self_paid;ppu=employer;bpjs ketenagakerjaan=employer;swasta=other;asuransi swasta=other",
)
parse_floor = _coded(
    v.Floor,
    "marmer=ceramic;granit=ceramic;marmer/granit=ceramic;keramik=ceramic;parket=ceramic;vinil=ceramic;ubin=tile;tegel=tile;teraso=tile;plester=cement;semen=cement;bata merah=cement;semen/bata merah=cement;plesteran=cement;kayu=wood;papan=wood;papan kualitas rendah=wood;tanah/lainnya=earth",
)
parse_wall = _coded(
    v.Wall,
    "tembok=brick;bata=brick;batu bata=brick;beton=brick;papan=wood;kayu=wood;batang kayu=wood;bambu=bamboo;anyaman bambu=bamboo;gedek=bamboo;gedhek=bamboo;bilik=bamboo;plester bambu=plastered_bamboo;plesteran bambu=plastered_bamboo",
)
parse_roof = _coded(
    v.Roof,
    "genteng tanah liat=tile;genteng keramik=tile;genteng metal=tile;genteng beton=tile;seng/esbes=zinc;esbes=asbestos;asbes/seng=asbestos;ijuk=thatch;rumbia=thatch;jerami=thatch;daun=thatch;sirap=wood;bambu=wood;kayu=wood;beton=concrete;cor=concrete",
)
parse_sanitation = _coded(
    v.Sanitation,
    "sendiri=own;milik sendiri=own;ada, sendiri=own;ada=own;ya=own;bersama=shared;komunal=shared;menumpang=shared;numpang=shared;umum=public;mck=public;mck komunal=public;tidak punya=none;tidak=none;tidak ada fasilitas=none;sungai=none;kebun=none",
)
parse_water = _coded(
    v.Water,
    "pdam=piped;pam=piped;leding=piped;ledeng=piped;leding meteran=piped;pamsimas=piped;air kemasan=bottled;air isi ulang=bottled;galon=bottled;kemasan=bottled;isi ulang=bottled;sumur bor=borehole;pompa=borehole;sumur pompa=borehole;sumur=protected_well;sumur gali=protected_well;sumur tidak terlindung=unprotected_well;mata air=protected_spring;mata air tidak terlindung=unprotected_spring;sungai=surface;danau=surface;air permukaan=surface;hujan=rain",
)
parse_electricity = _coded(
    v.Electricity,
    "tidak ada=none;tidak=none;bukan listrik pln=non_pln;non pln=non_pln;genset=non_pln;menumpang=pln_no_meter;numpang=pln_no_meter;pln menumpang=pln_no_meter;tanpa meteran=pln_no_meter;450=pln_450;450 va=pln_450;450va=pln_450;450 watt=pln_450;pln 450 va=pln_450;900=pln_900;900 va=pln_900;900 watt=pln_900;pln 900 va=pln_900;1300=pln_1300;1300 va=pln_1300;1300 watt=pln_1300;2200=pln_2200;2200 va=pln_2200;>2200=pln_2200;3500=pln_2200;2200 watt=pln_2200",
)
parse_ownership = _coded(
    v.Ownership,
    "sendiri=own;milik=own;hak milik=own;shm=own;kontrak=rent;sewa=rent;kontrakan=rent;menumpang=rent_free;numpang=rent_free;bebas sewa milik orang tua=rent_free;milik orang tua=rent_free;bebas sewa milik orang lain=rent_free;rumah dinas=official",
)
_parse_any_status = _coded(v.Status, "ada=active;hidup=active;tinggal=active;tetap=active;ya=active;terdaftar=active;pindah alamat=moved;pindah domisili=moved;tidak ditemukan=moved;meninggal dunia=died;mati=died;wafat=died;lulus=graduated;graduasi mandiri=graduated;mentas=graduated;mampu=graduated")  # fmt: skip


def parse_status(text: str) -> str:
    """Read a status. That a record was merged or erased is no list's to say."""
    status = _parse_any_status(text)
    if status in (v.Status.MERGED, v.Status.ERASED):
        raise BadValueError("unknown_answer")
    return status


def parse_yes(text: str) -> bool:
    """Read yes or no. Raises ``BadValueError("yes_no")`` otherwise."""
    answer = squeeze(text)
    if answer in {
        "ya",
        "y",
        "1",
        "true",
        "ada",
        "punya",
        "benar",
        "yes",
        "v",
        "x",
        "iya",
        "memiliki",
        "miskinekstrem",
    }:
        return True
    if (
        answer
        in {
            "tidak",
            "t",
            "0",
            "false",
            "tidakada",
            "tidakpunya",
            "bukan",
            "no",
            "n",
            "tdk",
            "2",
            "tidakmemiliki",
            "nonmiskinekstrem",
        }
        or text.strip() == "-"
    ):
        return False
    raise BadValueError("yes_no")


def parse_desil(text: str) -> int:
    """Read a welfare decile: ``1``, ``Desil 1``, ``D1``, ``4+``. Raises ``BadValueError("desil")``."""
    match = re.fullmatch(r"(?:desil|d|des)?\s*\.?\s*(\d{1,2})(?:\.0+)?\+?", text.strip().lower())
    if not match or not 1 <= int(match[1]) <= 10:
        raise BadValueError("desil")
    return int(match[1])


def parse_rupiah(text: str) -> int:
    """Read an amount: ``450000``, ``Rp 450.000,-``, ``450.000,50`` (sen are dropped).

    Raises:
        BadValueError: ``rupiah`` when it is no amount or not below two billion.
    """
    cleaned = re.sub(r"(?i)^rp\.?|\s|,-$|\.-$", "", text.strip())
    if re.fullmatch(r"\d+", cleaned):
        amount = int(cleaned)
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d{1,2})?", cleaned):
        amount = int(cleaned.split(",")[0].replace(".", ""))
    elif re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d{1,2})?", cleaned):
        amount = int(cleaned.split(".")[0].replace(",", ""))
    elif re.fullmatch(r"\d+[.,]\d+", cleaned):
        amount = int(float(cleaned.replace(",", ".")))
    else:
        raise BadValueError("rupiah")
    if amount >= 2_000_000_000:
        raise BadValueError("rupiah")
    return amount


def parse_rt(text: str) -> str:
    """Read an RT or RW number as three digits. Raises ``BadValueError("rt")``."""
    match = re.fullmatch(r"(?:r[tw])?\s*[.:]?\s*0*(\d{1,3})(?:\.0)?", text.strip().lower())
    if not match:
        raise BadValueError("rt")
    return match[1].zfill(3)


def parse_rt_rw(text: str) -> str:
    """Read ``001/002`` or ``RT 1 RW 2`` as ``001/002``. Raises ``BadValueError("rt")``."""
    numbers = re.findall(r"\d{1,3}", text)
    if len(numbers) != 2:
        raise BadValueError("rt")
    return "/".join(number.zfill(3) for number in numbers)


def parse_latitude(text: str) -> float:
    return _degrees(text, 90)


def parse_longitude(text: str) -> float:
    return _degrees(text, 180)


def _degrees(text: str, limit: float) -> float:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError as error:
        raise BadValueError("degrees") from error
    if not -limit <= value <= limit:
        raise BadValueError("degrees")
    return value


def parse_assets(text: str) -> str:
    """Read a list of assets, separated by comma, semicolon or slash, as sorted codes."""
    answers = {squeeze(name): asset.value for asset, names in ASSET_NAMES.items() for name in names}
    codes = set()
    for part in re.split(r"[,;/|]", text):
        if not part.strip() or squeeze(part) in {"tidakada", "tidak", ""}:
            continue
        code = answers.get(squeeze(part))
        if code is None:
            raise BadValueError("unknown_answer")
        codes.add(code)
    return ",".join(sorted(codes))


ASSET_NAMES = {
    v.Asset.REFRIGERATOR: ("lemari es", "kulkas", "refrigerator"),
    v.Asset.GAS_12KG: ("tabung gas", "gas 12 kg", "tabung gas 5,5 kg atau lebih", "gas_12kg", "tabung gas 12 kg"),
    v.Asset.TELEVISION: ("televisi", "tv", "television"),
    v.Asset.COMPUTER: ("komputer", "laptop", "komputer laptop", "computer"),
    v.Asset.MOBILE_PHONE: ("hp", "telepon genggam", "handphone", "mobile_phone"),
    v.Asset.MOTORCYCLE: ("motor", "sepeda motor", "motorcycle"),
    v.Asset.CAR: ("mobil", "car"),
    v.Asset.GOLD: ("emas", "emas 10 gram atau lebih", "gold"),
    v.Asset.LAND: ("lahan", "tanah", "lahan lain", "land"),
    v.Asset.LIVESTOCK: ("ternak", "livestock"),
}  # fmt: skip

# Field of the file: (parser, DuckDB type of the value)
PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "sex": (parse_sex, "VARCHAR"),
    "birth_date": (parse_date, "DATE"),
    "relation": (parse_relation, "VARCHAR"),
    "disability": (parse_disability, "VARCHAR"),
    "work": (parse_work, "VARCHAR"),
    "schooling": (parse_schooling, "VARCHAR"),
    "health_insurance": (parse_health_insurance, "VARCHAR"),
    "person_status": (parse_status, "VARCHAR"),
    "nik_confirmed": (parse_yes, "BOOLEAN"),
    "rt": (parse_rt, "VARCHAR"),
    "rw": (parse_rt, "VARCHAR"),
    "rt_rw": (parse_rt_rw, "VARCHAR"),
    "latitude": (parse_latitude, "DOUBLE"),
    "longitude": (parse_longitude, "DOUBLE"),
    "floor": (parse_floor, "VARCHAR"),
    "wall": (parse_wall, "VARCHAR"),
    "roof": (parse_roof, "VARCHAR"),
    "sanitation": (parse_sanitation, "VARCHAR"),
    "water": (parse_water, "VARCHAR"),
    "electricity": (parse_electricity, "VARCHAR"),
    "ownership": (parse_ownership, "VARCHAR"),
    "assets": (parse_assets, "VARCHAR"),
    "expenditure": (parse_rupiah, "INTEGER"),
    "desil": (parse_desil, "TINYINT"),
    "extreme_poor": (parse_yes, "BOOLEAN"),
    "household_status": (parse_status, "VARCHAR"),
    **{f"asset_{asset.value}": (parse_yes, "BOOLEAN") for asset in v.Asset},
}
