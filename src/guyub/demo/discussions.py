"""What the demo's people said to each other."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from django.utils import timezone

from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.discussions.services import Said, load, start_conversation, write
from guyub.obstacles.models import Obstacle
from guyub.programs.models import Program

ABOUT_OBSTACLES = (
    ("Mohon daftar namanya dikirim lewat Guyub, jangan lewat pesan pribadi.", "sekretariat"),
    ("Sudah kami bahas di rapat staf, jawabannya menyusul pekan ini.", "kepala"),
    ("Kami siap turun ke lapangan bersama.", "operator-perkim"),
    ("Di desa kami keadaannya sama.", "desa"),
    ("Data terbaru sudah kami unggah, silakan dicek.", "operator"),
    ("Terima kasih, kami tunggu kabarnya.", "kecamatan"),
)
ABOUT_PROGRAMS = (
    ("Apakah program ini juga menjangkau desa di luar prioritas?", "kecamatan"),
    ("Sementara ini desa prioritas dahulu, selebihnya tahun depan.", "operator"),
    ("Sasarannya mohon disamakan dengan data acuan.", "sekretariat"),
)


def make_talk(
    actors: dict[str, User], obstacles: Sequence[Obstacle], today: dt.date, seed: int
) -> None:
    """Let the demo's people talk about obstacles and programs, and agencies with each other."""
    rng = random.Random(seed)  # noqa: S311
    said: list[Said] = []
    for obstacle in obstacles:
        start = obstacle.reported_at
        for text, name in rng.sample(ABOUT_OBSTACLES, rng.randrange(4)):
            start += dt.timedelta(hours=rng.uniform(2, 60))
            if start < timezone.now():
                said.append(Said(obstacle, actors[name], text, start))
    programs = Program.objects.filter(year=today.year).order_by("pk")
    for program in programs[:20:3]:
        start = timezone.now() - dt.timedelta(days=rng.uniform(10, 90))
        for text, name in ABOUT_PROGRAMS:
            start += dt.timedelta(hours=rng.uniform(2, 60))
            said.append(Said(program, actors[name], text, start))
    load(said, actor=actors["sekretariat"])

    # Two live ones, so that there is news to read.
    agencies = {agency.code: agency for agency in Agency.objects.all()}
    conversation = start_conversation(
        topic="Pemadanan data penerima dengan data kependudukan",
        agencies=[agencies["dinsospermasdes"], agencies["dinperkim"], agencies["dindukcapil"]],
        text="Mulai triwulan ini pemadanan dilakukan setiap bulan. Siapa yang menyiapkan datanya?",
        author=actors["sekretariat"],
    )
    write(conversation, "Kami siapkan paling lambat tanggal 5.", author=actors["operator"])
    unsolved = [row for row in obstacles if not row.is_solved and row.agency_id]
    if unsolved:
        write(
            unsolved[0],
            "@kepala @operator-perkim mohon tanggapannya.",
            author=actors["sekretariat"],
        )
