"""Obstacles of the demo's last year: met, worked on, brought to meetings, solved."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

from django.utils import timezone

from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.obstacles.models import Action, Category, Obstacle, ObstacleState, ObstacleStep
from guyub.obstacles.services import load
from guyub.programs.models import SubActivity

COUNT = 150
# Category, agency needed, severity, title ({place} is a district or village), what it leads to, how it
# was solved.
KINDS: tuple[tuple[Category, str, int, str, str, str], ...] = (
    (Category.DATA, "dindukcapil", 3, "Data calon penerima di {place} belum padan dengan data kependudukan",
     "Sebagian NIK tidak ditemukan sehingga bantuan belum dapat disalurkan.",
     "Data dipadankan bersama dan daftar perbaikannya diserahkan ke desa."),
    (Category.DATA, "dindukcapil", 2, "Warga di {place} belum memiliki KTP elektronik",
     "Lansia dan penyandang disabilitas tidak dapat datang ke tempat perekaman.",
     "Perekaman jemput bola dilakukan di balai desa."),
    (Category.DATA, "bps", 2, "Peringkat kesejahteraan keluarga di {place} tidak sesuai keadaan",
     "Keluarga yang jelas miskin tercatat pada desil tinggi.",
     "Usulan perbaikan peringkat diterima lewat musyawarah desa."),
    (Category.DATA, "dinsospermasdes", 3, "Daftar penerima di {place} memuat warga yang sudah meninggal",
     "Penyaluran tertahan karena daftar harus dibersihkan dahulu.",
     "Daftar dibersihkan bersama perangkat desa."),
    (Category.BUDGET, "bkad", 4, "Pencairan anggaran terlambat",
     "Kegiatan berhenti karena dana belum masuk ke rekening.",
     "Dana cair setelah kelengkapan berkas diperbaiki."),
    (Category.BUDGET, "bkad", 3, "Anggaran terlambat dicairkan",
     "Penyedia belum dibayar dan pekerjaan melambat.",
     "Penyedia dibayar setelah perubahan anggaran disahkan."),
    (Category.BUDGET, "bappedalitbang", 2, "Anggaran kegiatan dipotong di tengah tahun",
     "Jumlah penerima harus dikurangi dari rencana.",
     "Kekurangan dipenuhi dari kegiatan lain yang sejenis."),
    (Category.PROCUREMENT, "setda-perekonomian", 3, "Lelang bahan bangunan gagal",
     "Tidak ada penyedia yang memenuhi syarat.",
     "Pengadaan diulang lewat katalog elektronik."),
    (Category.LAND, "dinperkim", 4, "Lahan rumah calon penerima di {place} belum bersertifikat",
     "Rumah tidak dapat diperbaiki karena status tanahnya belum jelas.",
     "Kepala desa menerbitkan surat keterangan penguasaan tanah."),
    (Category.LAND, "dpu", 3, "Jalan menuju lokasi di {place} tidak dapat dilalui truk bahan",
     "Bahan bangunan harus dipikul sejauh dua kilometer.",
     "Jalan diperkeras lewat padat karya."),
    (Category.STAFF, "bkpsdm", 2, "Pendamping di {place} kurang",
     "Satu pendamping menangani lebih dari seribu keluarga.",
     "Dua tenaga pendamping ditambahkan."),
    (Category.STAFF, "dinsospermasdes", 2, "Operator desa di {place} berganti dan belum dilatih",
     "Pemutakhiran data terhenti.",
     "Operator baru dilatih selama dua hari."),
    (Category.COORDINATION, "dinkes", 2, "Jadwal posyandu di {place} bersamaan dengan penyaluran bantuan",
     "Ibu balita tidak hadir di posyandu.",
     "Jadwal disepakati lewat pertemuan kecamatan."),
    (Category.COORDINATION, "dinsospermasdes", 3, "Dua perangkat daerah mendatangi keluarga yang sama di {place}",
     "Warga didata dua kali dan menjadi bingung.",
     "Pendataan dilakukan satu kali oleh tim bersama."),
    (Category.REGULATION, "setda-kesra", 3, "Peraturan bupati tentang penyaluran belum terbit",
     "Penyaluran tidak punya dasar hukum.",
     "Peraturan bupati ditetapkan dan diundangkan."),
    (Category.COMMUNITY, "dinsospermasdes", 2, "Warga di {place} menolak daftar penerima",
     "Musyawarah desa tidak mencapai kesepakatan.",
     "Daftar dibahas ulang terbuka di balai desa."),
    (Category.NATURE, "bpbd", 4, "Longsor di {place} merusak rumah penerima bantuan",
     "Tujuh keluarga mengungsi dan perbaikan rumah terhenti.",
     "Keluarga ditempatkan di hunian sementara; perbaikan dilanjutkan."),
)  # fmt: skip
STEPS = (
    "Surat permintaan dikirim.",
    "Pertemuan dengan perangkat desa dilakukan.",
    "Data pendukung diserahkan dan sedang diperiksa.",
    "Petugas turun ke lapangan.",
    "Menunggu jawaban pimpinan.",
)


def make_obstacles(actors: dict[str, User], today: dt.date, seed: int) -> list[Obstacle]:
    """Make :data:`COUNT` obstacles of the year before ``today`` and return them."""
    rng = random.Random(seed)  # noqa: S311
    return load(_obstacles(actors, today, rng), actor=actors["sekretariat"])


def _obstacles(
    actors: dict[str, User], today: dt.date, rng: random.Random
) -> Iterator[tuple[Obstacle, list[ObstacleStep]]]:
    agencies = {agency.code: agency for agency in Agency.objects.all()}
    areas = list(Area.objects.filter(level__in=[Level.DISTRICT, Level.VILLAGE]))
    below = {
        name: [area for area in areas if f"{area.code}.".startswith(actors[name].area_code + ".")]
        for name in ("kecamatan", "desa")
    }
    parts: dict[int, list[SubActivity]] = {}
    for part in SubActivity.objects.filter(year=today.year).order_by("pk"):
        parts.setdefault(part.agency_id, []).append(part)
    reporters = (
        ["operator"] * 5 + ["operator-perkim"] * 4 + ["kepala", "kecamatan", "desa", "sekretariat"]
    )
    now = timezone.now()
    for _number in range(COUNT):
        category, code, severity, title, effect, solution = rng.choice(KINDS)
        name = rng.choice(reporters)
        actor = actors[name]
        needs_place = "{place}" in title
        place = rng.choice(below.get(name) or areas) if needs_place or name in below else None
        reported = now - dt.timedelta(days=rng.uniform(0, 360))
        due_on = timezone.localdate(reported) + dt.timedelta(days=rng.choice((7, 14, 14, 21, 30)))
        own = parts.get(actor.agency_id or 0, [])
        obstacle = Obstacle(
            title=title.format(place=place.title if place is not None else ""),
            description=effect,
            category=category,
            severity=min(4, max(1, severity + rng.choice((-1, 0, 0, 1)))),
            # A few sub-activities meet trouble again and again.
            sub_activity=own[int(len(own) * rng.random() ** 3)]
            if own and rng.random() < 0.8
            else None,
            area=place,
            agency=actor.agency,
            reporting_area=actor.area,
            needed_agency=agencies[code],
            due_on=due_on,
            reported_by=actor,
            reported_at=reported,
        )
        age = (now - reported).total_seconds() / 86400
        yield obstacle, list(_history(obstacle, actor, actors["sekretariat"], age, solution, rng))


def _history(
    obstacle: Obstacle,
    actor: User,
    secretariat: User,
    age: float,
    solution: str,
    rng: random.Random,
) -> Iterator[ObstacleStep]:
    """Bring ``obstacle`` to its present state and yield how it came there."""

    def step(kind: Action, text: str, after: float, by: User = secretariat) -> ObstacleStep:
        at = obstacle.reported_at + dt.timedelta(days=after)
        return ObstacleStep(
            kind=kind, text=text, state=obstacle.state, by=by, agency=by.agency, at=at
        )

    obstacle.state = ObstacleState.OPEN
    yield step(Action.REPORT, "", 0, actor)
    needed = rng.lognormvariate(3.0 + 0.15 * obstacle.severity, 0.6)  # days until solved
    passed = needed * rng.uniform(0.1, 0.4)
    if passed < age:
        obstacle.state = ObstacleState.WORKING
        yield step(Action.STEP, rng.choice(STEPS), passed)
    if needed > 45 and age > 40:
        obstacle.state = ObstacleState.ESCALATED
        obstacle.escalated_at = obstacle.reported_at + dt.timedelta(days=40)
        yield step(Action.ESCALATE, "Perlu keputusan bersama.", 40)
    if needed < age and rng.random() < 0.9:
        obstacle.state = ObstacleState.SOLVED
        obstacle.solved_at = obstacle.reported_at + dt.timedelta(days=needed)
        obstacle.solution = solution
        yield step(Action.SOLVE, solution, needed, actor)
