"""Talk about records: who reads, who writes, what is kept."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.urls import reverse

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.discussions import services, subjects
from guyub.discussions.models import Message, Thread
from guyub.discussions.queries import PAGE

NIK = "3302011203850001"


def write_url(record):
    return reverse("discussions:write", args=subjects.place_of(record).key)


@pytest.fixture
def dataset(make_dataset):
    return make_dataset("rtlh", name="Rumah tidak layak huni")


def test_a_message_is_shown_with_who_wrote_it(dataset, client_for, make_agency):
    client = client_for(Role.AGENCY_HEAD, agency=make_agency("dinkes", name="Dinas Kesehatan"))
    response = client.post(
        write_url(dataset), {"pesan": "Kapan\ndiperbarui?"}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 200
    text = response.content.decode()
    assert "Kapan<br>diperbarui?" in text
    page = client_for(Role.AUDITOR).get(reverse("datasets:detail", args=["rtlh"])).content.decode()
    assert "Kapan<br>diperbarui?" in page
    assert "Kepala perangkat daerah · Dinas Kesehatan" in page
    assert "Peran Anda dapat membaca" in page
    assert 'name="pesan"' not in page
    # Not with the thousands separator of the page's language.
    assert f'maxlength="{services.LONGEST}"' in text
    thread = Thread.objects.get()
    assert thread.message_count == 1
    assert thread.last_message_at == Message.objects.get().written_at


def test_role_and_agency_stay_those_of_the_time_of_writing(dataset, make_user, make_agency):
    user = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    services.write(dataset, "Halo", author=user)
    user.agency, user.role = None, Role.SECRETARIAT
    user.save()
    message = Message.objects.get()
    assert (message.role, message.agency.code) == (Role.AGENCY_OPERATOR, "dinkes")


def test_numbers_are_masked_before_they_are_kept(dataset, client_for):
    response = client_for().post(
        write_url(dataset), {"pesan": f"Atas nama {NIK}"}, headers={"HX-Request": "true"}
    )
    assert Message.objects.get().text == "Atas nama 330201••••••••01"
    assert "disamarkan" in response.content.decode()
    assert NIK not in response.content.decode()
    assert NIK not in str(list(Event.objects.values_list("detail", "subject_id", "reason")))
    assert Event.objects.get(action="discussions.message.write").detail["masked"] == 1


def test_without_script_one_lands_on_the_records_page(dataset, client_for):
    response = client_for().post(write_url(dataset), {"pesan": f"KK {NIK}"}, follow=True)
    assert response.redirect_chain[-1][0] == "/dataset/rtlh/#pembicaraan"
    assert "Nomor NIK atau KK dalam pesan Anda disamarkan." in response.content.decode()


@pytest.mark.parametrize("text", ["", "  \n ", "a" * (services.LONGEST + 1)])
def test_a_wrong_message_is_refused_and_not_lost(dataset, client_for, text):
    response = client_for().post(
        write_url(dataset), {"pesan": text}, headers={"HX-Request": "true"}
    )
    assert not Message.objects.exists()
    assert "field-bad" in response.content.decode()
    assert text in response.content.decode()


def test_markup_in_a_message_is_text(dataset, client_for):
    client = client_for()
    services.write(dataset, "<script>alert(1)</script> @budi <b>", author=client.user)
    page = client.get(reverse("datasets:detail", args=["rtlh"])).content.decode()
    assert "<script>alert" not in page
    assert '<b class="mention">@budi</b>' in page


def test_old_messages_come_a_page_at_a_time(dataset, client_for, django_assert_max_num_queries):
    client = client_for()
    for number in range(2 * PAGE + 3):
        services.write(dataset, f"Pesan ke-{number:02d}.", author=client.user)
    url = reverse("discussions:thread", args=subjects.place_of(dataset).key)
    with django_assert_max_num_queries(12):
        page = client.get(url, headers={"HX-Request": "true"}).content.decode()
    seen = []
    while True:
        numbers = [n for n in range(2 * PAGE + 3) if f"Pesan ke-{n:02d}." in page]
        assert numbers == sorted(numbers)
        seen = numbers + seen
        if "sebelum=" not in page:
            break
        before = page.partition("sebelum=")[2].partition('"')[0]
        page = client.get(f"{url}?sebelum={before}", headers={"HX-Request": "true"})
        page = page.content.decode()
    assert seen == list(range(2 * PAGE + 3))


def test_only_the_author_takes_a_message_back(dataset, client_for):
    client = client_for()
    message = services.write(dataset, "Salah kirim", author=client.user).message
    url = reverse("discussions:withdraw", args=[message.pk])
    assert client_for(Role.AGENCY_OPERATOR).post(url).status_code == 403
    assert client_for().post(url).status_code == 403
    page = client.post(url, headers={"HX-Request": "true"}).content.decode()
    assert "Salah kirim" not in page
    assert "ditarik oleh penulisnya" in page
    assert Message.objects.get().text == ""
    client.post(url)
    assert Event.objects.filter(action="discussions.message.withdraw").count() == 1


def test_talk_about_a_household_is_for_who_may_see_it(make_household, client_for):
    home = make_household("33.02.17.2001")
    client = client_for(Role.AREA_OPERATOR)  # of a village in another district
    services.write(home, "Rumahnya roboh", author=client_for().user)
    for role in (Role.AREA_OPERATOR, Role.REGENT, Role.AUDITOR):
        client = client_for(role)
        url = reverse("discussions:thread", args=subjects.place_of(home).key)
        assert client.get(url).status_code == 403
        assert client.post(write_url(home), {"pesan": "Halo"}).status_code == 403
    page = client_for(Role.AGENCY_HEAD).get(reverse("registry:household", args=[home.pk]))
    assert "Rumahnya roboh" in page.content.decode()


@pytest.mark.parametrize(
    "path", ["registry.household/99999/", "accounts.user/1/", "registry.household/abc/", "x/1/"]
)
def test_what_is_not_there_is_not_found(path, client_for):
    client = client_for()
    assert client.get(f"/pembicaraan/{path}").status_code == 404
    assert client.post(f"/pembicaraan/{path}tulis/").status_code == 404


def test_a_model_must_be_registered(make_agency):
    with pytest.raises(ImproperlyConfigured):
        subjects.place_of(make_agency())
    with pytest.raises(ImproperlyConfigured):
        subjects.register(Message, permission="tidak.ada", url=str)


def test_a_withdrawal_by_another_is_refused_by_the_service(dataset, make_user):
    message = services.write(dataset, "Halo", author=make_user(Role.SECRETARIAT)).message
    with pytest.raises(ValidationError):
        services.withdraw(message, actor=make_user(Role.SECRETARIAT))
