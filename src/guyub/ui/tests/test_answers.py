"""Where what a service refused is shown, and what is said of what went well."""

from __future__ import annotations

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from guyub.ui.answers import tried


class PlaceForm(forms.Form):
    name = forms.CharField()


@pytest.fixture
def request_made():
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)
    return request


def said(request):
    return [(message.level_tag, str(message)) for message in get_messages(request)]


def refuse(error):
    def deed():
        raise ValidationError(error)

    return deed


def test_what_went_well_is_said_once_and_may_tell_what_was_made(request_made):
    assert tried(request_made, lambda: 3, lambda made: f"{made} diundang.")
    assert tried(request_made, lambda: None, "Tersimpan.")
    assert said(request_made) == [("success", "3 diundang."), ("success", "Tersimpan.")]


def test_what_was_refused_stands_beside_its_field_or_above_the_form(request_made):
    form = PlaceForm({"name": "Balai"})
    refused = refuse({"name": ["Nama ini sudah ada."], "lain": ["Tidak berlaku."]})
    assert not tried(request_made, refused, "Tersimpan.", form)
    assert form.errors == {"name": ["Nama ini sudah ada."], "__all__": ["Tidak berlaku."]}
    assert said(request_made) == []


def test_without_a_form_what_was_refused_stands_above_the_page(request_made):
    assert not tried(request_made, refuse("Sudah berakhir."), "Tersimpan.")
    assert said(request_made) == [("error", "Sudah berakhir.")]
