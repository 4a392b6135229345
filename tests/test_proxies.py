"""The examples of nginx and Caddy in ``deploy/``, before a server that tells what reached it.

Only their addresses, ports and certificates are changed. What they promise Guyub is what its rate
limits, its HTTPS and its silence to strangers stand on.
"""

from __future__ import annotations

import contextlib
import getpass
import http.client
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"
HOST = "guyub.example.go.id"
pytestmark = pytest.mark.own_database


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the headers that it was asked with."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left and (part := self.rfile.read(min(left, 1 << 20))):
            left -= len(part)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def guyub() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def nginx(folder: Path, guyub: int, https: int) -> list[str]:
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    site = (DEPLOY / "nginx.conf").read_text()
    for old, new in (
        (f"/etc/letsencrypt/live/{HOST}", str(folder)),
        ("/var/log/nginx", str(folder)),
        ("listen [::]:443", f"listen [::1]:{https}"),
        ("listen 443", f"listen 127.0.0.1:{https}"),
        ("listen [::]:80", f"listen [::1]:{free_port()}"),
        ("listen 80", f"listen 127.0.0.1:{free_port()}"),
        ("127.0.0.1:8000", f"127.0.0.1:{guyub}"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    whole = folder / "nginx.conf"
    whole.write_text(
        f"user {getpass.getuser()}; events {{}} daemon off; pid {folder}/pid; error_log {folder}/errors;"
        f"http {{ client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;"
        f" fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;"
        f" include {folder}/site.conf; }}"
    )
    return ["nginx", "-c", str(whole), "-e", str(folder / "errors")]


def caddy(folder: Path, guyub: int, https: int) -> list[str]:
    site = (DEPLOY / "Caddyfile").read_text()
    for old, new in (
        (f"\n{HOST} {{", f"\n{HOST}:{https} {{\n\ttls internal"),
        ("127.0.0.1:8000", f"127.0.0.1:{guyub}"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    whole = folder / "Caddyfile"
    whole.write_text(
        "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n"
        f"\tstorage file_system {folder}/caddy\n}}\n{site}"
    )
    return ["caddy", "run", "--config", str(whole), "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy])
def ask(request: pytest.FixtureRequest, tmp_path: Path, guyub: int):
    """Ask the proxy over HTTPS: ``ask("/", **headers)`` gives the status and what Guyub was told."""
    program = request.param.__name__
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    https = free_port()
    with (tmp_path / "said").open("w") as said:
        proxy = subprocess.Popen(request.param(tmp_path, guyub, https), stdout=said, stderr=said)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def connect() -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(HOST, https, timeout=20, context=context)
        plain = socket.create_connection(("127.0.0.1", https), 20)
        connection.sock = context.wrap_socket(plain, server_hostname=HOST)
        return connection

    def ask_for(path: str, length: int = 0, **headers: str) -> tuple[int, dict[str, str]]:
        with contextlib.closing(connect()) as connection:
            connection.putrequest("POST" if length else "GET", path, skip_host=True)
            for name, value in {"Host": HOST, **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            if length:
                connection.putheader("Content-Length", str(length))
            connection.endheaders()
            # Whoever has had enough stops reading; its answer is there nevertheless.
            with contextlib.suppress(OSError):
                for _part in range(length >> 20):
                    connection.send(bytes(1 << 20))
            answer = connection.getresponse()
            told = answer.read()
            return answer.status, json.loads(told) if answer.status == 200 else {}

    deadline = time.monotonic() + 60
    while True:
        try:
            connect().close()
            break
        except OSError as error:
            assert proxy.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < deadline, error
            time.sleep(0.1)
    yield ask_for
    proxy.terminate()
    proxy.wait(20)


def test_the_example_starts_and_tells_guyub_who_asks(ask):
    for path in ("/", "/pembicaraan/kabar/aliran/"):
        status, told = ask(
            path, X_Forwarded_For="8.8.8.8", X_Forwarded_Proto="http", X_Request_ID="x"
        )
        assert status == 200
        # One address, and not the one that the asker made up.
        assert told["x-forwarded-for"] == "127.0.0.1"
        assert told["x-forwarded-proto"] == "https"
        assert told["host"] == HOST
        assert len(told["x-request-id"]) >= 32


def test_what_is_for_machines_of_our_own_is_not_there_for_others(ask):
    assert [ask(path)[0] for path in ("/metrics", "/sehat/siap", "/sehat/hidup")] == [404, 404, 200]


def test_uploads_pass_and_what_is_beyond_them_does_not(ask):
    assert ask("/impor/", length=100 << 20)[0] == 204
    # Caddy before 2.8 says that Guyub had gone when it was itself who stopped.
    assert ask("/impor/", length=120 << 20)[0] in (413, 502)
