"""Pages of meetings."""

from __future__ import annotations

import base64
import io
from contextlib import AbstractContextManager
from typing import Any

import qrcode
import qrcode.image.svg
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import public, requires
from guyub.access.permissions import can
from guyub.access.roles import Role
from guyub.agencies.models import Agency
from guyub.meetings import forms, invitations, paper, queries, services
from guyub.meetings.models import (
    AgendaItem,
    Attendance,
    Invitation,
    Meeting,
    MeetingState,
    Reply,
)
from guyub.meetings.pages import (
    find_attendance,
    find_invitation,
    find_item,
    find_meeting,
    form_page,
)
from guyub.ui.answers import refused, tried
from guyub.ui.charts import trend
from guyub.ui.paging import page_of


@requires("meetings.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Meetings to come and, with ``?lalu=1``, those that are over."""
    past = request.GET.get("lalu") == "1"
    context: dict[str, Any] = {
        "page": page_of(request, queries.meetings(past)),
        "past": past,
        "waiting": queries.waiting(request.user),
    }
    return render(request, "meetings/list.html", context)


@requires("meetings.manage")
def create(request: HttpRequest) -> HttpResponse:
    form = forms.MeetingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        meeting = services.plan_meeting(actor=request.user, values=form.cleaned_data)
        services.fill_agenda(meeting, actor=request.user)
        messages.success(
            request,
            _(
                "Rapat direncanakan, dan agendanya diisi dengan yang menunggu. Periksa, lalu undang."
            ),
        )
        return redirect("meetings:detail", pk=meeting.pk)
    return form_page(
        request,
        form,
        title=_("Rencanakan rapat"),
        back=reverse("meetings:list"),
        button=_("Simpan"),
    )


@requires("meetings.view", load=find_meeting)
def detail(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    user = request.user
    sent = list(meeting.invitations.select_related("agency").prefetch_related("mandate_items"))
    mine = next((i for i in sent if user.agency_id and i.agency_id == user.agency_id), None)  # type: ignore[union-attr]
    agenda = queries.agenda_of(meeting)
    context = {
        "meeting": meeting,
        "agenda": agenda,
        "ended": queries.ended_elsewhere(agenda) if meeting.is_open_for_changes else (),
        "invitations": sent,
        "mine": mine,
        "attendances": list(meeting.attendances.select_related("agency")),
        "quorum": queries.quorum(meeting),
        "decisions": queries.decisions_of(meeting),
        "actions": list(meeting.actions.select_related("agency", "decision")),
        "general_inputs": list(meeting.inputs.filter(item=None).select_related("agency", "author")),
        "may_manage": can(user, "meetings.manage"),
        "may_input": mine is not None
        and meeting.is_open_for_changes
        and can(user, "meetings.give_input"),
        "input_form": forms.InputForm(meeting),
        "answered": sum(i.reply != Reply.NONE for i in sent),
    }
    return render(request, "meetings/detail.html", context)


@requires("meetings.manage", load=find_meeting)
def edit(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    form = forms.MeetingForm(request.POST or None, instance=find_meeting(meeting.pk))
    if request.method == "POST" and form.is_valid():
        changed = tried(
            request,
            lambda: services.change_meeting(meeting, actor=request.user, values=form.cleaned_data),
            _("Perubahan tersimpan."),
            form,
        )
        if changed:
            return redirect("meetings:detail", pk=meeting.pk)
    note = ""
    if meeting.state == MeetingState.INVITED:
        note = _("Yang diundang diberi tahu lewat surel bila waktu atau tempatnya berubah.")
    return form_page(
        request, form, title=_("Ubah rapat"), note=note, meeting=meeting, button=_("Simpan")
    )


@requires("meetings.manage", load=find_meeting)
def cancel(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        cancelled = tried(
            request,
            lambda: services.cancel_meeting(
                meeting, actor=request.user, reason=form.cleaned_data["reason"]
            ),
            _("Rapat dibatalkan."),
            form,
        )
        if cancelled:
            return redirect("meetings:list")
    return form_page(
        request, form, title=_("Batalkan rapat?"), meeting=meeting,
        note=_("Yang sudah diundang diberi tahu lewat surel."), button=_("Batalkan rapat"),
        danger=True,
    )  # fmt: skip


@requires("meetings.manage", load=find_meeting)
@require_POST
def fill(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    tried(
        request,
        lambda: services.fill_agenda(meeting, actor=request.user),
        lambda made: (
            _("%(n)d pokok bahasan ditambahkan.") % {"n": len(made)}
            if made
            else _("Tidak ada yang baru untuk agenda.")
        ),
    )
    return redirect("meetings:detail", pk=meeting.pk)


@requires("meetings.manage", load=find_meeting)
def add_item(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    return _save_item(request, meeting, None)


@requires("meetings.manage", load=find_item)
def edit_item(request: HttpRequest, item: AgendaItem) -> HttpResponse:
    return _save_item(request, item.meeting, item)


def _save_item(request: HttpRequest, meeting: Meeting, item: AgendaItem | None) -> HttpResponse:
    initial = {"agencies": item.agencies.all()} if item is not None else {}
    form = forms.ItemForm(request.POST or None, instance=item, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        agencies = values.pop("agencies")
        saved = tried(
            request,
            lambda: services.save_item(
                meeting, actor=request.user, values=values, agencies=agencies, item=item
            ),
            _("Agenda tersimpan."),
            form,
        )
        if saved:
            return redirect("meetings:detail", pk=meeting.pk)
    title = _("Ubah pokok bahasan") if item else _("Tambah pokok bahasan")
    return form_page(request, form, title=title, meeting=meeting, button=_("Simpan"))


@requires("meetings.manage", load=find_item)
@require_POST
def move_item(request: HttpRequest, item: AgendaItem) -> HttpResponse:
    try:
        services.move_item(item, actor=request.user, up=request.POST.get("arah") == "naik")
    except ValidationError as error:
        refused(request, error)
    return redirect(reverse("meetings:detail", args=[item.meeting_id]) + "#agenda")


@requires("meetings.manage", load=find_item)
@require_POST
def drop_item(request: HttpRequest, item: AgendaItem) -> HttpResponse:
    tried(
        request,
        lambda: services.drop_item(item, actor=request.user),
        _("Pokok bahasan dikeluarkan dari agenda."),
    )
    return redirect(reverse("meetings:detail", args=[item.meeting_id]) + "#agenda")


@requires("meetings.manage", load=find_meeting)
def invite(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    waiting = Agency.objects.filter(is_active=True).exclude(invitations__meeting=meeting)
    # At first whoever the agenda concerns; with no such agency, everybody.
    concerned = waiting.filter(pk__in=meeting.agenda.values("agencies"))
    form = forms.InviteForm(request.POST or None, initial={"agencies": concerned or waiting})
    agencies: Any = form.fields["agencies"]
    agencies.queryset = waiting
    if request.method == "POST" and form.is_valid():
        invited = tried(
            request,
            lambda: services.invite(meeting, form.cleaned_data["agencies"], actor=request.user),
            lambda number: _("%(n)d perangkat daerah diundang lewat surel.") % {"n": number},
            form,
        )
        if invited:
            return redirect("meetings:detail", pk=meeting.pk)
    return form_page(
        request, form, title=_("Undang perangkat daerah"), meeting=meeting,
        note=_("Kepala perangkat daerah menerima surel berisi agenda dan berkas kalender."),
        button=_("Kirim undangan"),
    )  # fmt: skip


@requires("meetings.view", load=find_meeting)
def calendar(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    response = HttpResponse(invitations.calendar_file(meeting), content_type="text/calendar")
    response["Content-Disposition"] = f'attachment; filename="rapat-{meeting.pk}.ics"'
    return response


@requires("meetings.reply", load=find_invitation)
def reply(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Answer an invitation: come, send a delegate with a mandate, or stay away."""
    choice = request.POST.get("jawaban", "")
    posted = request.POST or None
    mandate = forms.MandateForm(
        posted if choice == "wakil" else None, instance=find_invitation(invitation.pk)
    )
    decline = forms.DeclineForm(posted if choice == "tidak" else None)
    if request.method == "POST":
        try:
            if choice == "hadir":
                services.answer(invitation, actor=request.user, attends=True)
            elif choice == "tidak" and decline.is_valid():
                services.answer(
                    invitation,
                    actor=request.user,
                    attends=False,
                    reason=decline.cleaned_data["reason"],
                )
            elif choice == "wakil" and mandate.is_valid():
                values = mandate.cleaned_data
                services.delegate(
                    invitation,
                    actor=request.user,
                    name=values["delegate_name"],
                    position=values["delegate_position"],
                    scope=values["mandate_scope"],
                    items=values["mandate_items"],
                    limits=values["mandate_limits"],
                )
            else:
                raise ValidationError(_("Lengkapi jawaban Anda."))
        except ValidationError as error:
            refused(request, error, mandate if choice == "wakil" else None)
        else:
            messages.success(request, _("Jawaban Anda tersimpan."))
            return redirect("meetings:reply", pk=invitation.pk)
    context = {
        "invitation": find_invitation(invitation.pk),
        "mandate": mandate,
        "decline": decline,
        "choice": choice,
        "is_head": request.user.role == Role.AGENCY_HEAD,  # type: ignore[union-attr]
        "is_open": invitation.meeting.state == MeetingState.INVITED,
    }
    return render(request, "meetings/reply.html", context)


@requires("meetings.sign_mandate", load=find_invitation)
@require_POST
def sign_mandate(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    tried(
        request,
        lambda: services.sign_mandate(invitation, actor=request.user),
        _("Mandat ditandatangani."),
    )
    return redirect("meetings:reply", pk=invitation.pk)


def _language_of(request: HttpRequest) -> AbstractContextManager[None]:
    """Speak the language that a paper is asked for in (``?bahasa=``).

    Official papers are in Indonesian (UU 24/2009) unless somebody asks for another language.
    """
    asked = request.GET.get("bahasa", "")
    return translation.override(asked if asked in dict(settings.LANGUAGES) else "id")


@requires("meetings.reply", load=find_invitation)
def mandate_letter(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if invitation.reply != Reply.DELEGATE:
        messages.error(request, _("Belum ada mandat pada undangan ini."))
        return redirect("meetings:reply", pk=invitation.pk)
    with _language_of(request):
        content = paper.mandate_letter(invitation)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="mandat-{invitation.pk}.pdf"'
    return response


@requires("meetings.give_input", load=find_meeting)
@require_POST
def give_input(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    if request.user.agency_id is None:  # type: ignore[union-attr]
        raise PermissionDenied("meetings.give_input")
    form = forms.InputForm(meeting, request.POST)
    if form.is_valid():
        tried(
            request,
            lambda: services.give_input(
                meeting,
                actor=request.user,
                text=form.cleaned_data["text"],
                item=form.cleaned_data["item"],
            ),
            _("Masukan tersimpan dan terlihat oleh semua yang diundang."),
        )
    else:
        messages.error(request, _("Tulis masukannya dulu."))
    return redirect(reverse("meetings:detail", args=[meeting.pk]) + "#agenda")


@requires("meetings.manage", load=find_meeting)
@require_POST
def open_meeting(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    tried(
        request,
        lambda: services.open_meeting(meeting, actor=request.user),
        _("Rapat dimulai. Tampilkan kode QR agar yang hadir mengisi kehadirannya."),
    )
    return redirect("meetings:detail", pk=meeting.pk)


@requires("meetings.manage", load=find_meeting)
def code(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """The code on the wall, drawn anew every minute."""
    if meeting.state != MeetingState.RUNNING:
        messages.error(request, _("Kode kehadiran hanya ada selama rapat berlangsung."))
        return redirect("meetings:detail", pk=meeting.pk)
    path = reverse("meetings:check_in", args=[services.check_in_token(meeting)])
    target = io.BytesIO()
    qrcode.make(
        request.build_absolute_uri(path), image_factory=qrcode.image.svg.SvgPathImage, border=1
    ).save(target)
    context = {
        "meeting": meeting,
        "qr": base64.b64encode(target.getvalue()).decode(),
        "attendances": list(meeting.attendances.select_related("agency").order_by("-arrived_at")),
        "quorum": queries.quorum(meeting),
        "path": path,
    }
    is_partial = request.headers.get("HX-Request") == "true"
    return render(request, "meetings/_code.html" if is_partial else "meetings/code.html", context)


@public
def check_in(request: HttpRequest, token: str) -> HttpResponse:
    """Where the code on the wall leads: one tap with an account, a short form without."""
    try:
        meeting = services.meeting_of_token(token)
    except ValidationError as error:
        problem = {"problem": " ".join(error.messages)}
        return render(request, "meetings/check_in.html", problem, status=410)
    user = request.user if request.user.is_authenticated else None
    form = forms.GuestForm(request.POST or None)
    if request.method == "POST" and (user is not None or form.is_valid()):
        try:
            values = {} if user is not None else form.cleaned_data
            code = request.POST.get("mandate_code", "") if user is not None else ""
            made = services.check_in(meeting, user=user, **({"mandate_code": code} | values))
        except ValidationError as error:
            refused(request, error, None if user is not None else form)
        else:
            return render(
                request, "meetings/check_in.html", {"meeting": meeting, "attendance": made}
            )
    earlier = meeting.attendances.filter(user=user).first() if user is not None else None
    context = {"meeting": meeting, "form": form, "attendance": earlier}
    return render(request, "meetings/check_in.html", context)


@requires("meetings.manage", load=find_meeting)
def add_attendance(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """The secretariat enters somebody without a telephone."""
    form = forms.AttendanceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        recorded = tried(
            request,
            lambda: services.check_in(
                meeting, **form.cleaned_data, by_qr=False, recorded_by=request.user
            ),
            _("Kehadiran dicatat."),
            form,
        )
        if recorded:
            return redirect("meetings:detail", pk=meeting.pk)
    return form_page(request, form, title=_("Catat kehadiran"), meeting=meeting, button=_("Catat"))


@requires("meetings.manage", load=find_attendance)
@require_POST
def remove_attendance(request: HttpRequest, attendance: Attendance) -> HttpResponse:
    tried(
        request,
        lambda: services.remove_attendance(attendance, actor=request.user),
        _("Kehadiran dihapus."),
    )
    return redirect("meetings:detail", pk=attendance.meeting_id)


@requires("meetings.manage", load=find_meeting)
def close(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    form = forms.CloseForm(request.POST or None, initial={"notes": meeting.notes})
    if (
        request.method == "POST"
        and form.is_valid()
        and tried(
            request,
            lambda: services.close_meeting(
                meeting, actor=request.user, notes=form.cleaned_data["notes"]
            ),
            _("Rapat ditutup. Notulen siap diunduh."),
        )
    ):
        return redirect("meetings:detail", pk=meeting.pk)
    return form_page(
        request, form, title=_("Tutup rapat"), meeting=meeting, button=_("Tutup rapat"),
        note=_("Tindak lanjut yang belum selesai masuk dengan sendirinya ke agenda rapat berikut."),
    )  # fmt: skip


@requires("meetings.view", load=find_meeting)
def minutes_pdf(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    with _language_of(request):
        content = paper.minutes_pdf(meeting)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="notulen-{meeting.pk}.pdf"'
    return response


@requires("meetings.view", load=find_meeting)
def minutes_docx(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    with _language_of(request):
        content = paper.minutes_docx(meeting)
    response = HttpResponse(
        content,
        content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    )
    response["Content-Disposition"] = f'attachment; filename="notulen-{meeting.pk}.docx"'
    return response


@requires("meetings.view")
def turnout(request: HttpRequest) -> HttpResponse:
    """Who came, heads against delegates, over the last meetings."""
    rows = queries.turnouts()
    chart = None
    if len(rows) > 1:
        chart = trend(
            "kehadiran",
            _("Kepala dan wakil yang hadir"),
            [_("Kepala"), _("Wakil bermandat"), _("Wakil tanpa mandat"), _("Tidak hadir")],
            [
                (t.meeting.starts_at.date(), (t.heads, t.mandated, t.unmandated, t.absent))
                for t in rows
            ],
            date=_("Rapat"),
            value=_("Perangkat daerah"),
        )
    context = {
        "turnouts": rows,
        "chart": chart,
        "page": page_of(request, queries.turnout_by_agency()),
    }
    return render(request, "meetings/turnout.html", context)
