"""Requests of citizens about their data, and whom they turn to, for the demo."""

from __future__ import annotations

from guyub.accounts.models import User
from guyub.privacy.models import Contact, Right
from guyub.privacy.services import close, lodge, save_contact, verify
from guyub.registry.models import Person


def make_privacy(actors: dict[str, User]) -> None:
    """Name an officer, and let four people ask: two answered, one checked, one waiting."""
    secretary = actors["sekretariat"]
    save_contact(
        Contact(
            officer="Ratri Wulandari", office="Dinas Komunikasi dan Informatika Kabupaten Banyumas",
            email="ppdp@contoh.test", hours="Senin sampai Jumat, 08.00 sampai 15.00",
        ),
        actor=secretary,
    )  # fmt: skip
    rights = (Right.ACCESS, Right.ERASE, Right.CORRECT, Right.ACCESS)
    for number, (person, right) in enumerate(
        zip(Person.objects.filter(relation="head").order_by("pk")[:4], rights, strict=False)
    ):
        made = lodge({"right": right, "name": person.name.title(), "nik": person.nik})
        if number < 3:
            made = verify(made, identity="KTP asli diperlihatkan", actor=secretary)
        if number == 0:
            close(made, answer="Salinan sudah diserahkan.", granted=True, actor=secretary)
        if number == 1:
            close(
                made, answer="Data bantuan wajib disimpan sebagai bukti keuangan (Pasal 15).",
                granted=False, actor=secretary,
            )  # fmt: skip
