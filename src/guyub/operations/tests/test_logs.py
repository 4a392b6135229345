"""Nothing personal gets out by a log line, a page of an internal error or a mail about one."""

from __future__ import annotations

import ast
import json
import logging
import sys
from pathlib import Path

import pytest
from django.core import mail
from django.db import IntegrityError, connection
from django.http import HttpRequest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import guyub
from guyub.access.guards import public
from guyub.operations import logs

names = st.text("abcdefghijklmnoprstuwyzABCDEFGHIKLMNPRSTW' ", min_size=8, max_size=40).filter(
    lambda text: len(text.strip()) > 7
)
numbers = st.integers(1101010101000001, 9999999999999999).map(str)
SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(logger: str, level: int, message: object, *args: object, **more: object) -> str:
    """Return the line that a logger of that name writes."""
    record = logging.getLogger(logger).makeRecord(
        logger, level, "/srv/x.py", 1, message, args, more.get("exc_info"), extra=more.get("extra")
    )
    line = logs.SafeFormatter().format(record)
    assert json.loads(line)["level"]
    return line


def raised(error: BaseException, cause: BaseException | None = None) -> tuple:
    try:
        raise error from cause
    except BaseException:
        return sys.exc_info()


@SLOW
@given(names, numbers, numbers)
def test_what_a_caller_fills_in_does_not_come_out(name, nik, kk):
    for logger in ("guyub.registry", "django.request", "urllib3"):
        line = written(
            logger, logging.ERROR, "%s has %s and %r: %s", name, nik, {"kk": kk}, int(nik)
        )
        line += written(logger, logging.ERROR, "%(name)s", {"name": name, "kk": kk})
        line += written(
            logger, logging.ERROR, "%d rows", name, extra={"request": name, "nik": nik, "job": kk}
        )
        line += written(logger, logging.ERROR, ValueError(name))
        assert name not in line
        assert nik not in line
        assert kk not in line
    assert name not in written("allauth", logging.WARNING, f"no account of {name}")
    assert name not in written("allauth", logging.WARNING, "x", extra={"user": name, "role": name})


@SLOW
@given(names, numbers, numbers)
def test_an_exception_is_told_without_its_text(name, nik, kk):
    inner = IntegrityError(f"Key (nik)=({nik}) already exists. DETAIL: {name}")
    line = written(
        "django.request", logging.ERROR, "%s: %s", "Internal Server Error", f"/x/{name}",
        exc_info=raised(ValueError(name, {"kk": kk}), inner),
    )  # fmt: skip
    assert name not in line
    assert nik not in line
    assert kk not in line
    told = json.loads(line)["exception"]
    assert told["type"] == "builtins.ValueError"
    assert told["causes"] == ["django.db.utils.IntegrityError"]
    assert told["at"][0].endswith(" raised")


@SLOW
@given(
    numbers,
    st.sampled_from(["", " ", ".", "-"]),
    st.from_regex(r"[a-z][a-z0-9]{1,9}@[a-z]{2,9}\.(?:go\.id|com)", fullmatch=True),
    st.from_regex(r"(?:08|\+628|628)[0-9]{8,10}", fullmatch=True),
)
def test_numbers_addresses_and_telephones_are_masked(nik, between, address, phone):
    spaced = between.join(nik[i : i + 4] for i in range(0, 16, 4))
    text = logs.mask(f"a {spaced} b {address} c {phone} d /cari/?q=Tukiman e")
    assert text == "a … b … c … d /cari/?… e"


def test_what_is_harmless_comes_out():
    line = json.loads(
        written(
            "guyub.imports",
            logging.ERROR,
            "import run %s failed after %d",
            7,
            12,
            extra={"ms": 15, "job": "guyub.imports.tasks.work_on_run"},
        )
    )
    assert line["message"] == "import run 7 failed after 12"
    assert (line["ms"], line["job"]) == (15, "guyub.imports.tasks.work_on_run")
    task = "guyub.reports.tasks.remind"
    assert task in written("django_tasks", logging.INFO, "Task path=%s", task)


def test_our_own_messages_are_constants():
    """A message put together with f"..." or ``+`` would carry what the formatter can't see."""
    wrong = []
    for path in Path(guyub.__file__).parent.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("log", "logger")
                and node.func.attr in ("debug", "info", "warning", "error", "exception", "critical")
                and not isinstance(node.args[0], ast.Constant)
            ):
                wrong.append(f"{path}:{node.lineno}")
    assert not wrong


@pytest.fixture
def failing(monkeypatch):
    """Make the page where complaints are followed fail with a text, after asking the database."""

    from guyub.proposals import queries

    said: list[str] = []

    def fail(*args: object) -> None:
        with connection.cursor() as cursor:
            try:
                cursor.execute("SELECT * FROM tidak_ada WHERE nama = %s", [said[0]])
            except Exception as error:
                raise RuntimeError(said[0]) from error

    monkeypatch.setattr(queries, "steps_of_code", fail)

    return said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["Sulastri binti Karto", "3302011203850001"])
def test_a_page_that_fails_tells_nothing_but_its_number(name, failing, settings, caplog):
    from django.urls import reverse

    failing.append(name)
    settings.ADMINS = [("Operator", "operator@contoh.test")]
    out: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: out.append(logs.SafeFormatter().format(record))
    logging.getLogger().addHandler(handler)
    try:
        client = Client(raise_request_exception=False)
        response = client.post(
            reverse("proposals:track") + "?nama=" + name.replace(" ", "+"),
            {"code": "ABCDE-FGHJK", "nama": name},
        )
    finally:
        logging.getLogger().removeHandler(handler)
    assert response.status_code == 500, response.content
    page = response.content.decode()
    lines = [json.loads(line) for line in out if '"exception"' in line]
    assert lines[-1]["exception"]["type"] == "builtins.RuntimeError"
    assert lines[-1]["request"] == response["X-Request-ID"]
    assert response["X-Request-ID"] in page
    everything = page + "".join(out) + "".join(m.body for m in mail.outbox)
    for part in (name, "ABCDE", "nama="):
        assert part not in everything
    assert not mail.outbox


@pytest.mark.django_db
def test_a_request_has_one_line(caplog, settings):
    settings.ROOT_URLCONF = __name__
    with caplog.at_level(logging.INFO, "guyub.requests"):
        response = Client().get(
            "/halo/Sulastri/?q=3302011203850001", headers={"X-Request-ID": "a b"}
        )
    [record] = [r for r in caplog.records if r.name == "guyub.requests"]
    line = logs.SafeFormatter().format(record)
    assert json.loads(line)["route"] == "halo/<name>/"
    assert json.loads(line)["status"] == 200
    assert "Sulastri" not in line
    assert "3302" not in line
    assert len(response["X-Request-ID"]) == 32


@public
def hello(request: HttpRequest, name: str):
    from django.http import HttpResponse

    request.user = type("Nobody", (), {"is_authenticated": False})()
    return HttpResponse("halo")


def _patterns():
    from django.urls import path

    return [path("halo/<name>/", hello)]


urlpatterns = _patterns()
