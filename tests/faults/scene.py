"""What is there before the first round: accounts, an agency, a dataset, people who are listed."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

VILLAGES = ("33.02.01.2001", "33.02.01.2002", "33.02.02.2001")
NAMES = "Tukiman Siti Wagiman Sukarno Aminah Partini Suparno Warsini Karto Mujiyem".split()


@dataclass
class Scene:
    """The user who does everything, and what they do it to."""

    user: Any
    session: str
    visitor: str  # the session of whoever visits households
    agency: Any
    dataset: Any


def prepare() -> Scene:
    """Fill an empty installation. Django must be set up."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.test import Client

    from guyub.access.roles import Role
    from guyub.accounts.models import User
    from guyub.agencies.models import Agency
    from guyub.areas.models import Area
    from guyub.areas.services import load_regency
    from guyub.datasets.models import Cadence, Dataset

    load_regency()
    agency = Agency.objects.create(code="uji", name="Dinas Uji")
    dataset = Dataset.objects.create(
        code="uji", name="Daftar uji", owner=agency, legal_basis="-", cadence=Cadence.QUARTERLY
    )

    def sign_in(name: str, role: str, **values: Any) -> tuple[Any, str]:
        user = User(username=name, email=f"{name}@contoh.test", full_name=name, role=role, **values)
        user.set_unusable_password()
        user.save()
        TOTP.activate(user, generate_totp_secret())
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return user, client.cookies["sessionid"].value

    village = Area.objects.get(code=VILLAGES[0])
    _visitor, visitor = sign_in("kader", Role.AREA_OPERATOR, area=village)
    user, session = sign_in("uji", Role.SECRETARIAT)
    return Scene(user, session, visitor, agency, dataset)


HEADINGS = "NIK;No KK;Nama;JK;Tgl Lahir;Hubungan;Kode Desa;Alamat;RT;RW;Desil"


class People:
    """A list that changes from one version to the next: some come, some go, some are recorded anew."""

    def __init__(self, luck: random.Random, households: int) -> None:
        self.luck, self.serial = luck, 0
        self.rows: list[list[str]] = []
        for _n in range(households):
            self._add()

    def _add(self) -> None:
        self.serial += 1
        kk = f"330201010101{self.serial:04d}"
        village = self.luck.choice(VILLAGES)
        for member in range(1, 1 + self.luck.randint(1, 4)):
            day = dt.date(1950, 1, 1) + dt.timedelta(days=self.luck.randrange(20_000))
            woman = member == 2
            born = f"{day.day + 40 * woman:02d}{day:%m%y}"
            self.rows.append([
                f"330201{born}{self.serial * 7 + member:04d}"[:16], kk,
                f"{self.luck.choice(NAMES)} {self.luck.choice(NAMES)}", "P" if woman else "L",
                f"{day:%d/%m/%Y}", ("Kepala Keluarga", "Istri", "Anak", "Anak")[member - 1], village,
                f"Jl Mawar {self.serial}", "1", "2", str(self.luck.randint(1, 5)),
            ])  # fmt: skip

    def next_version(self) -> bytes:
        """Return the list as CSV after some changes."""
        for _n in range(3):
            self._add()
        for row in self.luck.sample(self.rows, min(8, len(self.rows))):
            row[10] = str(self.luck.randint(1, 5))
        gone = self.luck.choice(self.rows)[1]
        self.rows = [row for row in self.rows if row[1] != gone]
        return "\n".join([HEADINGS, *(";".join(row) for row in self.rows)]).encode()
