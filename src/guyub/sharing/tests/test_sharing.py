from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.datasets import store
from guyub.datasets.models import Dataset
from guyub.datasets.services import add_version
from guyub.sharing import queries, services
from guyub.sharing.models import DataRequest, RequestState

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
NIK = "3302011203850001"


@pytest.fixture
def dataset(make_dataset: Any, make_agency: Any, tmp_path: Path) -> Dataset:
    """Return Dinkes' list of two people, one in Lumbir and one in Cilongok."""
    found = make_dataset("stunting", owner=make_agency("dinkes"))
    path = tmp_path / "rows.parquet"
    duckdb.execute(
        f"""COPY (SELECT * FROM (VALUES
            ('{NIK}', 'Tukiman', '3302010101010001', '33.02.01.2001', 1),
            ('3302171203850002', '=CMD()', '3302170101010002', '33.02.17.2001', 2)
        ) t(nik, name, kk, village, desil)) TO '{path}' (FORMAT parquet)"""
    )
    store.seal_columns(path, path)
    version = add_version(found, as_of=dt.date(2026, 6, 30), created_by=None, digest="x", people=2)
    store.write_version(path, found.code, version.number)
    return found


@pytest.fixture
def asker(make_user: Any, make_agency: Any) -> Any:
    return make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))


@pytest.fixture
def owner(make_user: Any, make_agency: Any) -> Any:
    return make_user(Role.AGENCY_HEAD, agency=make_agency("dinkes"))


def values(**changes: Any) -> dict[str, Any]:
    return {
        "purpose": "Mencocokkan keluarga penerima bantuan pangan",
        "legal_basis": "Perpres 72/2021",
        "columns": ["nik", "name", "village"],
        "area": None,
        "with_numbers": False,
        "wanted_until": TODAY + dt.timedelta(days=90),
    } | changes


def allow(request: DataRequest, actor: Any, **changes: Any) -> Any:
    terms = {
        "chosen": ["nik", "name", "village"],
        "area": None,
        "with_numbers": False,
        "ends_on": TODAY + dt.timedelta(days=30),
    }
    return services.grant(request, actor=actor, **(terms | changes))


def rows_of(path: Path) -> list[list[Any]]:
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_name("Data").to_python()


def test_what_is_handed_over_says_what_it_is_and_shows_no_more_than_granted(
    dataset, asker, owner, tmp_path
):
    asked = services.ask(dataset, actor=asker, values=values())
    allow(asked, owner, chosen=["nik", "name"])
    made = services.hand_over(asked, actor=asker, target=tmp_path / "x.xlsx")

    assert (made.rows, made.version.number) == (2, 1)
    table = rows_of(tmp_path / "x.xlsx")
    assert table[0] == ["NIK", "nama"]
    assert NIK not in str(table)
    assert table[2][1] == "=CMD()"
    about = CalamineWorkbook.from_path(str(tmp_path / "x.xlsx")).get_sheet_by_name("Keterangan")
    facts = dict(about.to_python())
    assert facts["Keadaan per"] == "30/06/2026"
    assert facts["Versi"] == "1"
    assert facts["Diserahkan kepada"] == "Dinas Dinsos"
    event = Event.objects.get(action="sharing.grant.take")
    assert event.detail["rows"] == 2
    assert event.reason == asked.purpose


def test_full_numbers_and_an_area_are_handed_over_when_granted(
    dataset, asker, owner, tmp_path, village
):
    asked = services.ask(dataset, actor=asker, values=values(with_numbers=True))
    allow(asked, owner, with_numbers=True, area=village.parent)
    services.hand_over(asked, actor=asker, target=tmp_path / "x.xlsx")
    table = rows_of(tmp_path / "x.xlsx")
    assert [row[0] for row in table[1:]] == [NIK]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"columns": []}, "columns"),
        ({"columns": ["rahasia"]}, "columns"),
        ({"wanted_until": TODAY - dt.timedelta(days=1)}, "wanted_until"),
        ({"purpose": ""}, "purpose"),
    ],
)
def test_a_request_says_for_what_and_until_when(dataset, asker, changes, field):
    with pytest.raises(ValidationError) as error:
        services.ask(dataset, actor=asker, values=values(**changes))
    assert field in error.value.message_dict
    assert not DataRequest.objects.exists()


def test_one_asks_once_and_never_oneself(dataset, asker, owner):
    services.ask(dataset, actor=asker, values=values())
    with pytest.raises(ValidationError, match="masih menunggu"):
        services.ask(dataset, actor=asker, values=values())
    with pytest.raises(ValidationError, match="milik perangkat daerah Anda"):
        services.ask(dataset, actor=owner, values=values())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"chosen": ["nik", "name", "desil"]}, "columns"),
        ({"with_numbers": True}, "with_numbers"),
        ({"ends_on": TODAY - dt.timedelta(days=1)}, "ends_on"),
        ({"ends_on": TODAY + dt.timedelta(days=91)}, "ends_on"),
    ],
)
def test_nobody_grants_more_than_was_asked(dataset, asker, owner, changes, field):
    asked = services.ask(dataset, actor=asker, values=values())
    with pytest.raises(ValidationError) as error:
        allow(asked, owner, **changes)
    assert field in error.value.message_dict
    asked.refresh_from_db()
    assert asked.state == RequestState.OPEN


