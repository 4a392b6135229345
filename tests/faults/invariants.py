"""What must hold whatever was killed, once all have come to rest."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

NOW = dt.timedelta(0)


def at_rest() -> bool:
    """Tell whether no run is worked on and no job is due or being done."""
    from django_tasks_db.models import DBTaskResult

    from guyub.imports.models import WORKING, ImportRun

    return not (
        DBTaskResult.objects.ready().exists()  # those for later are left out
        or DBTaskResult.objects.filter(status="RUNNING").exists()
        or ImportRun.objects.filter(state__in=WORKING).exists()
    )


def check() -> Iterator[str]:
    """Yield what is wrong after a round."""
    from django_tasks_db.models import DBTaskResult

    from guyub.audit.queries import verify_chain
    from guyub.datasets.models import Version
    from guyub.datasets.store import version_path
    from guyub.imports.folder import RunFolder
    from guyub.imports.models import ImportRun, State
    from guyub.operations.restore import missing_files

    verdict = verify_chain()
    if not verdict.is_sound:
        yield f"the audit log is broken at {verdict.sequence}: {verdict.fault}"
    for task in DBTaskResult.objects.filter(status="FAILED"):
        yield f"a job failed: {task.task_path} {task.exception_class_path}"
    if missing := missing_files():
        yield f"{missing} rows without their file"
    for run in ImportRun.objects.exclude(state=State.CANCELLED):
        if not run.layout or not RunFolder(run.pk).source(".bin").exists():
            yield f"import {run.pk} has no file"
    for version in Version.objects.select_related("dataset"):
        if not version_path(version.dataset.code, version.number).exists():
            yield f"version {version.number} has no file"
    numbers = list(Version.objects.order_by("number").values_list("number", flat=True))
    if numbers != list(range(1, len(numbers) + 1)):
        yield "versions are not numbered one by one"
    yield from _registry()


def _registry() -> Iterator[str]:
    from django.db.models import Count, F, Q

    from guyub.audit.models import Event
    from guyub.imports.models import ImportRun, State
    from guyub.reconciliation.models import Merge
    from guyub.registry.models import Household

    active = Count("members", Q(members__status="active"))
    off = Household.objects.annotate(active=active).exclude(member_count=F("active"))
    for home in off[:3]:
        yield f"household {home.pk} counts {home.member_count} members, has {home.active}"
    noted = Counter(
        Event.objects.filter(
            action__in=("imports.run.apply", "reconciliation.merge.households")
        ).values_list("action", "subject_id")
    )
    if noted and max(noted.values()) > 1:
        yield f"noted twice in the audit log: {noted.most_common(1)[0][0]}"
    done = ImportRun.objects.filter(state=State.DONE).count()
    merged = Merge.objects.filter(kind="h").count()
    found = Counter(action for action, _subject in noted)
    if (found["imports.run.apply"], found["reconciliation.merge.households"]) != (done, merged):
        yield f"{done} imports and {merged} merges done, noted {dict(found)}"


def check_thoroughly() -> Iterator[str]:
    """Yield what is wrong with search keys, counts, the database's own structure, and stray files."""
    from django.db import connection, transaction

    from guyub.operations import strays
    from guyub.registry import bulk
    from guyub.registry.models import AreaCount, Person, PersonKey
    from guyub.registry.names import keys_of

    expected = {
        (key, person.household.village_id, person.pk)
        for person in Person.objects.filter(merged_into=None).select_related("household")
        for key in keys_of(person.name)
    }
    if set(PersonKey.objects.values_list("key", "village_id", "person_id")) != expected:
        yield "search keys differ from the names"

    def counts() -> set[tuple[Any, ...]]:
        columns = ("village_id", "desil", "households", "people", "extreme_households")
        return set(AreaCount.objects.filter(households__gt=0).values_list(*columns))

    with transaction.atomic():
        before = counts()
        bulk.recount_areas()
        if counts() != before:
            yield "counts of areas differ from the households"
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            yield from (
                str(row) for row in cursor.execute("PRAGMA integrity_check") if row != ("ok",)
            )
        else:
            cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'")
            if cursor.fetchone():
                cursor.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
                cursor.execute(
                    "SELECT bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON "
                    "c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' "
                    "AND c.relnamespace = 'public'::regnamespace AND c.relpersistence = 'p'"
                )
    yield from _broken_references()
    strays.remove(NOW)
    if left := strays.find(NOW):
        yield f"files without a row: {left[:3]}"


def _broken_references() -> Iterator[str]:
    """Yield the foreign keys that lead nowhere, whatever the database thinks of them."""
    from django.apps import apps
    from django.db import connection

    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.concrete_fields:
                if field.remote_field is None or not model._meta.managed:
                    continue
                target = field.remote_field.model._meta
                there = field.target_field.column
                cursor.execute(
                    f'SELECT COUNT(*) FROM "{model._meta.db_table}" a LEFT JOIN "{target.db_table}" b '
                    f'ON a."{field.column}" = b."{there}" '
                    f'WHERE a."{field.column}" IS NOT NULL AND b."{there}" IS NULL'
                )
                if count := cursor.fetchone()[0]:
                    yield f"{count} rows of {model._meta.label} lead nowhere by {field.name}"


def count_strays() -> int:
    """Return how many files no row speaks of: harmless, and deleted by ``guyub daily``."""
    from guyub.operations import strays

    return len(strays.find(NOW))
