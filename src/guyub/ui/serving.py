"""Running the web server and the background worker together, and ending both cleanly."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

START_SECONDS = 60
STOP_SECONDS = 15


class ServingError(Exception):
    """The server or the worker ended by itself; the message names which and its exit code."""


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Hold the installation as being in use, which keeps ``guyub restore`` off it."""
    with (Path(settings.DATA_DIR) / "running.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


def web_command(host: str, port: int, *, workers: int, threads: int) -> list[str]:
    """Return the command of the web server alone; parameters as of :func:`serve`."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--blocking-threads", str(threads), "--log-level", "warning"),
        "guyub.wsgi:application",
    ]


def serve(
    host: str,
    port: int,
    *,
    workers: int = 2,
    threads: int = 4,
    environment: dict[str, str] | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve Guyub with Granian, beside one ``guyub worker``, until SIGINT or SIGTERM.

    Args:
        host: Address to listen on.
        port: TCP port to listen on.
        workers: Server processes.
        threads: Requests that each process answers at the same time.
        environment: Variables that both get on top of this process's own.
        ready: Called once the server takes connections.

    Raises:
        ServingError: one of the two ended by itself, or the server did not come up. Neither runs then.
    """
    commands = {
        "granian": web_command(host, port, workers=workers, threads=threads),
        "worker": [sys.executable, "-m", "guyub.cli", "worker"],
    }
    # Where the server's processes count together; what an earlier start counted is over.
    figures = Path(settings.DATA_DIR) / "metrics"
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True, mode=0o700)
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(figures), **(environment or {})}
    # WhiteNoise complains of a folder that only production fills.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    processes: dict[str, subprocess.Popen[bytes]] = {}
    with _on_signal(stop), running():
        try:
            for name, command in commands.items():
                # In a session of its own: Ctrl-C reaches this process alone, which ends the others.
                processes[name] = subprocess.Popen(  # noqa: S603
                    command, env={**os.environ, **environment}, start_new_session=True
                )
            deadline = time.monotonic() + START_SECONDS
            while not stop.is_set() and not _answers(host, port):
                _check(processes)
                if time.monotonic() > deadline:
                    raise ServingError("granian")
                stop.wait(0.2)
            if not stop.is_set():
                ready()
            while not stop.wait(0.5):
                _check(processes)
        finally:
            _end(processes)


def _check(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            raise ServingError(f"{name}: {process.returncode}")


def _answers(host: str, port: int) -> bool:
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    try:
        with socket.create_connection((here, port), timeout=1):
            return True
    except OSError:
        return False


def _end(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask all to stop, give them time, then end what is left with everything it started."""
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def _on_signal(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` on SIGINT and SIGTERM, and put the former handlers back afterwards."""
    former = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