def test_a_grant_stays_within_the_area_asked_for(dataset, asker, owner, village, regency):
    district = village.parent
    asked = services.ask(dataset, actor=asker, values=values(area=district))
    for area in (None, regency):
        with pytest.raises(ValidationError) as error:
            allow(asked, owner, area=area)
        assert "area" in error.value.message_dict
    assert allow(asked, owner, area=village).area == village


def test_an_ended_grant_hands_over_nothing(dataset, asker, owner, tmp_path):
    asked = services.ask(dataset, actor=asker, values=values())
    held = allow(asked, owner)
    held.ends_on = TODAY - dt.timedelta(days=1)
    held.save()
    with pytest.raises(ValidationError, match="tidak berlaku"):
        services.hand_over(asked, actor=asker, target=tmp_path / "x.xlsx")
    assert not (tmp_path / "x.xlsx").exists()


def test_a_revoked_grant_hands_over_nothing(dataset, asker, owner, tmp_path):
    asked = services.ask(dataset, actor=asker, values=values())
    allow(asked, owner)
    services.revoke(asked, actor=owner, reason="Dipakai di luar tujuan")
    with pytest.raises(ValidationError, match="tidak berlaku"):
        services.hand_over(asked, actor=asker, target=tmp_path / "x.xlsx")
    with pytest.raises(ValidationError, match="tidak berlaku"):
        services.revoke(asked, actor=owner, reason="Lagi")


def test_an_answer_is_given_once_and_a_refusal_says_why(dataset, asker, owner):
    asked = services.ask(dataset, actor=asker, values=values())
    with pytest.raises(ValidationError):
        services.refuse(asked, actor=owner, reason=" ")
    services.refuse(asked, actor=owner, reason="Data balita tidak untuk bantuan pangan")
    for again in (
        lambda: allow(asked, owner),
        lambda: services.refuse(asked, actor=owner, reason="Lagi"),
        lambda: services.withdraw(asked, actor=asker),
    ):
        with pytest.raises(ValidationError, match="sudah dijawab"):
            again()


def test_how_long_owners_take_is_measured(dataset, asker, owner, make_dataset):
    def asked(days_ago: float, answered: float | None, code: str) -> DataRequest:
        request = services.ask(make_dataset(code, owner=owner.agency), actor=asker, values=values())
        now = timezone.now()
        request.asked_at = now - dt.timedelta(days=days_ago)
        request.due_on = request.asked_at.date() + dt.timedelta(days=services.ANSWER_DAYS)
        request.save()
        if answered is not None:
            services.refuse(request, actor=owner, reason="Tidak")
            DataRequest.objects.filter(pk=request.pk).update(
                answered_at=request.asked_at + dt.timedelta(days=answered)
            )
        return request

    asked(30, 2, "a")
    asked(30, 4, "b")
    asked(30, 9, "c")
    asked(30, None, "d")
    services.withdraw(asked(30, None, "e"), actor=asker)
    asked(500, 100, "f")
    (row,) = queries.responses()
    assert (row.asked, row.refused, row.overdue, row.median_days) == (4, 3, 1, 4.0)
    assert queries.waiting(owner) == 1
    assert queries.waiting(asker) == 0


def test_from_asking_to_taking_on_the_pages(dataset, asker, owner, django_assert_max_num_queries):
    def client(user: Any) -> Client:
        made = Client()
        made.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return made

    page = client(asker).get(reverse("datasets:detail", args=["stunting"])).content.decode()
    assert "Minta dataset ini" in page
    sent = client(asker).post(
        reverse("sharing:ask"),
        {
            "dataset": dataset.pk,
            "purpose": "Mencocokkan penerima",
            "legal_basis": "Perpres 72/2021",
            "columns": ["nik", "name"],
            "wanted_until": f"{TODAY + dt.timedelta(days=60):%Y-%m-%d}",
        },
    )
    asked = DataRequest.objects.get()
    assert sent["Location"] == reverse("sharing:detail", args=[asked.pk])
    as_owner = client(owner)
    with django_assert_max_num_queries(12):
        page = as_owner.get(reverse("sharing:detail", args=[asked.pk])).content.decode()
    assert "Berikan data" in page
    client(owner).post(
        reverse("sharing:grant", args=[asked.pk]),
        {"columns": ["name"], "ends_on": f"{TODAY + dt.timedelta(days=30):%Y-%m-%d}"},
    )
    taken = client(asker).post(reverse("sharing:take", args=[asked.pk]))
    assert taken["Content-Disposition"].startswith("attachment")
    with django_assert_max_num_queries(8):
        assert as_owner.get(reverse("sharing:list")).status_code == 200


def test_the_owner_learns_of_a_request_and_the_asker_of_each_answer(dataset, asker, owner):
    def heard(user: Any) -> list[tuple[str, str]]:
        found = list(user.notifications.order_by("id").values_list("kind", "text"))
        user.notifications.all().delete()
        return found

    asked = services.ask(dataset, actor=asker, values=values())
    [(kind, text)] = heard(owner)
    assert kind == "task"
    assert f"jawab paling lambat {asked.due_on:%d/%m/%Y}" in text
    assert heard(asker) == []
    allow(asked, owner)
    assert heard(asker) == [("news", f"Permintaan data {dataset.name} diberikan")]
    services.revoke(asked, actor=owner, reason="Tujuannya sudah tercapai")
    assert heard(asker) == [("news", f"Izin memakai data {dataset.name} dicabut")]
    again = services.ask(dataset, actor=asker, values=values())
    services.refuse(again, actor=owner, reason="Belum boleh")
    assert heard(asker) == [("news", f"Permintaan data {dataset.name} ditolak")]
