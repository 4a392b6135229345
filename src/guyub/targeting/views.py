"""Pages of rules."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.access.permissions import Scope, can, scope_of
from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity
from guyub.targeting import queries, services
from guyub.targeting.attributes import HOUSEHOLD_ATTRIBUTES, MEMBER_ATTRIBUTES
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import understand
from guyub.targeting.editor import FROM_BUILDER, FROM_TEXT, Draft, draft_from, draft_of, fields_of
from guyub.targeting.forms import RuleForm
from guyub.targeting.models import Rule
from guyub.targeting.wording import told
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of


def _rule(pk: int) -> Rule:
    return get_object_or_404(Rule.objects.select_related("agency", "current_version"), pk=pk)


@requires("targeting.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Rules by ``?perangkat=`` (code) and ``?q=``."""
    agency = request.GET.get("perangkat", "")
    text = request.GET.get("q", "").strip()[:100]
    context = {
        "page": page_of(request, queries.rules(agency, text)),
        "agencies": Agency.objects.filter(targeting_rules__isnull=False).distinct(),
        "agency": agency,
        "text": text,
        "is_narrowed": bool(agency or text),
    }
    return render(request, "targeting/list.html", context)


@requires("targeting.view", load=_rule)
def detail(request: HttpRequest, rule: Rule) -> HttpResponse:
    """One rule. ``?lihat=hitungan`` counts its households, ``?lihat=contoh`` shows some of them."""
    version = rule.current_version
    looked_at = request.GET.get("lihat", "")
    may_sample = can(request.user, "registry.view")
    context: dict[str, Any] = {
        "rule": rule,
        "version": version,
        "history": queries.history(rule),
        "sub_activities": rule.sub_activities.order_by("-year", "name"),
        "may_sample": may_sample,
        "is_in_own_area": scope_of(request.user, "registry.view") is Scope.OWN_AREA,
    }
    if version is not None:
        try:
            meant = understand(version.text)
        except RuleError as error:
            # Written when an area or a code was still there.
            context["error"] = error
        else:
            context["told"] = told(meant)
            if looked_at == "hitungan":
                context["tally"] = queries.tally_of_version(version)
            if looked_at == "contoh" and may_sample:
                context["sample"] = queries.sample(request.user, meant)
    return render(request, "targeting/detail.html", context)


def _with_draft(draft: Draft, user: Any, current: Rule | None) -> dict[str, Any]:
    """Return what the editor's parts show of ``draft``."""
    return {
        "draft": draft,
        "groups": fields_of(draft.plan) if draft.plan is not None else [],
        "told": draft.told(),
        "tally": draft.tally(),
        "sample": draft.sample(user),
        "current": current.current_version if current is not None else None,
    }


def _page(
    request: HttpRequest, form: RuleForm, draft: Draft, rule: Rule | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "rule": rule,
        "household_attributes": HOUSEHOLD_ATTRIBUTES.values(),
        "member_attributes": MEMBER_ATTRIBUTES.values(),
        **_with_draft(draft, request.user, rule),
    }
    return render(request, "targeting/form.html", context)


@requires("targeting.edit")
def create(request: HttpRequest) -> HttpResponse:
    """A new rule; ``?sub=`` (key) names the sub-activity that it is for."""
    asked = request.GET.get("sub", "")
    sub_activity = (
        SubActivity.objects.select_related("agency").filter(pk=int(asked)).first()
        if asked.isdecimal() and len(asked) < 10
        else None
    )
    agency = sub_activity.agency if sub_activity is not None else None
    if agency is None and request.GET.get("perangkat"):
        agency = Agency.objects.filter(code=request.GET["perangkat"], is_active=True).first()
    if agency is not None and not can(request.user, "targeting.edit", Rule(agency=agency)):
        agency = sub_activity = None
    options: dict[str, Any] = {"user": request.user, "agency": agency}
    if request.method != "POST":
        initial: dict[str, Any] = {}
        if sub_activity is not None:
            initial = {"sub_activities": [sub_activity], "name": sub_activity.name[:150]}
        return _page(
            request, RuleForm(initial=initial, **options), draft_of(_suggested(sub_activity))
        )
    draft = draft_from(request.POST)
    if "simpan" not in request.POST:
        return _page(request, RuleForm(initial=_entered(request), **options), draft)
    form = RuleForm(request.POST, **options)
    if form.is_valid() and draft.rule is not None:
        try:
            rule = services.create_rule(
                actor=request.user,
                agency=form.cleaned_data["agency"],
                text=draft.text,
                **form.values(),
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Aturan tersimpan sebagai versi 1."))
            return redirect("targeting:detail", pk=rule.pk)
    return _page(request, form, draft)


def _suggested(sub_activity: SubActivity | None) -> str:
    """Return the rule to start from: the welfare ranks that the sub-activity already names."""
    if sub_activity is None:
        return ""
    borders = []
    if sub_activity.desil_min and sub_activity.desil_min > 1:
        borders.append(f"desil >= {sub_activity.desil_min}")
    if sub_activity.desil_max and sub_activity.desil_max < 10:
        borders.append(f"desil <= {sub_activity.desil_max}")
    return " && ".join(borders)


def _entered(request: HttpRequest) -> dict[str, Any]:
    """Return what was entered so far, to be shown again without judging it."""
    entered: dict[str, Any] = {
        name: request.POST[name]
        for name in ("agency", "name", "description", "note")
        if name in request.POST
    }
    entered["sub_activities"] = request.POST.getlist("sub_activities")
    return entered


@requires("targeting.edit", load=_rule)
def edit(request: HttpRequest, rule: Rule) -> HttpResponse:
    """Change a rule. Another text makes a new version."""
    options: dict[str, Any] = {"user": request.user, "rule": rule}
    if request.method != "POST":
        initial = {
            "name": rule.name,
            "description": rule.description,
            "sub_activities": list(rule.sub_activities.all()),
        }
        text = rule.current_version.text if rule.current_version is not None else ""
        return _page(request, RuleForm(initial=initial, **options), draft_of(text), rule)
    draft = draft_from(request.POST)
    if "simpan" not in request.POST:
        return _page(request, RuleForm(initial=_entered(request), **options), draft, rule)
    form = RuleForm(request.POST, **options)
    if form.is_valid() and draft.rule is not None:
        try:
            changed, version = services.update_rule(
                rule, actor=request.user, text=draft.text, **form.values()
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            if version is not None:
                text = _("Tersimpan sebagai versi %(n)d.") % {"n": version.number}
            else:
                text = _("Perubahan tersimpan.") if changed else _("Tidak ada yang berubah.")
            messages.success(request, text)
            return redirect("targeting:detail", pk=rule.pk)
    return _page(request, form, draft, rule)


@requires("targeting.edit")
@require_POST
def workbench(request: HttpRequest) -> HttpResponse:
    """The parts of the editor for what is in its form now. ``?dari=`` tells which view was changed."""
    source = request.GET.get("dari", "")
    key = request.POST.get("rule", "")
    known = key.isascii() and key.isdigit() and len(key) < 10
    rule = (
        Rule.objects.select_related("current_version").filter(pk=int(key)).first()
        if known
        else None
    )
    draft = draft_from(request.POST, source)
    context = {
        "replaces_text": source != FROM_TEXT,
        **_with_draft(draft, request.user, rule),
    }
    response = render(request, "targeting/_workbench.html", context)
    if source == FROM_BUILDER and (draft.is_rebuilt or draft.plan is None):
        # Fields that keep what was typed into them would show it in another condition.
        response["HX-Reswap"] = "outerHTML"
    return response
