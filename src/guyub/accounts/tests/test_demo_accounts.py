"""Demo accounts: made again without harm, and shown in demo mode alone."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ImproperlyConfigured, ValidationError

from guyub.access.roles import Role
from guyub.accounts.demo import demo_accounts
from guyub.accounts.models import User
from guyub.accounts.services import DEMO_PASSWORD, make_demo_account


def test_making_twice_keeps_one_account_and_its_authenticator(make_agency):
    agency = make_agency()
    first = make_demo_account("opd", "Sari", Role.AGENCY_OPERATOR, agency=agency)
    secret = Authenticator.objects.get(user=first).data["secret"]
    again = make_demo_account("opd", "Sari Utami", Role.AGENCY_OPERATOR, agency=agency)
    assert again.pk == first.pk
    assert again.full_name == "Sari Utami"
    assert again.is_demo
    assert again.check_password(DEMO_PASSWORD)
    assert Authenticator.objects.get(user=first).data["secret"] == secret


def test_a_real_account_is_never_taken_over(make_user):
    user = make_user(Role.REGENT, username="bupati")
    with pytest.raises(ValidationError):
        make_demo_account("bupati", "Bupati", Role.REGENT)
    assert not User.objects.get(pk=user.pk).is_demo


def test_production_makes_none(db, settings):
    settings.MODE = "production"
    with pytest.raises(ImproperlyConfigured):
        make_demo_account("bupati", "Bupati", Role.REGENT)
    assert not User.objects.exists()


def test_present_codes_are_told_in_demo_mode_alone(db, settings):
    user = make_demo_account("bupati", "Bupati", Role.REGENT)
    assert demo_accounts() == []
    settings.MODE = "demo"
    (shown,) = demo_accounts()
    assert shown.user == user
    totp = Authenticator.objects.get(user=user, type="totp").wrap()
    assert totp.validate_code(shown.code)


def test_an_agency_role_needs_its_agency(db):
    with pytest.raises(ValidationError) as caught:
        make_demo_account("opd", "Sari", Role.AGENCY_OPERATOR)
    assert "agency" in caught.value.message_dict
