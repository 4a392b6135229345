"""Pages of merging: side by side, what was merged, and taking apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from guyub.access.guards import requires
from guyub.access.permissions import authorize, can
from guyub.reconciliation import queries, services
from guyub.reconciliation.forms import MergeForm, UndoForm
from guyub.reconciliation.models import Merge
from guyub.registry import queries as registry
from guyub.registry.models import Household, Person, SubjectKind
from guyub.ui.answers import refused
from guyub.ui.paging import page_of

FOUND = 20  # of the best matches of a search


@dataclass
class Pair:
    """Two records to be merged; guards ask where the first lies, and the view about the second."""

    kind: str
    first: Any
    second: Any

    @property
    def area_code(self) -> str:
        return str(self.first.area_code)


def _pair(kind: str, related: tuple[str, ...], first: int, second: int) -> Pair:
    records = services.MODELS[kind].objects.select_related(*related).in_bulk([first, second])
    if first not in records or second not in records:
        raise Http404
    return Pair(kind, records[first], records[second])


def load_households(first: int, second: int) -> Pair:
    return _pair(SubjectKind.HOUSEHOLD, ("village", "district"), first, second)


def load_people(first: int, second: int) -> Pair:
    related = ("household__village", "household__district")
    return _pair(SubjectKind.PERSON, related, first, second)


def load_merge(pk: int) -> Merge:
    return get_object_or_404(
        Merge.objects.select_related("village__parent", "by", "undone_by", "parent"), pk=pk
    )


def _home_id(kind: str, record: Household | Person) -> int:
    return record.household_id if isinstance(record, Person) else record.pk


@require_GET
@requires("reconciliation.view")
def merges(request: HttpRequest) -> HttpResponse:
    """What was merged, newest first; ``?terpisah=1`` shows what was taken apart again."""
    undone = request.GET.get("terpisah") == "1"
    found = queries.merges_for(request.user).filter(undone_at__isnull=not undone)
    page = page_of(request, found)
    queries.named(page.object_list)
    context = {
        "page": page, "undone": undone, "may_merge": can(request.user, "reconciliation.merge"),
    }  # fmt: skip
    return render(request, "reconciliation/merges.html", context)


@require_http_methods(["GET", "POST"])
@requires("reconciliation.merge")
def find_pair(request: HttpRequest) -> HttpResponse:
    """Find two records that somebody knows to be the same, one after the other.

    ``?orang=1`` looks for people. ``?pertama=`` is the first record; choosing the second leads to the
    comparison. The search text comes by POST only.
    """
    is_people = request.GET.get("orang") == "1"
    first = _first(request, is_people)
    text = str(request.POST.get("cari", "")).strip()[:120]
    answer = registry.search(request.user, text, registry.Filters(status="")) if text else None
    context = {
        "is_people": is_people,
        "first": first,
        "text": text,
        "answer": answer,
        "rows": queries.to_choose(answer.rows[:FOUND], is_people, first) if answer else [],
        "more": answer is not None and (len(answer.rows) > FOUND or answer.capped),
    }
    return render(request, "reconciliation/find_pair.html", context)


def _first(request: HttpRequest, is_people: bool) -> Any:
    """Return the record chosen first; ``None`` while there is none."""
    number = request.GET.get("pertama", "")
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    kind = SubjectKind.PERSON if is_people else SubjectKind.HOUSEHOLD
    related = ("household__village",) if is_people else ("village",)
    record = services.MODELS[kind].objects.select_related(*related).filter(pk=number).first()
    if record is None:
        raise Http404
    authorize(request.user, "reconciliation.merge", record)
    return record


@require_http_methods(["GET", "POST"])
@requires("reconciliation.merge", load=load_households)
def merge_households(request: HttpRequest, pair: Pair) -> HttpResponse:
    return _merge(request, pair)


@require_http_methods(["GET", "POST"])
@requires("reconciliation.merge", load=load_people)
def merge_people(request: HttpRequest, pair: Pair) -> HttpResponse:
    return _merge(request, pair)


def _merge(request: HttpRequest, pair: Pair) -> HttpResponse:
    """Show two records side by side, and merge them. ``?utama=`` says which of them survives."""
    authorize(request.user, "reconciliation.merge", pair.second)
    survivor, loser = queries.better_first(pair.kind, pair.first, pair.second)
    if (request.POST or request.GET).get("utama") == str(loser.pk):
        survivor, loser = loser, survivor
    refusal = services.refusal(loser, survivor)
    preview = queries.preview(pair.kind, survivor, loser)
    form = MergeForm(preview, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if pair.kind == SubjectKind.HOUSEHOLD:
                merge = services.merge_households(
                    loser, survivor, picked=form.picked(), reason=given["reason"],
                    same_people=form.same_people(), actor=request.user,
                    **({"former_head": given["former_head"]} if "former_head" in given else {}),
                )  # fmt: skip
            else:
                merge = services.merge_people(
                    loser, survivor, picked=form.picked(), reason=given["reason"], actor=request.user
                )  # fmt: skip
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(request, _("Data sudah digabung. Bila keliru, pisahkan lagi di sini."))
            return redirect("reconciliation:merge", pk=merge.pk)
    context = {
        "preview": preview,
        "survivor": survivor,
        "loser": loser,
        "is_household": pair.kind == SubjectKind.HOUSEHOLD,
        "survivor_home": _home_id(pair.kind, survivor),
        "loser_home": _home_id(pair.kind, loser),
        "form": form,
        "refusal": refusal,
        "rows": [(choice, form[f"v_{choice.name}"].value()) for choice in preview.choices],
        "twins": [(left, right, form[f"p_{right.pk}_{left.pk}"]) for left, right in preview.twins],
    }
    return render(
        request, "reconciliation/merge_form.html", context, status=422 if form.errors else 200
    )


@require_GET
@requires("reconciliation.view", load=load_merge)
def merge_page(request: HttpRequest, merge: Merge) -> HttpResponse:
    queries.named([merge])
    return render(request, "reconciliation/merge.html", _merge_context(request, merge))


def _merge_context(request: HttpRequest, merge: Merge) -> dict[str, Any]:
    survivor, loser = merge.survivor, merge.loser  # type: ignore[attr-defined]
    model = services.MODELS[merge.kind]
    return {
        "merge": merge,
        "survivor": survivor,
        "loser": loser,
        "survivor_home": _home_id(merge.kind, survivor),
        "loser_home": _home_id(merge.kind, loser),
        "facts": [
            (model._meta.get_field(name).verbose_name, queries.shown(loser, name))
            for name in services.PICKABLE[SubjectKind(merge.kind)]
            if getattr(loser, name) not in ("", None)
        ],
        "picked": [model._meta.get_field(name).verbose_name for name in merge.picked],
        "moved": queries.moved_rows(merge),
        "kept": queries.kept_in_words(merge),
        "children": queries.named(merge.children.order_by("pk")),
        "blocking": services.blocking(merge) if merge.undone_at is None else [],
        "may_undo": can(request.user, "reconciliation.merge", merge) and merge.undone_at is None,
    }


@require_http_methods(["GET", "POST"])
@requires("reconciliation.merge", load=load_merge)
def unmerge(request: HttpRequest, merge: Merge) -> HttpResponse:
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            done = services.unmerge(merge, reason=form.cleaned_data["reason"], actor=request.user)
        except ValidationError as error:
            refused(request, error, form)
        else:
            text = _("Keduanya terpisah lagi seperti semula.")
            if done.kept:
                text += " " + _("%(n)d isian yang diubah sesudah digabung dibiarkan.") % {
                    "n": len(done.kept)
                }
            messages.success(request, text)
            return redirect("reconciliation:merge", pk=merge.pk)
    queries.named([merge])
    context = _merge_context(request, merge) | {"form": form}
    return render(
        request, "reconciliation/unmerge.html", context, status=422 if form.errors else 200
    )
