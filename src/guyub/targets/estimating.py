"""Writing estimates of poverty: from a survey file, and from the registry.

A survey file is uploaded, its columns are matched, and then it is measured. The rows themselves are
thrown away once measured: what stays is the result, the parameters and the file's digest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.audit import services as audit
from guyub.imports import reading
from guyub.imports.reading import Layout, UnreadableFileError
from guyub.targets import poverty, survey
from guyub.targets.models import Basis, Estimate
from guyub.targets.registry_measures import people_by_expenditure

DRAFTS_KEPT_FOR = dt.timedelta(days=1)


class RefusedSurveyError(Exception):
    """A survey cannot be measured; the message tells the user why and what to do."""


def folder_of(estimate: Estimate) -> Path:
    """Return where a draft's file lies."""
    return Path(settings.DATA_DIR) / "surveys" / str(estimate.pk)


def staged_rows(estimate: Estimate) -> Path:
    """Return the Parquet file of a draft's rows as text."""
    return folder_of(estimate) / "staged.parquet"


def take_survey(
    *,
    title: str,
    as_of: dt.date,
    line: Decimal,
    file_name: str,
    chunks: Iterable[bytes],
    actor: Any,
) -> Estimate:
    """Take in a survey file as a draft, with its columns matched as far as they are recognised.

    Raises:
        RefusedSurveyError: the file is too large or cannot be read; nothing is kept then.
    """
    discard_old_drafts()
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix="survey-") as scratch:
        work = Path(scratch)
        source = work / "source.bin"
        digest, size = hashlib.sha256(), 0
        with source.open("wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > settings.IMPORT_MAX_BYTES:
                    raise RefusedSurveyError(
                        _("Berkas lebih dari %(limit)s MB.")
                        % {"limit": settings.IMPORT_MAX_BYTES // (1024 * 1024)}
                    )
                digest.update(chunk)
                out.write(chunk)
        staged = work / "staged.parquet"
        try:
            layout = reading.look(source)
            rows = reading.stage(
                source, layout, staged, work, lambda *_args: None, survey.MOST_ROWS
            )
        except UnreadableFileError as error:
            raise RefusedSurveyError(str(error)) from error
        with transaction.atomic():
            estimate = Estimate.objects.create(
                title=title,
                basis=Basis.SURVEY,
                agency=actor.agency if actor is not None else None,
                as_of=as_of,
                line=line,
                file_name=Path(file_name).name[:250],
                digest=digest.hexdigest(),
                rows=rows,
                design={
                    "layout": layout.as_json(),
                    "columns": survey.recognise(layout.headings),
                },
                created_by=actor,
            )
            audit.record(
                "targets.estimate.upload",
                actor=actor,
                subject=estimate,
                detail={"rows": rows, "bytes": size, "sha256": estimate.digest},
            )
            folder = folder_of(estimate)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, mode=0o700)
            shutil.move(staged, staged_rows(estimate))
    return estimate


def read_survey(estimate: Estimate, columns: Mapping[str, int]) -> survey.Reading:
    """Check a draft's rows with ``columns`` chosen.

    Raises:
        RefusedSurveyError: the choice is amiss, or the file is no longer there.
    """
    faults = survey.mapping_faults(columns)
    if faults:
        raise RefusedSurveyError(" ".join(faults))
    path = staged_rows(estimate)
    if not path.exists():
        raise RefusedSurveyError(_("Berkas survei ini sudah dihapus. Unggah sekali lagi."))
    layout = Layout.from_json(estimate.layout())
    return survey.read(path, layout, columns, float(estimate.line))


@transaction.atomic
def choose_columns(estimate: Estimate, columns: Mapping[str, int], *, actor: Any) -> Estimate:
    """Remember which column of a draft holds what.

    Raises:
        RefusedSurveyError: it was measured already.
    """
    current = Estimate.objects.select_for_update().get(pk=estimate.pk)
    if not current.is_draft:
        raise RefusedSurveyError(_("Survei ini sudah dihitung."))
    if current.design.get("columns") != dict(columns):
        current.design = {**current.design, "columns": dict(columns)}
        current.save(update_fields=["design"])
        audit.record(
            "targets.estimate.columns",
            actor=actor,
            subject=current,
            detail={"fields": sorted(columns)},
        )
    return current


def measure_survey(estimate: Estimate, *, actor: Any) -> Estimate:
    """Measure a draft with the columns that were chosen, and throw its rows away.

    Raises:
        RefusedSurveyError: rows are amiss, or it was measured already.
    """
    columns = estimate.design.get("columns", {})
    found = read_survey(estimate, columns)
    if found.fault_count:
        raise RefusedSurveyError(
            _("%(count)s kesalahan harus diperbaiki dahulu.") % {"count": found.fault_count}
        )
    try:
        results = poverty.measure_sample(found.sample, float(estimate.line))
    except poverty.UnmeasurableError as error:
        raise RefusedSurveyError(
            _("Semua pengeluaran nol, jadi tidak ada yang bisa diukur.")
        ) from error
    sample = found.sample
    design = {
        "columns": {name: estimate.layout()["headings"][index] for name, index in columns.items()},
        "weighted": "weight" in columns,
        "strata": sample["stratum"].n_unique() if "stratum" in columns else 0,
        "units": sample.select([n for n in ("stratum", "psu") if n in columns]).n_unique()
        if "psu" in columns
        else sample.height,
        "clustered": "psu" in columns,
        "warnings": found.warnings,
    }
    with transaction.atomic():
        current = Estimate.objects.select_for_update().get(pk=estimate.pk)
        if not current.is_draft:
            raise RefusedSurveyError(_("Survei ini sudah dihitung."))
        current.design = design
        current.rows = found.households
        current.people = Decimal(str(round(found.people, 2)))
        current.results = [result.as_json() for result in results]
        current.computed_at = timezone.now()
        current.save()
        audit.record(
            "targets.estimate.measure",
            actor=actor,
            subject=current,
            detail={"households": current.rows, "line": str(current.line)},
        )
        transaction.on_commit(lambda: shutil.rmtree(folder_of(current), ignore_errors=True))
    return current


@transaction.atomic
def delete_estimate(estimate: Estimate, *, actor: Any, reason: str) -> None:
    """Remove an estimate, measured or not.

    Raises:
        ValidationError: a measured one needs a reason.
    """
    if not estimate.is_draft and not reason.strip():
        raise ValidationError({"reason": _("Tulis alasannya.")})
    audit.record(
        "targets.estimate.delete",
        actor=actor,
        subject=estimate,
        reason=reason.strip(),
        detail={"title": estimate.title, "sha256": estimate.digest},
    )
    folder = folder_of(estimate)
    estimate.delete()
    transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


@transaction.atomic
def discard_old_drafts() -> int:
    """Remove drafts that nobody finished within a day, with their files; return how many."""
    old = list(
        Estimate.objects.filter(
            computed_at__isnull=True, created_at__lt=timezone.now() - DRAFTS_KEPT_FOR
        )
    )
    for draft in old:
        delete_estimate(draft, actor=None, reason=_("Tidak diselesaikan dalam sehari"))
    return len(old)


def measure_registry(line: Decimal, *, actor: Any) -> Estimate:
    """Measure poverty in the registry itself, by district, and keep the result.

    It replaces the figure of the same day and line. Households whose expenditure is not known are left
    out and counted. The registry is no sample, so there is no standard error, and it does not hold
    everybody, so the result is no official figure.

    Raises:
        RefusedSurveyError: no household's expenditure is known.
    """
    found = people_by_expenditure()
    try:
        results = poverty.measure_list(found.people, float(line))
    except poverty.UnmeasurableError as error:
        raise RefusedSurveyError(
            _("Belum ada keluarga di registri yang pengeluarannya diketahui.")
        ) from error
    today = timezone.localdate()
    # Reading takes some seconds in a large registry; nobody waits for them to write.
    with transaction.atomic():
        estimate, _created = Estimate.objects.update_or_create(
            basis=Basis.REGISTRY,
            as_of=today,
            line=line,
            defaults={
                "title": _("Keluarga dalam registri, %(date)s") % {"date": f"{today:%d/%m/%Y}"},
                "rows": found.households,
                "people": Decimal(found.members),
                "design": {"without_expenditure": found.without_expenditure},
                "results": [result.as_json() for result in results],
                "created_by": actor,
                "computed_at": timezone.now(),
            },
        )
        audit.record(
            "targets.estimate.registry",
            actor=actor,
            subject=estimate,
            detail={"households": found.households, "line": str(line)},
        )
    return estimate
