"""Figures for Prometheus: counted as requests pass, or read when they are asked for.

Each process of the server counts into files of ``PROMETHEUS_MULTIPROC_DIR``, which ``guyub serve`` names,
and whichever process is asked adds them up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from guyub.operations import health
from guyub.operations.models import Sign
from guyub.registry.models import Household

CONTENT_TYPE = CONTENT_TYPE_LATEST
KEEP_SECONDS = 300  # what counts much of the registry is counted anew so often

_here = CollectorRegistry()
DURATION = Histogram(
    "guyub_request_duration_seconds",
    "Time until the answer began, by name of the route",
    ["route", "method"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_here,
)
ANSWERS = Counter(
    "guyub_responses", "Answers by status", ["route", "method", "status"], registry=_here
)
LIMITED = Counter("guyub_limited", "Requests refused by a rate limit", ["limit"], registry=_here)


def database_size() -> int:
    """Return the bytes that the database takes up on disk."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])


def _households() -> int:
    return int(
        cache.get_or_set(
            "guyub.metrics.households",
            lambda: Household.objects.filter(status="active").count(),
            KEEP_SECONDS,
        )
        or 0
    )


class Readings(Collector):
    """What is read from the database and the disk at the moment of asking."""

    def collect(self) -> Iterator[Any]:
        waiting = GaugeMetricFamily("guyub_queue_jobs", "Jobs by state", labels=["status"])
        counts = dict(
            DBTaskResult.objects.order_by().values_list("status").annotate(count=Count("pk"))
        )
        for status in TaskResultStatus:
            waiting.add_metric([status.value.lower()], counts.get(status.value, 0))
        yield waiting
        yield self._one(
            "queue_age_seconds", "Age of the oldest waiting job", health.queue_age().total_seconds()
        )
        yield self._one("database_size_bytes", "Size of the database", database_size())
        yield self._one("households_active", "Active households in the registry", _households())
        states = GaugeMetricFamily(
            "guyub_check", "1 good, 0.5 needs attention, 0 bad", labels=["check"]
        )
        value_of = {health.GOOD: 1.0, health.WARN: 0.5, health.BAD: 0.0}
        for check in health.checks():
            states.add_metric([check.key], value_of[check.state])
            if check.key == "folder" and check.value is not None:
                yield self._one("disk_free_bytes", "Space left for the data folder", check.value)
        yield states
        now = timezone.now()
        newest = health.last_backup()
        if newest is not None:
            age = (now - newest.started_at).total_seconds()
            yield self._one("backup_age_seconds", "Age of the newest backup", age)
            yield self._one("backup_size_bytes", "Size of the newest backup", newest.size)
        seen = GaugeMetricFamily(
            "guyub_seen_age_seconds", "Time since the nightly jobs and checks", labels=["what"]
        )
        for sign in Sign.objects.filter(name__in=[health.CHAIN, health.DAILY]):
            seen.add_metric([sign.name], (now - sign.at).total_seconds())
        yield seen

    def _one(self, name: str, help_text: str, value: float) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"guyub_{name}", help_text, value=value)


def page() -> bytes:
    """Return all figures in Prometheus' text format."""
    registry = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if folder and Path(folder).is_dir():
        MultiProcessCollector(registry)
        registry.register(Readings())
        return generate_latest(registry)
    registry.register(Readings())
    return generate_latest(_here) + generate_latest(registry)


def may_read(meta: dict[str, Any], authorization: str) -> bool:
    """Tell whether whoever asks may read the figures.

    With ``GUYUB_METRICS_TOKEN`` whoever shows it may. Without, only a program on this machine that
    did not come through a proxy, before which everybody has an address of this machine.
    """
    from django.utils.crypto import constant_time_compare

    token = settings.METRICS_TOKEN
    if token:
        return constant_time_compare(authorization, f"Bearer {token}")
    forwarded = any(
        meta.get(name) for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
    )
    return not forwarded and meta.get("REMOTE_ADDR", "") in ("127.0.0.1", "::1", "")
