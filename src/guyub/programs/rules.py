"""What must hold for programs, activities and sub-activities, told in words that say how to mend it.

The database keeps the gravest of these as constraints; here every fault is found and named by its field.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from guyub.programs import nomenclature, queries
from guyub.programs.models import Activity, Program, SubActivity
from guyub.programs.money import LIMIT
from guyub.programs.nomenclature import BadCodeError, CodeLevel

FIRST_YEAR, LAST_YEAR = 2015, 2100


class Faults:
    """Faults found so far, by field."""

    def __init__(self) -> None:
        self.by_field: dict[str, list[str]] = {}

    def add(self, field: str, message: str) -> None:
        self.by_field.setdefault(field, []).append(message)

    def done(self, record: Model) -> None:
        """Raise ``ValidationError`` for the faults, and for what the fields themselves refuse."""
        try:
            # Duplicates are told above, in better words than the constraints have.
            record.full_clean(
                exclude=set(self.by_field), validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                for message in messages:
                    self.add(field, message)
        if self.by_field:
            raise ValidationError(self.by_field)  # type: ignore[arg-type]


def _code(faults: Faults, text: str, level: CodeLevel, parent: str = "") -> str:
    """Return a code as it is stored; note what is wrong with it."""
    if not text.strip():
        return ""
    try:
        code = str(nomenclature.parse(text, level))
        nomenclature.check_under(code, parent)
    except BadCodeError as error:
        faults.add("code", str(error))
        return text
    return code


def check_program(program: Program) -> None:
    """Raise ``ValidationError`` unless ``program`` may be saved."""
    faults = Faults()
    program.code = _code(faults, program.code, CodeLevel.PROGRAM)
    others = Program.objects.filter(agency_id=program.agency_id, year=program.year).exclude(
        pk=program.pk
    )
    place = {"agency": program.agency.name, "year": program.year}
    if others.filter(name__iexact=program.name).exists():
        faults.add("name", _("%(agency)s sudah punya program ini pada tahun %(year)d.") % place)
    if program.code and others.filter(code=program.code).exists():
        faults.add("code", _("%(agency)s sudah memakai kode ini pada tahun %(year)d.") % place)
    if not FIRST_YEAR <= program.year <= LAST_YEAR:
        faults.add(
            "year",
            _("Isi tahun anggaran antara %(first)d dan %(last)d.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR},
        )
    mission = program.mission
    if mission is not None and not mission.first_year <= program.year <= mission.last_year:
        faults.add(
            "mission",
            _("Misi ini berlaku tahun %(first)d sampai %(last)d. Pilih misi tahun %(year)d.")
            % {"first": mission.first_year, "last": mission.last_year, "year": program.year},
        )
    if program.pk:
        _check_against_activities(faults, program)
    faults.done(program)


def _check_against_activities(faults: Faults, program: Program) -> None:
    activities = list(Activity.objects.filter(program_id=program.pk))
    stored = Program.objects.values_list("year", flat=True).get(pk=program.pk)
    if activities and program.year != stored:
        faults.add(
            "year",
            _(
                "Tahun tidak dapat diubah karena program ini sudah punya kegiatan. Pakai “Salin ke "
                "tahun berikutnya”."
            ),
        )
    for activity in activities:
        try:
            nomenclature.check_under(activity.code, program.code)
        except BadCodeError:
            faults.add(
                "code",
                _("Kegiatan %(code)s tidak berada di bawah kode ini. Ubah dahulu kode kegiatannya.")
                % {"code": activity.code},
            )
            return


def check_activity(activity: Activity) -> None:
    """Raise ``ValidationError`` unless ``activity`` may be saved."""
    faults = Faults()
    activity.code = _code(faults, activity.code, CodeLevel.ACTIVITY, activity.program.code)
    others = Activity.objects.filter(program_id=activity.program_id).exclude(pk=activity.pk)
    if others.filter(name__iexact=activity.name).exists():
        faults.add("name", _("Program ini sudah punya kegiatan bernama demikian."))
    if activity.code and others.filter(code=activity.code).exists():
        faults.add("code", _("Program ini sudah punya kegiatan berkode demikian."))
    if activity.pk:
        for code in activity.sub_activities.exclude(code="").values_list(  # type: ignore[attr-defined]
            "code", flat=True
        ):
            try:
                nomenclature.check_under(code, activity.code)
            except BadCodeError:
                faults.add(
                    "code",
                    _(
                        "Sub kegiatan %(code)s tidak berada di bawah kode ini. Ubah dahulu kode sub "
                        "kegiatannya."
                    )
                    % {"code": code},
                )
                break
    faults.done(activity)


def check_sub_activity(
    sub_activity: SubActivity,
    fundings: Mapping[str, int],
    changed: set[str] | None = None,
) -> None:
    """Raise ``ValidationError`` unless ``sub_activity`` may be saved with ``fundings``.

    ``changed`` names the fields that differ from what is stored; ``None`` for a new one.
    """
    faults = Faults()
    sub = sub_activity
    sub.code = _code(faults, sub.code, CodeLevel.SUB_ACTIVITY, sub.activity.code)
    _check_duplicates(faults, sub)
    if sub.desil_min is not None and sub.desil_max is not None and sub.desil_min > sub.desil_max:
        faults.add(
            "desil_max",
            _("Desil sampai (%(high)d) lebih kecil daripada desil dari (%(low)d). Tukar keduanya.")
            % {"low": sub.desil_min, "high": sub.desil_max},
        )
    if sub.quota is not None and sub.quota < 1:
        faults.add("quota", _("Kuota paling sedikit 1. Kosongkan bila belum ditetapkan."))
    for field in ("starts_on", "ends_on"):
        day = getattr(sub, field)
        if day is not None and day.year != sub.year:
            faults.add(
                field,
                _("Tanggal ini di luar tahun anggaran %(year)d.") % {"year": sub.year},
            )
    if sub.starts_on and sub.ends_on and sub.ends_on < sub.starts_on:
        faults.add("ends_on", _("Tanggal selesai mendahului tanggal mulai. Tukar keduanya."))
    for source, amount in fundings.items():
        if not 0 <= amount < LIMIT:
            faults.add(source, _("Isi jumlah rupiah yang wajar, atau kosongkan."))
    if changed and changed & {"help_kind", "recipient"} and queries.is_fixed(sub):
        field = "help_kind" if "help_kind" in changed else "recipient"
        faults.add(
            field,
            _(
                "Tidak dapat diubah karena sudah ada penerima yang tercatat. Batalkan sub kegiatan "
                "ini dan buat yang baru."
            ),
        )
    faults.done(sub)


def _check_duplicates(faults: Faults, sub: SubActivity) -> None:
    siblings = SubActivity.objects.filter(activity_id=sub.activity_id).exclude(pk=sub.pk)
    if siblings.filter(name__iexact=sub.name).exists():
        faults.add("name", _("Kegiatan ini sudah punya sub kegiatan bernama demikian."))
    if sub.code and (
        SubActivity.objects.filter(agency_id=sub.agency_id, year=sub.year, code=sub.code)
        .exclude(pk=sub.pk)
        .exists()
    ):
        faults.add(
            "code",
            _("Kode ini sudah dipakai sub kegiatan lain milik %(agency)s tahun %(year)d.")
            % {"agency": sub.agency, "year": sub.year},
        )
