"""Usul-sanggah in the demo: a dozen proposals, objections and complaints at every step of the way."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.proposals import services
from guyub.proposals.models import Proposal, ProposalStep
from guyub.proposals.vocabulary import ProposalKind, kind_of
from guyub.registry.models import Household
from guyub.registry.nik import birth_digits
from guyub.registry.vocabulary import Status

VILLAGE = "33.02.17.2009"

# Reason, days since it was submitted, and the steps taken since: letters m (deliberation), v (field
# verification: it fits), x (it does not), a (accepted), r (rejected), b (appeal), d (appeal dismissed),
# j (answered).
CASES: tuple[tuple[str, int, str], ...] = (
    ("unlisted", 3, ""),
    ("shock", 19, ""),
    ("new_family", 12, "m"),
    ("unlisted", 22, "mv"),
    ("shock", 40, "mva"),
    ("propose_other", 16, "mxr"),
    ("new_family", 30, "mxrb"),
    ("unlisted", 70, "mxrbd"),
    ("moved", 9, "m"),
    ("well_off", 24, "mv"),
    ("died", 45, "mva"),
    ("not_found", 2, ""),
    ("help_missing", 5, ""),
    ("help_unfair", 20, "j"),
    ("levy", 6, ""),
)
HEADS = (
    ("Karsidi", "M", dt.date(1971, 4, 9)), ("Sumirah", "F", dt.date(1958, 11, 23)),
    ("Wahyu Setiaji", "M", dt.date(1994, 2, 14)), ("Tasripin", "M", dt.date(1966, 7, 30)),
    ("Rukmini", "F", dt.date(1980, 1, 17)), ("Darsono", "M", dt.date(1975, 9, 5)),
    ("Nur Hidayati", "F", dt.date(1991, 12, 2)), ("Kusnadi", "M", dt.date(1963, 6, 21)),
)  # fmt: skip


def make_proposals(actors: dict[str, Any]) -> None:
    """Make proposals of the demo's village, as far along as :data:`CASES` says.

    ``actors`` are the demo's users by name.
    """
    village = Area.objects.select_related("parent").get(code=VILLAGE)
    homes = list(
        Household.objects.filter(village=village, status=Status.ACTIVE)
        .exclude(desil=None)
        .order_by("member_count", "-desil", "id")[:5]
    )
    social = Agency.objects.get(code="dinsospermasdes")
    heads = iter(enumerate(HEADS, 1))
    for number, (reason_kind, age, steps) in enumerate(CASES, 1):
        kind = kind_of(reason_kind)
        values: dict[str, Any] = {"reason_kind": reason_kind, "reason": _story(reason_kind)}
        household, actor = None, actors["desa"]
        # The demo's households stay as many as were asked for: the accepted proposal is of a known one.
        if kind == ProposalKind.OBJECT or steps.endswith("a"):
            if not homes:
                continue
            household = homes.pop()
        elif kind == ProposalKind.PROPOSE:
            values |= _head(village, *next(heads))
        else:
            actor = None
            values |= {"citizen_contact": f"0812-0000-{number:04d}"} if number % 2 else {}
        proposal = services.submit(
            village=village, kind=kind, values=values, actor=actor, household=household,
            agency=social if kind == ProposalKind.COMPLAINT else None,
            uploads=[photo_of_a_house(number)] if kind == ProposalKind.PROPOSE else [],
        )  # fmt: skip
        for letter in steps:
            _take(proposal, letter, actors)
        _set_back(proposal, age)


def _head(village: Area, number: int, head: tuple[str, str, dt.date]) -> dict[str, Any]:
    name, sex, birth = head
    district = village.code.replace(".", "")[:6]
    return {
        "head_name": name,
        "sex": sex,
        "birth_date": birth,
        "nik": f"{district}{birth_digits(birth, sex)}{9800 + number}",
        "address": _("Grumbul Kalibening"),
        "rt": f"{number % 5 + 1:03d}",
        "rw": f"{number % 3 + 1:03d}",
    }


def _story(reason_kind: str) -> str:
    return {
        "unlisted": _("Tinggal berdua di rumah papan, bekerja serabutan, belum pernah didata."),
        "new_family": _("Pisah KK dari orang tua setelah menikah; menumpang di rumah mertua."),
        "shock": _("Kepala keluarga jatuh sakit dan tidak bekerja lagi sejak awal tahun."),
        "propose_other": _(
            "Mengasuh tiga cucu yang orang tuanya merantau dan tidak berkirim uang."
        ),
        "moved": _("Sudah pindah ke luar kabupaten menurut ketua RT; rumahnya kosong."),
        "well_off": _("Sudah punya usaha tetap dan membangun rumah permanen tahun lalu."),
        "died": _("Semua anggotanya sudah meninggal; akta kematian ada di kantor desa."),
        "not_found": _("Tidak dikenal di alamat itu, sudah ditanyakan ke tetangga dan ketua RT."),
        "help_missing": _("Bantuan sembako dua bulan ini belum sampai, padahal tetangga sudah."),
        "help_unfair": _("Ada keluarga bermobil yang masih menerima bantuan di RT kami."),
        "levy": _("Setiap pencairan diminta menyetor sejumlah uang, katanya untuk biaya urus."),
    }[reason_kind]


def _take(proposal: Proposal, letter: str, actors: dict[str, Any]) -> None:
    today, said = timezone.localdate(), _("Pesan untuk Anda ada di kantor desa.")
    village, agency, secretary = actors["desa"], actors["operator"], actors["sekretariat"]
    findings = _("Dikunjungi bersama ketua RT; keadaan rumah dan pekerjaan sudah dicatat.")
    if letter == "m":
        services.deliberate(
            proposal, actor=village, happened_on=today, agreed=True,
            text=_("Musyawarah dihadiri BPD, ketua RT/RW, dan pendamping."),
            minutes=[photo_of_a_house(proposal.pk, "Berita acara musyawarah.jpg")],
        )  # fmt: skip
    elif letter in "vx":
        services.verify(
            proposal, actor=village, happened_on=today, fits=letter == "v", text=findings,
            photos=[photo_of_a_house(proposal.pk)],
        )  # fmt: skip
    elif letter in "ar":
        services.decide(
            proposal, actor=agency, accepted=letter == "a", answer=said,
            text=_("Sesuai berita acara musyawarah dan hasil kunjungan.")
            if letter == "a"
            else _("Penghasilan dan keadaan rumahnya di atas batas menurut hasil kunjungan."),
            status=Status.DIED if proposal.reason_kind == "died" else Status.MOVED,
        )  # fmt: skip
    elif letter == "b":
        services.appeal(
            proposal,
            actor=village,
            text=_("Penghasilan itu musiman; kini sudah tidak bekerja lagi."),
        )
    elif letter == "d":
        services.decide_appeal(
            proposal, actor=secretary, upheld=False, answer=said,
            text=_("Kunjungan ulang menemukan keadaan yang sama dengan putusan pertama."),
        )  # fmt: skip
    else:
        services.answer(
            proposal, actor=agency,
            text=_("Terima kasih. Kami memeriksanya bersama desa pada penyaluran berikut."),
        )  # fmt: skip


def _set_back(proposal: Proposal, age: int) -> None:
    """Move what was entered just now into the past, its steps evenly apart."""
    proposal.refresh_from_db()
    steps = list(ProposalStep.objects.filter(proposal=proposal))
    gap = age // len(steps)
    now, today = timezone.now(), timezone.localdate()
    for number, step in enumerate(steps):
        back = dt.timedelta(days=age - number * gap)
        ProposalStep.objects.filter(pk=step.pk).update(
            happened_on=today - back, recorded_at=now - back
        )
    Proposal.objects.filter(pk=proposal.pk).update(
        submitted_at=F("submitted_at") - dt.timedelta(days=age),
        due_on=proposal.due_on and proposal.due_on - back,
    )


def photo_of_a_house(number: int, name: str = "Rumah.jpg") -> ContentFile:
    """Draw a house in place of a photo: nobody's real one."""
    picture = Image.new("RGB", (640, 480), (196, 214, 226))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 340, 640, 480), fill=(118, 146, 96))
    wall = (150 + number * 17 % 80, 128 + number * 11 % 60, 96 + number * 7 % 50)
    draw.rectangle((160, 210, 480, 380), fill=wall)
    draw.polygon(((130, 215), (320, 110), (510, 215)), fill=(120, 66, 50))
    draw.rectangle((280, 270, 345, 380), fill=(84, 60, 44))
    draw.rectangle((385, 255, 445, 310), fill=(60, 72, 80))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return ContentFile(out.getvalue(), name)
