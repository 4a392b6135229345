"""The secretariat's management of accounts."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.accounts.tests.conftest import find
from guyub.areas.models import Area
from guyub.audit.models import Event


@pytest.fixture
def secretariat(client_for):
    return client_for(Role.SECRETARIAT)


def fields(**changes):
    values = {
        "full_name": "Sari Utami",
        "position": "Analis",
        "username": "sari.utami",
        "email": "Sari@Contoh.test",
        "phone": "",
        "role": Role.AUDITOR,
        "agency": "",
        "area": "",
    }
    return values | changes


class TestList:
    def test_narrows_by_each_filter(self, secretariat, make_user, make_agency):
        dinsos, pu = make_agency("dinsos"), make_agency("dpu")
        district = Area.objects.get(code="33.02.01")
        make_user(Role.AGENCY_HEAD, agency=dinsos, full_name="Kepala Dinsos")
        make_user(Role.AGENCY_OPERATOR, agency=pu, full_name="Operator PU")
        make_user(Role.AREA_OPERATOR, area=district, full_name="Camat Lumbir")
        make_user(Role.AREA_OPERATOR, full_name="Desa Cirahab")
        other = Area.objects.get(code="33.02.02.2001")
        make_user(Role.AREA_OPERATOR, area=other, full_name="Desa Lain", is_active=False)
        make_user(Role.REGENT, full_name="Bupati", second_factor=False)

        def names(query):
            page = secretariat.get(reverse("accounts:list") + query)
            return sorted(account.full_name for account in page.context["accounts"])

        assert len(names("")) == 7
        assert names("?peran=agency_operator") == ["Operator PU"]
        assert names(f"?perangkat={dinsos.pk}") == ["Kepala Dinsos"]
        assert names("?wilayah=33.02.01") == ["Camat Lumbir", "Desa Cirahab"]
        assert names("?status=nonaktif") == ["Desa Lain"]
        assert names("?status=tanpa-faktor-kedua") == ["Bupati"]
        assert names("?peran=area_operator&status=aktif") == ["Camat Lumbir", "Desa Cirahab"]
        assert len(names("?peran=peretas&wilayah=9")) == 7  # nonsense narrows nothing

    def test_search_goes_by_post(self, secretariat, make_user):
        make_user(Role.REGENT, full_name="Bupati Banyumas", email="pimpinan@contoh.test")
        for text in ("bupati", "PIMPINAN@", "banyumas"):
            page = secretariat.post(reverse("accounts:list"), {"cari": text})
            assert [a.full_name for a in page.context["accounts"]] == ["Bupati Banyumas"]
        empty = secretariat.post(reverse("accounts:list"), {"cari": "tidak ada"})
        assert "Tidak ada akun yang cocok" in empty.content.decode()

    def test_reads_as_much_for_many_as_for_few(
        self, secretariat, make_user, django_assert_max_num_queries
    ):
        for _number in range(30):
            make_user(Role.REGENT, second_factor=False)
        secretariat.get(reverse("accounts:list"))
        # Session, user, unread news, two choice lists, count, page.
        with django_assert_max_num_queries(7):
            page = secretariat.get(reverse("accounts:list") + "?halaman=2")
        assert len(page.context["accounts"]) == 6


class TestCreating:
    def test_makes_the_account_and_mails_a_link_that_works_once(self, secretariat):
        response = secretariat.post(reverse("accounts:create"), fields(), follow=True)
        user = User.objects.get(username="sari.utami")
        assert user.email == "sari@contoh.test"
        assert not user.has_usable_password()
        assert EmailAddress.objects.get(user=user).verified
        assert "dikirim ke sari@contoh.test" in response.content.decode()
        (message,) = mail.outbox
        assert message.to == ["sari@contoh.test"]
        link = find(r"http://testserver(\S+)", message.body)
        stranger = Client()
        url = stranger.get(link, follow=True).request["PATH_INFO"]
        new = {"password1": "sawah-hijau-2026", "password2": "sawah-hijau-2026"}
        stranger.post(url, new)
        assert User.objects.get(pk=user.pk).check_password("sawah-hijau-2026")
        assert "Tautan tidak berlaku" in Client().get(link, follow=True).content.decode()
        events = Event.objects.filter(subject_id=str(user.pk), subject_type="accounts.user")
        assert list(events.order_by("sequence").values_list("action", flat=True)) == [
            "accounts.account.create",
            "accounts.password.link",
            "accounts.password.reset",
        ]
        assert events.filter(actor_id=secretariat.user.pk).count() == 2

    def test_without_mail_the_link_can_be_handed_over(self, secretariat, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        response = secretariat.post(reverse("accounts:create"), fields(), follow=True)
        assert "gagal dikirim" in response.content.decode()
        user = User.objects.get(username="sari.utami")
        page = secretariat.post(reverse("accounts:password_link", args=[user.pk]))
        link = find(
            r'value="http://testserver(/masuk/password/reset/key/[^"]+)"', page.content.decode()
        )
        assert "Buat kata sandi" in Client().get(link, follow=True).content.decode()
        assert "no-store" in page["Cache-Control"]
        # It is not shown again by merely looking.
        again = secretariat.get(reverse("accounts:detail", args=[user.pk])).content.decode()
        assert "/reset/key/" not in again

    @pytest.mark.parametrize(
        ("changes", "field", "message"),
        [
            ({"role": Role.AGENCY_OPERATOR}, "agency", "perangkat daerah"),
            ({"role": Role.AREA_OPERATOR}, "area", "kecamatan atau desa"),
            ({"username": "sari@contoh.test"}, "username", "tanda @"),
            ({"username": "ab"}, "username", "tiga huruf"),
            ({"username": "sari utami"}, "username", ""),
            ({"email": "bukan surel"}, "email", ""),
            ({"role": ""}, "role", ""),
            ({"role": "raja"}, "role", ""),
            ({"full_name": ""}, "full_name", ""),
        ],
    )
    def test_says_what_is_wrong_and_where(self, secretariat, changes, field, message):
        page = secretariat.post(reverse("accounts:create"), fields(**changes))
        assert page.status_code == 200
        errors = page.context["form"].errors
        assert list(errors) == [field]
        assert message in str(errors[field])
        assert not User.objects.filter(full_name="Sari Utami").exists()
        assert mail.outbox == []

    @pytest.mark.parametrize("changes", [{"username": "BUPATI"}, {"email": "BUPATI@contoh.test"}])
    def test_names_and_addresses_are_taken_whatever_their_case(
        self, secretariat, make_user, changes
    ):
        make_user(Role.REGENT, username="bupati", email="bupati@contoh.test")
        page = secretariat.post(reverse("accounts:create"), fields(**changes))
        assert "sudah dipakai" in str(page.context["form"].errors)

    def test_a_role_keeps_only_the_binding_it_needs(self, secretariat, make_agency, village):
        values = fields(role=Role.AREA_OPERATOR, agency=make_agency().pk, area=village.pk)
        secretariat.post(reverse("accounts:create"), values)
        user = User.objects.get(username="sari.utami")
        assert user.agency is None
        assert user.area == village


class TestEditing:
    def test_changes_and_records_the_names_of_the_fields(self, secretariat, make_user, make_agency):
        user = make_user(Role.AUDITOR, full_name="Sari", email="lama@contoh.test")
        agency = make_agency()
        secretariat.post(
            reverse("accounts:edit", args=[user.pk]),
            fields(username=user.username, role=Role.AGENCY_HEAD, agency=agency.pk),
        )
        user.refresh_from_db()
        assert user.role == Role.AGENCY_HEAD
        assert user.agency == agency
        assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified")) == [
            ("sari@contoh.test", True)
        ]
        event = Event.objects.get(action="accounts.account.edit")
        assert event.detail == {
            "fields": ["agency", "email", "full_name", "position", "role"],
            "role": "agency_head",
            "old_role": "auditor",
        }

    def test_nothing_changed_is_not_recorded(self, secretariat, make_user):
        user = make_user(Role.AUDITOR)
        values = fields(
            full_name=user.full_name, position="", username=user.username, email=user.email
        )
        secretariat.post(reverse("accounts:edit", args=[user.pk]), values)
        assert not Event.objects.filter(action="accounts.account.edit").exists()

    def test_ones_own_role_stays(self, secretariat, make_user):
        make_user(Role.SECRETARIAT)
        me = secretariat.user
        page = secretariat.post(
            reverse("accounts:edit", args=[me.pk]),
            fields(username=me.username, email=me.email, role=Role.AUDITOR),
        )
        assert "peran Anda sendiri" in str(page.context["form"].errors["role"])
        assert User.objects.get(pk=me.pk).role == Role.SECRETARIAT

    def test_the_new_role_holds_from_the_next_page(self, secretariat, make_user, client_for):
        auditor = client_for(Role.AUDITOR)
        assert auditor.get(reverse("audit:list")).status_code == 200
        user = auditor.user
        secretariat.post(
            reverse("accounts:edit", args=[user.pk]),
            fields(username=user.username, email=user.email, role=Role.REGENT),
        )
        assert auditor.get(reverse("audit:list")).status_code == 403


class TestDeactivating:
    def test_ends_sessions_at_once_and_keeps_the_reason(self, secretariat, make_user, sign_in):
        user = make_user(Role.REGENT, second_factor=False)
        theirs = sign_in(user)
        assert theirs.get(reverse("accounts:me")).status_code == 200
        short = secretariat.post(reverse("accounts:deactivate", args=[user.pk]), {"reason": "x"})
        assert "alasan yang jelas" in str(short.context["form"].errors)
        secretariat.post(reverse("accounts:deactivate", args=[user.pk]), {"reason": "Pindah tugas"})
        assert theirs.get(reverse("accounts:me")).status_code == 302
        event = Event.objects.get(action="accounts.account.deactivate")
        assert (event.reason, event.detail) == ("Pindah tugas", {"sessions_ended": 1})
        refused = secretariat.post(reverse("accounts:password_link", args=[user.pk]))
        assert refused.status_code == 400
        assert "Akun ini nonaktif" in refused.content.decode()
        secretariat.post(reverse("accounts:reactivate", args=[user.pk]))
        assert User.objects.get(pk=user.pk).is_active
        assert Event.objects.filter(action="accounts.account.reactivate").exists()

    def test_not_oneself(self, secretariat, make_user):
        make_user(Role.SECRETARIAT)
        page = secretariat.post(
            reverse("accounts:deactivate", args=[secretariat.user.pk]), {"reason": "Coba saja"}
        )
        assert "akun Anda sendiri" in str(page.context["form"].errors)
        assert User.objects.get(pk=secretariat.user.pk).is_active

    def test_not_the_last_secretariat(self, make_user):
        from django.core.exceptions import ValidationError

        from guyub.accounts import services

        last, actor = make_user(Role.SECRETARIAT), make_user(Role.SECRETARIAT)
        make_user(Role.SECRETARIAT, is_active=False)
        User.objects.filter(pk=actor.pk).update(is_active=False)
        with pytest.raises(ValidationError, match="sekretariat terakhir"):
            services.deactivate(last, actor=actor, reason="Pindah tugas")
        with pytest.raises(ValidationError) as caught:
            services.update_account(last, {"role": Role.AUDITOR}, actor=actor)
        assert "sekretariat terakhir" in str(caught.value.message_dict["role"])
        assert User.objects.get(pk=last.pk).is_active


class TestResettingTheSecondFactor:
    def test_removes_all_ends_sessions_and_asks_for_a_new_one(
        self, secretariat, make_user, sign_in
    ):
        user = make_user(Role.AREA_OPERATOR)
        theirs = sign_in(user)
        secretariat.post(
            reverse("accounts:reset_factor", args=[user.pk]), {"reason": "Ponsel hilang"}
        )
        assert not Authenticator.objects.filter(user=user).exists()
        assert theirs.get(reverse("accounts:me")).status_code == 302
        event = Event.objects.get(action="accounts.factor.reset")
        assert event.reason == "Ponsel hilang"
        assert event.detail["types"] == ["totp"]
        back = sign_in(user)
        assert back.get(reverse("home"))["Location"] == reverse("accounts:second_factor")

    def test_not_ones_own(self, secretariat):
        page = secretariat.post(
            reverse("accounts:reset_factor", args=[secretariat.user.pk]), {"reason": "Coba saja"}
        )
        assert "anggota sekretariat lain" in str(page.context["form"].errors)
        assert Authenticator.objects.filter(user=secretariat.user).exists()


def test_doing_without_asking_is_refused(secretariat, make_user):
    user = make_user(Role.REGENT)
    for name in ("accounts:password_link", "accounts:reactivate"):
        assert secretariat.get(reverse(name, args=[user.pk])).status_code == 405
    secretariat.get(reverse("accounts:deactivate", args=[user.pk]))
    assert User.objects.get(pk=user.pk).is_active


def test_no_such_account(secretariat):
    assert secretariat.get(reverse("accounts:detail", args=[999_999])).status_code == 404
