from __future__ import annotations

import datetime as dt
import io
import random
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from guyub.reports import history, services
from guyub.reports.attachments import DOCX, PDF, XLSX, AttachmentError
from guyub.reports.models import ReportEvent, ReportState, Step
from guyub.reports.services import ConflictError, Figures, ReportError

from .conftest import BUDGET, accepted, figures, photo

pytestmark = pytest.mark.django_db


def take(step: Step, report: Any, user: Any, physical: int = 10) -> Any:
    given = {"version": report.version, "actor": user}
    if step is Step.SAVED:
        return services.save_draft(report, figures=figures(physical), **given)
    if step is Step.SUBMITTED:
        return services.submit(report, figures=figures(physical), **given)
    if step is Step.CORRECTED:
        return services.correct(report, figures=figures(physical), reason="Salah hitung", **given)
    if step is Step.RETURNED:
        return services.send_back(report, remark="Lengkapi uraian", **given)
    return services.accept(report, **given)


# The rules written out a second time: state -> step -> state.
RULES = {
    "missing": {Step.SAVED: "draft", Step.SUBMITTED: "submitted"},
    "draft": {Step.SAVED: "draft", Step.SUBMITTED: "submitted"},
    "submitted": {Step.RETURNED: "returned", Step.ACCEPTED: "accepted"},
    "returned": {Step.SAVED: "returned", Step.SUBMITTED: "submitted"},
    "accepted": {Step.CORRECTED: "submitted"},
}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(list(Step)), max_size=8))
def test_steps_lead_where_the_rules_say(report: Any, operator: Any, steps: list[Step]) -> None:
    with transaction.atomic():
        state, physical, taken = "missing", 10, 0
        current = report
        for step in steps:
            physical += 1
            target = RULES[state].get(step)
            if target is None:
                with pytest.raises(ReportError):
                    take(step, current, operator, physical)
            else:
                current = take(step, current, operator, physical)
                state, taken = target, taken + 1
            current.refresh_from_db()
            assert current.state == state
        assert current.events.count() == taken
        assert current.version == taken
        assert (current.first_submitted_at is not None) == any(
            e.step == Step.SUBMITTED for e in current.events.all()
        )
        transaction.set_rollback(True)


def test_a_correction_keeps_what_was_accepted(report: Any, operator: Any, secretary: Any) -> None:
    report = accepted(report, figures("10", 40_000_000), operator, secretary)
    first = report.first_submitted_at

    report = services.correct(
        report,
        version=report.version,
        figures=figures("12,5".replace(",", "."), 40_000_000),
        reason="Volume dihitung ulang",
        actor=operator,
    )

    assert report.state == ReportState.SUBMITTED
    assert report.first_submitted_at == first
    assert report.accepted_at is None
    newest = history.of(report)[0]
    assert newest.event.remark == "Volume dihitung ulang"
    assert [(c.label, c.old, c.new) for c in newest.changes] == [("Fisik", "10%", "12,5%")]
    old = ReportEvent.objects.get(report=report, step=Step.ACCEPTED)
    assert Figures.from_json(old.values) == figures("10", 40_000_000)


def test_a_correction_needs_a_reason_and_a_change(
    report: Any, operator: Any, secretary: Any
) -> None:
    report = accepted(report, figures(), operator, secretary)
    with pytest.raises(ValidationError):
        services.correct(
            report, version=report.version, figures=figures("20"), reason=" ", actor=operator
        )
    with pytest.raises(ReportError):
        services.correct(
            report, version=report.version, figures=figures(), reason="Sama", actor=operator
        )


def test_of_two_who_edit_the_second_is_told_who_was_first(
    report: Any, operator: Any, make_user: Any
) -> None:
    other = make_user("agency_operator", full_name="Sri Rahayu")
    services.save_draft(report, version=0, figures=figures("10"), actor=other)

    with pytest.raises(ConflictError, match="Sri Rahayu"):
        services.save_draft(report, version=0, figures=figures("11"), actor=operator)

    report.refresh_from_db()
    assert report.physical == Decimal(10)


def test_saving_the_same_twice_leaves_one_step(report: Any, operator: Any) -> None:
    report = services.save_draft(report, version=0, figures=figures(), actor=operator)
    services.save_draft(report, version=report.version, figures=figures(), actor=operator)

    assert report.events.count() == 1


def test_returning_needs_a_remark(report: Any, operator: Any, secretary: Any) -> None:
    report = services.submit(report, version=0, figures=figures(), actor=operator)
    with pytest.raises(ValidationError):
        services.send_back(report, version=report.version, remark="  ", actor=secretary)


