"""Sending to addresses that others named, without being sent into our own network.

The host is resolved once; every address it has must be public, and the connection goes to one of those
very addresses. So neither a name that points inwards nor one that changes between check and use leads
to a server behind the firewall. Redirects are not followed. ``GUYUB_OUTGOING_HOSTS`` names hosts within
the regency's own network that may be sent to all the same, by plain HTTP too.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SECONDS = 10.0
# Ranges that carry an address of another kind within them.
WRAPPING = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)


class UnreachableError(Exception):
    """Nothing was sent, or no answer came; the message says why, without what was sent."""


@dataclass(frozen=True)
class Target:
    """Where to send to: an address that was checked, in its parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_trusted(self) -> bool:
        """Whether whoever runs Guyub vouches for the host."""
        return self.host in settings.OUTGOING_HOSTS

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def read_target(url: str) -> Target:
    """Read the address of a receiver.

    Raises:
        ValidationError: it is none that may be sent to.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValidationError({"url": _("Ini bukan alamat web.")}) from error
    if parts.scheme not in ("http", "https") or not host or not url.isascii():
        raise ValidationError(
            {"url": _("Tulis alamat lengkap, misalnya https://sim.contoh.go.id/kabar.")}
        )
    if parts.username or parts.password or parts.fragment:
        raise ValidationError({"url": _("Alamat tidak boleh memuat nama pengguna atau tanda #.")})
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme], path)
    if not target.is_trusted:
        if target.scheme != "https":
            raise ValidationError({"url": _("Pakai https, supaya kiriman tidak terbaca di jalan.")})
        try:
            _refuse_inner(host)
        except UnreachableError as error:
            raise ValidationError({"url": str(error)}) from error
    return target


def _refuse_inner(address: str) -> None:
    """Refuse an address that is not public; names pass, they are looked at when resolved."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        if address == "localhost" or address.endswith((".localhost", ".local", ".internal")):
            raise UnreachableError(_("Alamat ini ada di jaringan dalam.")) from None
        return
    inner = getattr(found, "ipv4_mapped", None) or found
    wrapped = any(found.version == net.version and found in net for net in WRAPPING)
    if not inner.is_global or inner.is_multicast or wrapped:
        raise UnreachableError(_("Alamat ini ada di jaringan dalam."))


def _resolve(target: Target) -> str:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(_("Nama servernya tidak ditemukan.")) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not target.is_trusted:
        for address in addresses:
            _refuse_inner(address)
    # IPv4 first: more of the regency's lines have it.
    return sorted(addresses, key=lambda address: ":" in address)[0]


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, int]:
    """Send ``body`` to ``url``; return the status of the answer and how long it took in milliseconds.

    Raises:
        UnreachableError: the address may not be sent to, or nobody answered.
    """
    began = time.monotonic()
    status, _content = _call("POST", url, body, {"Content-Type": "application/json", **headers}, 0)
    return status, round((time.monotonic() - began) * 1000)


def get(url: str, most: int) -> bytes:
    """Return what lies at ``url``, up to ``most`` bytes.

    Raises:
        UnreachableError: the address may not be read from, nobody answered, the answer is an error,
            or it is longer.
    """
    status, content = _call("GET", url, None, {"Accept": "application/json"}, most + 1)
    if status != 200:
        raise UnreachableError(_("Servernya menjawab %(status)d.") % {"status": status})
    if len(content) > most:
        raise UnreachableError(_("Jawabannya terlalu besar."))
    return content


def _call(
    method: str, url: str, body: bytes | None, headers: dict[str, str], most: int
) -> tuple[int, bytes]:
    """Call ``url``; return the status of the answer and its first ``most`` bytes."""
    try:
        target = read_target(url)
    except ValidationError as error:
        raise UnreachableError(" ".join(error.messages)) from error
    address = _resolve(target)
    timeout = urllib3.Timeout(connect=5.0, read=SECONDS, total=SECONDS)
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address,
            target.port,
            timeout=timeout,
            server_hostname=target.host,
            assert_hostname=target.host,
            ssl_context=ssl.create_default_context(),
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, target.port, timeout=timeout)
    sent = {"Host": target.host_header, "User-Agent": "Guyub", **headers}
    try:
        answer = pool.urlopen(
            method, target.path, body=body, headers=sent, retries=False, redirect=False,
            preload_content=False, assert_same_host=False,
        )  # fmt: skip
        content = answer.read(most) if most else b""
        answer.close()
    except urllib3.exceptions.SSLError as error:
        raise UnreachableError(_("Sertifikat servernya tidak dapat dipercaya.")) from error
    except urllib3.exceptions.NewConnectionError as error:
        # A kind of time-out to urllib3.
        raise UnreachableError(_("Tidak tersambung ke servernya.")) from error
    except urllib3.exceptions.TimeoutError as error:
        raise UnreachableError(_("Servernya tidak menjawab dalam 10 detik.")) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise UnreachableError(_("Tidak tersambung ke servernya.")) from error
    finally:
        pool.close()
    return answer.status, content
