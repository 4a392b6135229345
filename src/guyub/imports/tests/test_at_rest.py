"""No NIK and no KK number lies in the database or the data folder for others to read."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import duckdb
import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import connection

from guyub.access import rekeying
from guyub.access.sealing import seal, unseal
from guyub.audit.models import Event
from guyub.beneficiaries import batches
from guyub.beneficiaries.models import BatchKind
from guyub.checks import check_data_key
from guyub.datasets import store
from guyub.imports import services
from guyub.imports.folder import RunFolder
from guyub.imports.models import ImportRun
from guyub.imports.queries import rejections
from guyub.imports.reading import sample_of
from guyub.imports.resealing import reseal_everything
from guyub.proposals.models import Proposal
from guyub.registry.models import Household, Person, ValueChange
from guyub.registry.services import edit_household

from .conftest import MAN, NEIGHBOUR, WOMAN, changed

NEW_KK, OTHER_KK = "3302010101010077", "3302010101010088"
PROPOSED = "3302014507900007"
STRANGER = "3302011203850066"
NUMBERS = (
    MAN[0], WOMAN[0], NEIGHBOUR[0], MAN[1], NEIGHBOUR[1], NEW_KK, OTHER_KK, PROPOSED, STRANGER,
)  # fmt: skip
REKEYED = "a new data key of fifty letters, as production asks"


@pytest.fixture
def data(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def filled(data, importing, village, make_sub_activity, make_user, make_agency):
    """An installation in which each kind of thing that holds a number has happened."""
    importing(
        [MAN, WOMAN, changed(NEIGHBOUR, No_KK=""), MAN, changed(NEIGHBOUR, NIK="33020105127000")]
    )
    importing(
        [changed(MAN, No_KK=NEW_KK), changed(WOMAN, No_KK=NEW_KK), NEIGHBOUR],
        as_of=dt.date(2026, 4, 1),
    )
    waiting = importing([changed(MAN, Desil="4")], as_of=dt.date(2026, 5, 1), apply=False)
    edit_household(
        Household.objects.get(kk=NEIGHBOUR[1]),
        {"kk": OTHER_KK},
        as_of=dt.date(2026, 5, 2),
        actor=None,
    )
    Proposal.objects.create(
        village=village, head_name="WAGIYEM", nik=PROPOSED, kk=NEW_KK, kind="add",
        reason_kind="poor", reason="Rumah roboh",
    )  # fmt: skip
    batches.take_file(
        make_sub_activity(), BatchKind.ENROL_FILE, file_name="nik.csv", actor=make_user("secretariat"),
        chunks=[f"NIK;Catatan\n{MAN[0]};ada\n{STRANGER};tidak ada\n".encode()], wish={},
    )  # fmt: skip
    from django.core.files.storage import default_storage

    default_storage.save("photos/1/kk.jpg", ContentFile(f"KK {NEW_KK}".encode()))
    return waiting


def database() -> bytes:
    """Return everything the database holds, as it is stored."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return connection.connection.serialize()
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            with cursor.cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                found += [bytes(block) for block in copy]
    return b"".join(found)


def in_the_clear(data: Path) -> set[str]:
    """Return where a number lies in the clear: below the data folder, Parquet files opened too."""
    found = set()
    content = database()
    found |= {f"database: {number}" for number in NUMBERS if number.encode() in content}
    for path in data.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if content.startswith(b"PAR1"):
            with duckdb.connect() as db:
                content = repr(db.execute(f"FROM read_parquet('{path}')").fetchall()).encode()
        elif zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(path) as book:
                content = b"".join(book.read(name) for name in book.namelist())
        found |= {f"{path.relative_to(data)}: {n}" for n in NUMBERS if n.encode() in content}
    return found


def test_nothing_lies_in_the_clear(filled, data, settings):
    assert Person.objects.count() == 3
    assert ValueChange.objects.filter(field="kk").count() == 2
    assert list(data.glob("datasets/*/2.parquet"))
    assert list(data.glob("batches/*/rejected.parquet"))
    assert list(data.glob("imports/*/source.bin"))
    assert in_the_clear(data) == set()
    reads_as_before()
    # What looks for numbers does see one.
    (data / "lupa.txt").write_text(MAN[0])
    Person.objects.filter(nik=MAN[0]).update(name=WOMAN[0])
    assert in_the_clear(data) == {f"lupa.txt: {MAN[0]}", f"database: {WOMAN[0]}"}


