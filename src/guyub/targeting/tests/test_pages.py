"""Rules on pages and over HTTP: written, changed, counted, shown to whom may see them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.registry.models import Person
from guyub.targeting import queries, services
from guyub.targeting.models import Rule, RuleVersion

LIST, NEW, BENCH = (reverse(f"targeting:{name}") for name in ("list", "create", "workbench"))


@pytest.fixture
def rule(make_agency: Any) -> Rule:
    return services.create_rule(
        actor=None, agency=make_agency("dinsos"), name="Desil 1–2", text="desil <= 2"
    )


@pytest.fixture
def operator(client_for: Any, make_agency: Any) -> Any:
    return client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinsos"))


def builder(**fields: Any) -> dict[str, Any]:
    """Return the form of a builder with one condition on the household."""
    return {
        "s-join": "all", "g0-scope": "household", "g0-was": "household", "g0-join": "all",
        "g0-r0-attribute": "desil", "g0-r0-was": "desil", "g0-r0-operator": "<=",
        "g0-r0-operator-was": "<=", "g0-r0-value": "2", "plan-was": "desil <= 2",
        "text-was": "desil <= 2", "text": "desil <= 2",
    } | fields  # fmt: skip


# Writing


def test_a_rule_is_written_by_its_agency_and_the_log_tells(operator, make_household):
    make_household(desil=1)
    make_household(desil=5)
    response = operator.post(
        NEW,
        {
            "agency": operator.user.agency_id,
            "name": "  Desil   satu ",
            "text": "desil == 1\r\n  && member_count >= 1",
            "note": "Awal",
            "simpan": "1",
        },
    )
    rule = Rule.objects.get()
    assert response["Location"] == reverse("targeting:detail", args=[rule.pk])
    assert rule.name == "Desil satu"
    version = rule.current_version
    assert (version.number, version.households, version.note) == (1, 1, "Awal")
    assert version.text == "desil == 1\n  && member_count >= 1"
    assert version.created_by == operator.user
    event = Event.objects.get(action="targeting.rule.create")
    assert event.detail["households"] == 1
    assert event.detail["text"] == version.text


def test_another_text_is_another_version_and_the_same_text_is_none(rule, operator, make_household):
    make_household(desil=3)
    edit = reverse("targeting:edit", args=[rule.pk])
    operator.post(edit, {"name": rule.name, "text": "desil <= 3", "note": "Naik", "simpan": "1"})
    rule.refresh_from_db()
    assert [(v.number, v.text, v.households) for v in rule.versions.all()] == [
        (2, "desil <= 3", 1),
        (1, "desil <= 2", 0),
    ]
    assert rule.current_version.number == 2
    operator.post(edit, {"name": "Nama lain", "text": "desil <= 3\r\n", "simpan": "1"})
    rule.refresh_from_db()
    assert rule.versions.count() == 2
    assert rule.name == "Nama lain"
    events = Event.objects.filter(action="targeting.rule.update").order_by("sequence")
    assert [event.detail["fields"] for event in events] == [["text"], ["name"]]
    page = operator.get(reverse("targeting:detail", args=[rule.pk])).content.decode()
    assert "<del>2</del><ins>3</ins>" in page
    assert "(+1)" in page


def test_what_cannot_be_understood_is_not_saved_and_is_marked(rule, operator):
    edit = reverse("targeting:edit", args=[rule.pk])
    page = operator.post(
        edit, {"name": rule.name, "text": "desil <= 2 && dinding == 3", "simpan": "1"}
    ).content.decode()
    assert "<mark>dinding</mark>" in page
    assert "wall (Dinding)" in page
    assert "Belum tersimpan" in page
    assert RuleVersion.objects.count() == 1
    with pytest.raises(ValidationError) as raised:
        services.update_rule(rule, actor=None, name=rule.name, text="desil <")
    assert "text" in raised.value.message_dict


def test_a_name_is_used_once_by_an_agency(rule, operator):
    page = operator.post(
        NEW,
        {"agency": rule.agency_id, "name": "desil 1–2", "text": "desil < 9", "simpan": "1"},
    ).content.decode()
    assert "sudah punya aturan dengan nama ini" in page
    assert Rule.objects.count() == 1


def test_only_sub_activities_of_the_own_agency_are_offered_and_taken(
    rule, operator, make_sub_activity, make_agency
):
    own = make_sub_activity("Bedah rumah", agency=rule.agency)
    other = make_sub_activity("Air bersih", agency=make_agency("dpu"))
    edit = reverse("targeting:edit", args=[rule.pk])
    page = operator.get(edit).content.decode()
    assert "Bedah rumah" in page
    assert "Air bersih" not in page
    values = {"name": rule.name, "text": "desil <= 2", "simpan": "1"}
    operator.post(edit, values | {"sub_activities": [other.pk]})
    assert not rule.sub_activities.exists()
    operator.post(edit, values | {"sub_activities": [own.pk]})
    assert list(rule.sub_activities.all()) == [own]
    with pytest.raises(ValidationError):
        services.update_rule(
            rule, actor=None, name=rule.name, text="desil <= 2", sub_activities=[other]
        )


def test_an_operator_cannot_write_for_another_agency(operator, make_agency):
    other = make_agency("dpu")
    operator.post(NEW, {"agency": other.pk, "name": "X", "text": "desil < 2", "simpan": "1"})
    assert not Rule.objects.exists()


def test_a_rule_made_from_a_sub_activity_starts_with_its_ranks_and_shows_on_its_page(
    operator, make_sub_activity, make_agency
):
    sub = make_sub_activity("Bedah rumah", agency=make_agency("dinsos"), desil_min=1, desil_max=4)
    page = operator.get(f"{NEW}?sub={sub.pk}").content.decode()
    assert "\ndesil &lt;= 4</textarea>" in page
    operator.post(
        f"{NEW}?sub={sub.pk}",
        {
            "agency": sub.agency_id,
            "name": "Rumah",
            "text": "desil <= 4",
            "sub_activities": [sub.pk],
            "simpan": "1",
        },
    )
    page = operator.get(reverse("programs:sub_activity", args=[sub.pk])).content.decode()
    assert reverse("targeting:detail", args=[Rule.objects.get().pk]) in page
    assert "Desil kesejahteraan 4 atau kurang" in page
    assert f"{NEW}?sub={sub.pk}" in page


def test_the_way_to_make_a_rule_is_shown_to_whoever_may(client_for, make_sub_activity, make_agency):
    sub = make_sub_activity("Bedah rumah", agency=make_agency("dpu"))
    path = reverse("programs:sub_activity", args=[sub.pk])
    assert NEW not in client_for(Role.AGENCY_OPERATOR).get(path).content.decode()
    assert NEW in client_for(Role.SECRETARIAT).get(path).content.decode()


# Builder and text


def test_the_builder_changes_the_text(operator, make_household):
    make_household(desil=3)
    page = operator.post(f"{BENCH}?dari=susunan", builder(**{"g0-r0-value": "3"})).content.decode()
    assert "\ndesil &lt;= 3</textarea>" in page
    assert "<b>1</b> keluarga" in page


def test_the_text_changes_the_builder_and_is_left_alone_itself(operator):
    page = operator.post(
        f"{BENCH}?dari=teks", builder(text='desil <= 2 && wall == "bamboo"')
    ).content.decode()
    assert "<textarea" not in page
    assert 'value="bamboo" checked' in page


def test_a_broken_text_is_marked_and_the_count_says_why_it_is_gone(operator):
    page = operator.post(f"{BENCH}?dari=teks", builder(text="desil <= 2 &&")).content.decode()
    assert "Rumusan terputus" in page
    assert "Belum dapat dihitung" in page
    assert "Susunan syarat tampil lagi" in page


def test_what_the_builder_cannot_show_says_so_and_is_counted(operator, make_household):
    make_household(desil=1)
    page = operator.post(f"{BENCH}?dari=teks", builder(text="desil * 2 < 5")).content.decode()
    assert "tidak dapat ditampilkan sebagai susunan" in page
    assert "<b>1</b> keluarga" in page


def test_without_script_the_view_that_was_changed_is_the_one_saved(rule, operator):
    edit = reverse("targeting:edit", args=[rule.pk])
    save = {"name": rule.name, "simpan": "1"}
    operator.post(edit, builder(**{"g0-r0-value": "4"}, **save))
    assert Rule.objects.get().current_version.text == "desil <= 4"
    operator.post(edit, builder(text="desil <= 5", **save))
    assert Rule.objects.get().current_version.text == "desil <= 5"


def test_without_script_buttons_of_the_builder_change_the_page(rule, operator):
    edit = reverse("targeting:edit", args=[rule.pk])
    page = operator.post(edit, builder(name="Nama baru", susun="add-members")).content.decode()
    assert 'name="g1-scope"' in page
    assert 'value="Nama baru"' in page
    assert Rule.objects.get().name == rule.name


def test_changing_places_of_fields_lays_them_anew(operator):
    kept = operator.post(f"{BENCH}?dari=susunan", builder(**{"g0-r0-value": "3"}))
    assert "HX-Reswap" not in kept
    for changed in (
        {"g0-r0-attribute": "wall"},
        {"g0-r0-operator": "between"},
        {"susun": "add-row:0"},
    ):
        assert (
            operator.post(f"{BENCH}?dari=susunan", builder(**changed))["HX-Reswap"] == "outerHTML"
        )


# Reading


def test_counts_are_open_to_all_and_names_only_to_those_who_may(rule, client_for, make_household):
    home = make_household(desil=1, name="Sumiyati")
    path = reverse("targeting:detail", args=[rule.pk])
    for role in (Role.REGENT, Role.AUDITOR):
        client = client_for(role)
        assert "<b>1</b> keluarga" in client.get(f"{path}?lihat=hitungan").content.decode()
        page = client.get(f"{path}?lihat=contoh").content.decode()
        assert home.head_name not in page
        assert "lihat=contoh#contoh" not in page
    page = client_for(Role.AGENCY_HEAD).get(f"{path}?lihat=contoh").content.decode()
    assert home.head_name in page
    assert home.masked_kk in page
    assert home.kk not in page


def test_a_sample_stays_within_the_own_area(rule, client_for, make_household):
    make_household("33.02.01.2001", desil=1, name="Tetangga")
    make_household("33.02.17.2001", desil=1, name="Orang Jauh")
    path = reverse("targeting:detail", args=[rule.pk]) + "?lihat=contoh"
    page = client_for(Role.AREA_OPERATOR).get(path).content.decode().lower()
    assert "tetangga" in page
    assert "orang jauh" not in page


def test_a_rule_whose_area_is_gone_says_so(rule, client_for):
    RuleVersion.objects.filter(rule=rule).update(text='village == "33.02.99.2001"')
    page = client_for(Role.REGENT).get(reverse("targeting:detail", args=[rule.pk]))
    assert page.status_code == 200
    assert "tidak berlaku lagi" in page.content.decode()


def test_the_list_is_narrowed_by_agency_and_words(rule, client_for, make_agency):
    services.create_rule(
        actor=None, agency=make_agency("dpu"), name="Tanpa jamban", text='sanitation == "none"'
    )
    client = client_for(Role.REGENT)

    def names(query: str) -> list[str]:
        return [r.name for r in client.get(LIST + query).context["page"]]

    assert names("") == ["Desil 1–2", "Tanpa jamban"]
    assert names("?perangkat=dpu") == ["Tanpa jamban"]
    assert names("?q=jamban dpu") == ["Tanpa jamban"]
    assert names("?q=tidak-ada") == []


def test_pages_ask_few_questions_however_many_rules_and_versions(
    rule, client_for, django_assert_max_num_queries, make_sub_activity
):
    for number in range(30):
        services.create_rule(
            actor=None, agency=rule.agency, name=f"Aturan {number}", text=f"desil <= {number}"
        )
    for number in range(3, 9):
        services.update_rule(rule, actor=None, name=rule.name, text=f"desil <= {number}")
    client = client_for(Role.SECRETARIAT)
    client.get(LIST)
    with django_assert_max_num_queries(8):
        client.get(LIST)
    path = reverse("targeting:detail", args=[rule.pk])
    with django_assert_max_num_queries(8):
        client.get(path)
    with django_assert_max_num_queries(12):
        client.get(reverse("targeting:edit", args=[rule.pk]))
    sub = make_sub_activity("Bedah rumah", agency=rule.agency)
    rule.sub_activities.add(sub)
    with django_assert_max_num_queries(20):
        client.get(reverse("programs:sub_activity", args=[sub.pk]))


# For other apps, and over HTTP


def test_people_of_a_rule_are_those_it_asks_for_else_the_heads(make_household):
    first, second = make_household(desil=1), make_household(desil=2)
    child = Person.objects.create(
        household=first,
        origin=first.origin,
        nik="3302010101200001",
        name="Anak",
        relation="child",
        birth_date=dt.date(2020, 1, 1),
    )
    heads = {first.members.get(relation="head"), second.members.get(relation="head")}
    assert set(queries.people_matching("desil <= 2")) == heads
    day = dt.date(2026, 6, 30)
    young = "desil <= 2 && members.exists(m, m.age < 18)"
    assert list(queries.people_matching(young, on=day)) == [child]
    assert set(queries.people_matching("!members.exists(m, m.age < 18)", on=day)) == {
        second.members.get()
    }
    assert not queries.people_matching(young, on=dt.date(2050, 1, 1)).exists()


def test_matching_is_narrowed_to_an_area_and_to_a_version(make_household, regency, rule):
    here, there = make_household("33.02.01.2001", desil=1), make_household("33.02.17.2001", desil=1)
    assert set(queries.households_matching(rule.current_version)) == {here, there}
    assert list(queries.households_matching(rule.current_version, here.village)) == [here]
    assert list(queries.households_matching(rule.current_version, there.district)) == [there]
    assert queries.households_matching(rule.current_version, regency).count() == 2


def test_the_api_lists_reads_and_counts(rule, client_for, make_household):
    make_household(desil=1)
    client = client_for(Role.SECRETARIAT)
    listed = client.get("/api/v1/targeting").json()["items"]
    assert [(row["name"], row["current_version"]["text"]) for row in listed] == [
        ("Desil 1–2", "desil <= 2")
    ]
    one = client.get(f"/api/v1/targeting/{rule.pk}").json()
    assert [version["number"] for version in one["versions"]] == [1]
    assert client.get("/api/v1/targeting/999").status_code == 404
    ask = "/api/v1/targeting/evaluate"
    assert client.post(ask, {"text": "desil == 1"}).json() == {
        "households": 1,
        "districts": {"33.02.01": 1},
    }
    assert client.post(ask, {"text": "desil == 1", "area": "33.02.17"}).json()["households"] == 0
    assert client.post(ask, {"text": "desil == 1", "area": "99"}).status_code == 404
    wrong = client.post(ask, {"text": "desil = 1"})
    assert wrong.status_code == 422
    assert (wrong.json()["line"], wrong.json()["column"]) == (1, 7)
    assert client_for(Role.REGENT).post(ask, {"text": "desil == 1"}).status_code == 403