def test_a_report_is_not_handed_in_before_its_period_is_over(report: Any, operator: Any) -> None:
    with pytest.raises(ReportError, match="31/03/2025"):
        services.submit(
            report, version=0, figures=figures(), actor=operator, today=dt.date(2025, 3, 30)
        )
    services.submit(
        report, version=0, figures=figures(), actor=operator, today=dt.date(2025, 3, 31)
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Figures(), "physical"),
        (figures(narrative=" "), "narrative"),
        (figures("100", BUDGET + 1), "budget"),
        (figures("5"), "physical"),
        (figures("20", 1), "budget"),
    ],
)
def test_what_is_missing_or_odd_is_said_beside_its_field(
    scheduled: Any, operator: Any, secretary: Any, given: Figures, field: str
) -> None:
    first, second = scheduled().reports.order_by("period_end")[:2]
    accepted(first, figures("10", 40_000_000), operator, secretary)

    with pytest.raises(ValidationError) as caught:
        services.submit(second, version=0, figures=given, actor=operator)

    assert field in caught.value.message_dict


def test_an_explanation_lets_figures_fall_or_pass_the_budget(
    scheduled: Any, operator: Any, secretary: Any
) -> None:
    first, second = scheduled().reports.order_by("period_end")[:2]
    accepted(first, figures("10", 40_000_000), operator, secretary)

    report = services.submit(
        second,
        version=0,
        figures=figures("5", BUDGET + 1, explanation="Pengukuran ulang; ada tambahan anggaran."),
        actor=operator,
    )

    assert report.state == ReportState.SUBMITTED


def test_figures_out_of_range_are_refused_even_in_a_draft(report: Any, operator: Any) -> None:
    with pytest.raises(ValidationError):
        services.save_draft(report, version=0, figures=figures("100.01"), actor=operator)


# Files


def document(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return out.getvalue()


def upload(content: bytes, name: str = "berkas.bin") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/octet-stream")


def attach(report: Any, user: Any, *files: Any) -> Any:
    return services.save_draft(
        report, version=report.version, figures=Figures.of(report), files=files, actor=user
    )


def test_a_photo_is_drawn_anew(report: Any, operator: Any) -> None:
    attach(report, operator, photo("../../rumah.PNG", (4000, 200)))

    kept = report.attachments.get()
    content = kept.file.read()
    assert kept.name == "rumah.jpg"
    assert kept.media_type == "image/jpeg"
    assert b"KAMERA-RAHASIA" not in content
    assert Image.open(io.BytesIO(content)).width == 1600


@pytest.mark.parametrize(
    ("content", "media_type", "name"),
    [
        (b"%PDF-1.7 ...", PDF, "nota.pdf"),
        (document("[Content_Types].xml", "xl/workbook.xml"), XLSX, "nota.xlsx"),
        (document("[Content_Types].xml", "word/document.xml"), DOCX, "nota.docx"),
    ],
)
def test_documents_are_known_by_their_content(
    report: Any, operator: Any, content: bytes, media_type: str, name: str
) -> None:
    attach(report, operator, upload(content, "nota.exe"))

    kept = report.attachments.get()
    assert (kept.media_type, kept.name) == (media_type, name)


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script>",
        b"MZ\x90\x00",
        b"",
        b"\xff\xd8\xff" + bytes(100),
        b"PK\x03\x04 damaged",
        document("mimetype", "content.xml"),
        document("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_other_files_are_refused_whatever_they_are_called(
    report: Any, operator: Any, content: bytes
) -> None:
    with pytest.raises(AttachmentError):
        attach(report, operator, photo(), upload(content, "foto.jpg"))

    # The good one beside it isn't kept either, so that one may simply try again.
    assert not report.attachments.exists()


def test_there_is_an_end_to_files(report: Any, operator: Any) -> None:
    report = attach(report, operator, *[photo() for _n in range(12)])
    with pytest.raises(AttachmentError):
        attach(report, operator, upload(b"%PDF-1.7", "nota.pdf"))


def test_a_file_sent_once_more_is_there_once(report: Any, operator: Any) -> None:
    # As by somebody whose first answer was lost, so that the report has moved on since.
    report = attach(report, operator, photo(), upload(b"%PDF-1.7 a", "nota.pdf"))
    report = attach(report, operator, photo(), upload(b"%PDF-1.7 b", "nota.pdf"))

    assert report.attachments.count() == 3


def test_files_of_a_report_under_review_stay(report: Any, operator: Any) -> None:
    report = services.submit(report, version=0, figures=figures(), files=[photo()], actor=operator)
    with pytest.raises(ReportError):
        services.remove_attachment(report.attachments.get(), actor=operator)


def test_random_bytes_are_never_taken(report: Any, operator: Any) -> None:
    source = random.Random(1)
    for _n in range(30):
        with pytest.raises(AttachmentError):
            attach(report, operator, upload(source.randbytes(source.randrange(1, 400))))