def reads_as_before() -> None:
    assert set(Person.objects.values_list("nik", flat=True)) == {MAN[0], WOMAN[0], NEIGHBOUR[0]}
    assert {row[0] for row in store.read_rows(store.version_path("dtsen", 2), ["nik", "kk"])} == {
        MAN[0], WOMAN[0], NEIGHBOUR[0],
    }  # fmt: skip
    first = ImportRun.objects.order_by("pk").first()
    assert {fault.value for fault in rejections(first, 0, 9)} >= {MAN[0]}
    assert sample_of(first.layout)[0][0] == MAN[0]
    changes = ValueChange.objects.filter(field="kk").order_by("pk")
    assert [(unseal(change.old), unseal(change.new)) for change in changes] == [
        ("", NEIGHBOUR[1]), (NEIGHBOUR[1], OTHER_KK),
    ]  # fmt: skip


def unsealed(data: Path) -> None:
    """Put the installation back to how it was before numbers were sealed."""
    from guyub.access.sealed_files import opened
    from guyub.imports.resealing import COLUMNS, WHOLE, files_of

    places = [
        *rekeying.sealed_columns(),
        ("registry_valuechange", "old"),
        ("registry_valuechange", "new"),
    ]
    with connection.cursor() as cursor:
        for table, column in places:
            cursor.execute(f"SELECT id, {column} FROM {table}")
            for key, text in cursor.fetchall():
                if text.startswith("s"):
                    cursor.execute(
                        f"UPDATE {table} SET {column} = %s WHERE id = %s", [unseal(text), key]
                    )
    for label in ("imports.ImportRun", "beneficiaries.Batch"):
        for record in apps.get_model(label).objects.all():
            record.layout["sample"] = sample_of(record.layout)
            record.save(update_fields=["layout"])
    for path in files_of(WHOLE):
        with opened(path) as clear:
            content = clear.read_bytes()
        path.write_bytes(content)
    for path in files_of(COLUMNS):
        with duckdb.connect() as db:
            names = [
                row[0] for row in db.execute(f"DESCRIBE FROM read_parquet('{path}')").fetchall()
            ]
            rows = db.execute(f"FROM read_parquet('{path}')").fetchall()
            sealed = {n: unseal(v) for row in rows for n, v in [(row[i], row[i]) for i in range(len(names))]
                      if isinstance(n, str) and n.startswith("s") and len(n) == 35}  # fmt: skip
            db.execute(f"CREATE TABLE t AS FROM read_parquet('{path}')")
            for text, number in sealed.items():
                for name in set(names) & {"nik", "kk"}:
                    db.execute(f"UPDATE t SET {name} = ? WHERE {name} = ?", [number, text])
            db.execute(f"COPY t TO '{path}' (FORMAT parquet)")


def test_an_installation_from_before_is_sealed_and_goes_on(filled, data):
    unsealed(data)
    assert len(in_the_clear(data)) > 10
    # Broken off after the first batch, then run again.
    assert (
        rekeying.reseal_column(
            "registry_person", "nik", "id = (SELECT MIN(id) FROM registry_person)"
        )
        == 1
    )
    done = reseal_everything()
    assert done["registry_person.nik"] == 2
    assert in_the_clear(data) == set()
    assert Event.objects.filter(action="imports.data.rekey").exists()
    assert not any(reseal_everything().values())
    run = services.work(services.approve(ImportRun.objects.get(pk=filled.pk), None).pk)
    assert (run.state, run.counts["changed"], run.counts["new_people"]) == ("done", 1, 0)


def test_keys_are_changed(filled, data, settings):
    old = seal(MAN[0])
    settings.OLD_DATA_KEYS, settings.DATA_KEY = [settings.DATA_KEY], REKEYED
    assert unseal(old) == MAN[0]
    reseal_everything()
    settings.OLD_DATA_KEYS = []
    assert not check_data_key(databases=["default"])
    assert Person.objects.get(nik=MAN[0]).nik == MAN[0]
    assert len(list(store.read_rows(store.version_path("dtsen", 1), ["nik"]))) == 3
    assert rejections(ImportRun.objects.order_by("pk").first(), 0, 9)
    settings.DATA_KEY = "yet another key of fifty letters, which opens nothing"
    (found,) = check_data_key(databases=["default"])
    assert "registry_person.nik" in str(found.msg)
    assert RunFolder(filled.pk).staged.exists()
