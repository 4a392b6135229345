"""A process that dies while a file comes in leaves no row without its file; the file goes in time."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from guyub.beneficiaries.batches import take_file
from guyub.beneficiaries.models import Batch, BatchKind
from guyub.imports import services as imports
from guyub.imports.models import ImportRun
from guyub.imports.tests.conftest import MAN, csv_bytes
from guyub.linking import services as linking
from guyub.linking.models import LinkRun
from guyub.operations import strays
from guyub.registry.models import Photo

PLACES = {ImportRun: "imports", LinkRun: "linking", Batch: "batches"}


@pytest.fixture
def doors(make_agency: Any, make_dataset: Any, make_sub_activity: Any) -> dict[Any, Callable]:
    """The doors by the model of the row that speaks of the file; each is given its chunks."""
    dataset, record, agency = make_dataset(), make_sub_activity(), make_agency()
    return {
        ImportRun: lambda chunks: imports.start(
            dataset, as_of=dt.date(2026, 1, 1), file_name="a.csv", chunks=chunks, actor=None
        ),
        LinkRun: lambda chunks: linking.start_file(
            agency, title="", file_name="a.csv", chunks=chunks, actor=None
        ),
        Batch: lambda chunks: take_file(
            record, BatchKind.ENROL_FILE, file_name="a.csv", chunks=chunks, actor=None
        ),
    }


@pytest.mark.parametrize("model", PLACES, ids=lambda model: model.__name__)
def test_no_row_speaks_of_a_file_that_is_still_coming_in(doors: Any, model: Any):
    there_meanwhile = []

    def chunks() -> Iterator[bytes]:
        content = csv_bytes([MAN])
        yield content[:40]
        there_meanwhile.append(model.objects.exists())
        yield content[40:]

    row = doors[model](chunks())
    assert there_meanwhile == [False]
    folder = Path(settings.DATA_DIR) / PLACES[model]
    assert (folder / str(row.pk) / "source.bin").exists()
    assert not list(folder.glob("masuk-*"))


@pytest.mark.parametrize("model", PLACES, ids=lambda model: model.__name__)
def test_a_file_that_breaks_off_leaves_nothing(doors: Any, model: Any):
    def chunks() -> Iterator[bytes]:
        yield b"NIK;Nama\n"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        doors[model](chunks())
    assert not model.objects.exists()
    assert not list((Path(settings.DATA_DIR) / PLACES[model]).glob("masuk-*"))


def aged(path: Path, days: float) -> Path:
    moment = time.time() - days * 86_400
    for each in (*path.rglob("*"), path):
        os.utime(each, (moment, moment))
    return path


def test_files_without_a_row_go_after_a_day(doors: Any, make_household: Any, make_user: Any):
    from django.core.files.base import ContentFile

    root = Path(settings.DATA_DIR)
    strays.remove(dt.timedelta(0))  # what other tests left
    run = doors[ImportRun]([csv_bytes([MAN])])
    kept = Photo.objects.create(
        household=make_household(), file=ContentFile(b"a", "a.jpg"), added_by=make_user("regent")
    )
    lost = [
        root / "media" / "photos" / "9" / "lost.jpg",
        root / "datasets" / "dtsen" / "7.parquet",
        root / "datasets" / "dtsen" / "8.part",
    ]
    for path in lost:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    folders = [root / "imports" / "masuk-aa", root / "batches" / "999999", root / "survey-x1"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "source.bin").write_bytes(b"x")
    mine = [Path(settings.MEDIA_ROOT) / kept.file.name, root / "imports" / str(run.pk)]
    assert strays.find() == []  # all of it may still get its row
    for path in (*lost, *folders, *mine):
        aged(path, 2)
    assert strays.find() == sorted([*lost, *folders])
    assert strays.remove() == 6
    assert not any(path.exists() for path in (*lost, *folders))
    assert all(path.exists() for path in mine)
