"""The guards, apart from any page: records, scopes, API operations."""

from __future__ import annotations

import enum
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from ninja import NinjaAPI
from ninja.security import django_auth
from ninja.testing import TestClient

from guyub.access.guards import api_requires, requires
from guyub.access.permissions import GRANTS, can, in_area
from guyub.access.roles import Role


class Colour(enum.Enum):
    """A type that only this module knows, for the signature of an operation."""

    RED = "merah"


def someone(role, **values):
    values = {
        "is_authenticated": True,
        "is_active": True,
        "agency_id": None,
        "area_code": "",
    } | values
    return SimpleNamespace(role=role, **values)


def test_an_unknown_permission_is_a_mistake_of_the_programmer():
    for guard in (requires, api_requires):
        with pytest.raises(ImproperlyConfigured):
            guard("registry.burn")
    with pytest.raises(ImproperlyConfigured):
        can(someone(Role.SECRETARIAT), "registry.burn")


@pytest.mark.parametrize(
    ("mine", "code", "inside"),
    [
        ("33.02.01", "33.02.01.2001", True),
        ("33.02.01.2001", "33.02.01.2001", True),
        ("33.02.01.2001", "33.02.01.2002", False),
        ("33.02.01", "33.02.011", False),
        ("33.02.01.2001", "33.02.01", False),
        ("", "33.02.01.2001", False),
    ],
)
def test_an_area_reaches_down_and_never_sideways(mine, code, inside):
    assert in_area(mine, code) is inside
    user = someone(Role.AREA_OPERATOR, area_code=mine)
    assert can(user, "registry.view", SimpleNamespace(area_code=code)) is inside


def test_an_account_without_its_agency_owns_nothing():
    record = SimpleNamespace(owning_agency_id=None)
    assert not can(someone(Role.AGENCY_OPERATOR), "datasets.edit", record)


@pytest.mark.parametrize("permission", sorted(GRANTS))
def test_nobody_in_particular_may_nothing(permission):
    assert not can(someone(""), permission)
    assert not can(someone(Role.SECRETARIAT, is_active=False), permission)
    assert not can(SimpleNamespace(is_authenticated=False), permission)


@pytest.mark.django_db
class TestApiOperations:
    @pytest.fixture
    def loaded(self):
        """What the guard fetched, in order."""
        return []

    @pytest.fixture
    def ask(self, loaded):
        api = NinjaAPI(auth=django_auth, urls_namespace="guards-test")
        api.add_exception_handler(
            PermissionDenied,
            lambda request, error: api.create_response(request, {"detail": "denied"}, status=403),
        )

        @api.get("/plain")
        @api_requires("audit.view")
        def plain(request, count: int = 1):
            return {"count": count}

        def load(code: str):
            loaded.append(code)
            return SimpleNamespace(area_code=code)

        @api.get("/areas/{code}")
        @api_requires("registry.view", load=load)
        def area(request, record: SimpleNamespace, floor: int = 0):
            return {"code": record.area_code, "floor": floor}

        def numbered(pk: int):
            # Reads what it is given as a field of whole numbers does.
            loaded.append(pk)
            return SimpleNamespace(area_code=f"33.02.{int(pk):02d}")

        @api.get("/districts/{pk}")
        @api_requires("registry.view", load=numbered)
        def district(request, record: SimpleNamespace):
            return {"code": record.area_code}

        @api.get("/colours")
        @api_requires("audit.view")
        def colours(request, colour: Colour | None = None):
            return {"colour": colour.name if colour else ""}

        client = TestClient(api)
        return lambda path, user: client.get(path, user=user)

    def test_keeps_the_arguments_of_the_operation(self, ask):
        answer = ask("/plain?count=3", someone(Role.AUDITOR))
        assert (answer.status_code, answer.json()) == (200, {"count": 3})
        assert ask("/plain?count=x", someone(Role.AUDITOR)).status_code == 422

    def test_knows_the_types_of_the_operation(self, ask):
        assert ask("/colours?colour=merah", someone(Role.AUDITOR)).json() == {"colour": "RED"}
        assert ask("/colours?colour=biru", someone(Role.AUDITOR)).status_code == 422

    def test_refuses_as_json(self, ask):
        answer = ask("/plain", someone(Role.REGENT))
        assert (answer.status_code, answer.json()) == (403, {"detail": "denied"})

    def test_narrows_to_the_record(self, ask):
        user = someone(Role.AREA_OPERATOR, area_code="33.02.01")
        assert ask("/areas/33.02.01.2001", user).status_code == 200
        assert ask("/areas/33.02.02.2001", user).status_code == 403

    def test_hands_the_record_that_it_checked_to_the_operation(self, ask, loaded):
        user = someone(Role.AREA_OPERATOR, area_code="33.02.01")
        answer = ask("/areas/33.02.01.2001?floor=2", user)
        assert answer.json() == {"code": "33.02.01.2001", "floor": 2}
        assert loaded == ["33.02.01.2001"], "fetched once"
        assert ask("/areas/33.02.01.2001?floor=x", user).status_code == 422

    def test_a_number_written_in_another_way_is_checked_all_the_same(self, ask, loaded):
        """Ninja reads 2.0 as 2, which a field of whole numbers does not."""
        user = someone(Role.AREA_OPERATOR, area_code="33.02.01")
        assert ask("/districts/1.0", user).json() == {"code": "33.02.01"}
        assert ask("/districts/2", user).status_code == 403
        assert ask("/districts/2.0", user).status_code == 403
        assert ask("/districts/dua", user).status_code == 422
        assert loaded == ["1.0", 1, "2", "2.0", 2, "dua"]
