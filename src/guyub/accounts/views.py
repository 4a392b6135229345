from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.accounts import queries, services
from guyub.accounts.forms import AccountForm, FilterForm, OwnDetailsForm, ReasonForm
from guyub.accounts.middleware import WANTED_PAGE
from guyub.accounts.models import User
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of

# A search by name is sent by POST, so it has no pages; who finds more than this narrows it.
SEARCH_LIMIT = 50


def _account(pk: int) -> User:
    people = User.objects.filter(is_service=False).select_related("agency", "area")
    return get_object_or_404(people, pk=pk)


def _own_account(request: HttpRequest) -> User:
    """Return who is signed in; the guard has turned the public away."""
    assert isinstance(request.user, User)
    return request.user


# One's own account


@requires("accounts.self")
def me(request: HttpRequest) -> HttpResponse:
    user = _own_account(request)
    context = {
        "factors": queries.SecondFactors(user),
        "session_count": queries.session_count(user),
    }
    return render(request, "accounts/me.html", context)


@requires("accounts.self")
def edit_me(request: HttpRequest) -> HttpResponse:
    user = _own_account(request)
    # A copy: the frame of the page shows who is signed in, not what was typed.
    form = OwnDetailsForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        services.update_own_details(user, form.cleaned_data)
        messages.success(request, _("Data Anda tersimpan."))
        return redirect("accounts:me")
    return render(request, "accounts/edit_me.html", {"form": form})


@requires("accounts.self")
def second_factor(request: HttpRequest) -> HttpResponse:
    """Explain the second factor and let them choose one."""
    if queries.SecondFactors(_own_account(request)).present:
        return redirect("accounts:me")
    return render(
        request, "accounts/second_factor.html", {"wanted": WANTED_PAGE in request.session}
    )


@requires("accounts.self")
def resume(request: HttpRequest) -> HttpResponse:
    """Go on to the page that the second factor was asked for; home when there is none."""
    # Our own full path, written by the middleware, so it cannot lead to another host.
    return redirect(request.session.pop(WANTED_PAGE, None) or "home")


# The secretariat's management of all accounts


@requires("accounts.manage")
def list_page(request: HttpRequest) -> HttpResponse:
    """List accounts. Filters come by GET; a search for a person by POST, to stay out of URLs."""
    source = request.POST if request.method == "POST" else request.GET
    form = FilterForm(source)
    form.is_valid()
    chosen = form.cleaned_data
    text = request.POST.get("cari", "").strip()
    rows = queries.accounts(
        text=text,
        role=chosen.get("peran", ""),
        agency=chosen.get("perangkat"),
        district=chosen.get("wilayah"),
        status=chosen.get("status", ""),
    )
    context: dict[str, Any] = {"form": form, "text": text, "filtered": any(chosen.values())}
    if text:
        found = list(rows[: SEARCH_LIMIT + 1])
        context |= {"accounts": found[:SEARCH_LIMIT], "too_many": len(found) > SEARCH_LIMIT}
    else:
        page = page_of(request, rows)
        context |= {"accounts": page.object_list, "page": page}
    return render(request, "accounts/list.html", context)


def _absolute(request: HttpRequest, path: str) -> str:
    return request.build_absolute_uri(path)


@requires("accounts.manage")
def create(request: HttpRequest) -> HttpResponse:
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.create_account(actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            show_errors(form, error)
        else:
            url = _absolute(request, services.make_password_link(user, actor=request.user))
            if services.send_password_link(user, url):
                text = _("Akun dibuat. Tautan untuk membuat kata sandi dikirim ke %(email)s.")
                messages.success(request, text % {"email": user.email})
            else:
                text = _(
                    "Akun dibuat, tetapi surel ke %(email)s gagal dikirim. Tampilkan tautannya di "
                    "bawah dan sampaikan langsung."
                )
                messages.warning(request, text % {"email": user.email})
            return redirect("accounts:detail", pk=user.pk)
    return render(request, "accounts/form.html", {"form": form})


def _detail(request: HttpRequest, user: User, **context: Any) -> HttpResponse:
    return render(
        request,
        "accounts/detail.html",
        {
            "account": user,
            "factors": queries.SecondFactors(user),
            "is_self": user.pk == request.user.pk,
            **context,
        },
        status=400 if context.get("refused") else 200,
    )


@requires("accounts.manage", load=_account)
def detail(request: HttpRequest, user: User) -> HttpResponse:
    return _detail(request, user)


@requires("accounts.manage", load=_account)
def edit(request: HttpRequest, user: User) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_account(user, form.cleaned_data, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Perubahan akun tersimpan."))
            return redirect("accounts:detail", pk=user.pk)
    return render(request, "accounts/form.html", {"form": form, "account": _account(user.pk)})


@requires("accounts.manage", load=_account)
@require_POST
def password_link(request: HttpRequest, user: User) -> HttpResponse:
    """Mail the link that sets a password, or show it to be handed over."""
    try:
        url = _absolute(request, services.make_password_link(user, actor=request.user))
    except ValidationError as error:
        return _detail(request, user, refused=error.messages)
    if "kirim" not in request.POST:
        return _detail(request, user, link=url)
    if services.send_password_link(user, url):
        messages.success(request, _("Tautan dikirim ke %(email)s.") % {"email": user.email})
        return redirect("accounts:detail", pk=user.pk)
    return _detail(request, user, link=url, refused=[_("Surel gagal dikirim.")])


def _with_reason(request: HttpRequest, user: User, act: Any, done: str, kind: str) -> HttpResponse:
    """Ask for a reason on its own page, then do ``act`` with it."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(user, actor=request.user, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, done)
            return redirect("accounts:detail", pk=user.pk)
    return render(request, "accounts/reason.html", {"form": form, "account": user, "kind": kind})


@requires("accounts.manage", load=_account)
def deactivate(request: HttpRequest, user: User) -> HttpResponse:
    done = _("Akun dinonaktifkan dan semua sesinya diakhiri.")
    return _with_reason(request, user, services.deactivate, done, "deactivate")


@requires("accounts.manage", load=_account)
def reset_second_factor(request: HttpRequest, user: User) -> HttpResponse:
    done = _("Faktor kedua dihapus. Pemilik akun akan diminta menyiapkannya lagi saat masuk.")
    return _with_reason(request, user, services.reset_second_factor, done, "reset_factor")


@requires("accounts.manage", load=_account)
@require_POST
def reactivate(request: HttpRequest, user: User) -> HttpResponse:
    services.reactivate(user, actor=request.user)
    messages.success(request, _("Akun aktif kembali."))
    return redirect("accounts:detail", pk=user.pk)
