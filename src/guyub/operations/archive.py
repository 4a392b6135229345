"""The file a backup is: a tar, compressed with Zstandard, encrypted with age.

All three are open formats, so an archive can be opened without Guyub:
``age -d -i kunci.txt FILE | zstd -d | tar x``. Both directions stream; neither holds the whole.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

import pyrage
from django.utils.translation import gettext as _

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ABOUT, MANIFEST = "tentang.json", "daftar.json"
FORMAT = 1
CHUNK = 16 * 1024**2  # bytes of a stream whose length nobody knows beforehand, per member
BLOCK = 1024**2
LEVEL = 6


class ArchiveError(Exception):
    """An archive or its key can't be used; the text says in plain words why and what to do."""


def create(path: Path) -> BinaryIO:
    """Open ``path`` for writing anew, readable by its owner only."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def new_key(path: Path, passphrase: str) -> str:
    """Write a new secret key to ``path``, locked with ``passphrase`` unless that is empty.

    Returns:
        The public key, which is all that making backups needs.
    """
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    content = f"# created: {now}\n# public key: {public}\n{identity}\n".encode()
    if passphrase:
        content = pyrage.passphrase.encrypt(content, passphrase, armored=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ArchiveError(
            _("%(path)s sudah ada; kunci tidak ditimpa.") % {"path": path}
        ) from error
    with os.fdopen(file, "wb") as out:
        out.write(content)
    return public


def read_key(path: Path, passphrase: Callable[[], str]) -> Any:
    """Return the secret key in ``path``; ``passphrase`` is asked only when the key is locked.

    Raises:
        ArchiveError: there is no key, or the passphrase is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArchiveError(
            _("Berkas kunci %(path)s tidak dapat dibaca.") % {"path": path}
        ) from error
    if content.startswith((b"-----BEGIN AGE", b"age-encryption.org")):
        try:
            content = pyrage.passphrase.decrypt(content, passphrase())
        except pyrage.DecryptError as error:
            raise ArchiveError(_("Frasa sandi kunci cadangan salah.")) from error
    for line in content.decode(errors="replace").splitlines():
        if line.strip().startswith("AGE-SECRET-KEY-"):
            with contextlib.suppress(pyrage.IdentityError):
                return pyrage.x25519.Identity.from_str(line.strip())
    raise ArchiveError(_("%(path)s bukan berkas kunci cadangan.") % {"path": path})


def recipient(text: str) -> Any:
    """Return the public key that ``text`` spells.

    Raises:
        ArchiveError: it spells none.
    """
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise ArchiveError(
            _("%(text)s bukan kunci umum; yang benar berawalan age1.") % {"text": text[:12]}
        ) from error


class _Counted(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        return data


class Writer:
    """Adds members to an archive and keeps the list of them, which becomes its last member."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.members: list[dict[str, Any]] = []

    def add(self, name: str, source: IO[bytes], size: int, modified: float = 0) -> None:
        """Add exactly ``size`` bytes of ``source``."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(modified)
        counted = _Counted(source)
        self.tar.addfile(info, counted)  # type: ignore[arg-type]
        self.members.append({"name": name, "size": size, "sha256": counted.digest.hexdigest()})

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as long as it is now."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            self.add(name, file, status.st_size, status.st_mtime)

    def add_stream(self, folder: str, source: IO[bytes]) -> int:
        """Add all that ``source`` gives, in numbered pieces below ``folder``; return the bytes."""
        total = number = 0
        while data := source.read(CHUNK):
            self.add(f"{folder}/{number:06d}", io.BytesIO(data), len(data))
            total, number = total + len(data), number + 1
        return total

    def add_json(self, name: str, content: Any) -> None:
        data = json.dumps(content, indent=1, sort_keys=True).encode()
        self.add(name, io.BytesIO(data), len(data))


def write(
    target: IO[bytes], recipients: list[Any], about: dict[str, Any], fill: Callable[[Writer], None]
) -> None:
    """Write an archive that ``recipients`` can open, with what ``fill`` adds to it."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def encrypt() -> None:
        try:
            with os.fdopen(reading, "rb", BLOCK) as source:
                pyrage.encrypt_io(source, target, recipients)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=encrypt, daemon=True)
    thread.start()
    try:
        with (
            os.fdopen(writing, "wb", BLOCK) as pipe,
            zstd.ZstdFile(pipe, "wb", level=LEVEL) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            writer = Writer(tar)
            writer.add_json(ABOUT, {"format": FORMAT, **about})
            fill(writer)
            writer.add_json(MANIFEST, writer.members)
    except BrokenPipeError:
        thread.join()
        if failed:
            raise failed[0] from None
        raise
    thread.join()
    if failed:
        raise failed[0]


def _members(source: IO[bytes], key: Any) -> Iterator[tuple[str, Callable[[], Iterator[bytes]]]]:
    """Yield each member's name and what gives its content, before the next is asked for."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []
    faults = (tarfile.TarError, EOFError, OSError, zstd.ZstdError)

    def decrypt() -> None:
        try:
            with os.fdopen(writing, "wb", BLOCK) as out:
                pyrage.decrypt_io(source, out, [key])
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=decrypt, daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb", BLOCK) as pipe:
            with (
                zstd.ZstdFile(pipe, "rb") as packed,
                tarfile.open(fileobj=packed, mode="r|") as tar,
            ):
                for info in tar:
                    content = tar.extractfile(info)
                    if content is None or not is_safe(info.name):
                        raise ArchiveError(
                            _("Isi cadangan tidak dikenal; berkas ini tidak dipakai.")
                        )

                    def pieces(content: IO[bytes] = content) -> Iterator[bytes]:
                        while True:
                            try:
                                data = content.read(BLOCK)
                            except faults as error:
                                thread.join(10)
                                raise _why(failed[0] if failed else error) from error
                            if not data:
                                return
                            yield data

                    yield info.name, pieces
            # To the very end, for only there is it certain that nothing was cut off.
            while pipe.read(BLOCK):
                pass
    except faults as error:
        thread.join(10)
        raise _why(failed[0] if failed else error) from error
    thread.join(10)
    if failed:
        raise _why(failed[0])


def is_safe(name: str) -> bool:
    """Tell whether a member's name stays below the folder that it is unpacked into."""
    path = Path(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def _why(error: BaseException) -> ArchiveError:
    text = str(error).lower()
    if "no matching keys" in text:
        return ArchiveError(_("Kunci ini bukan kunci cadangan tersebut."))
    if "truncated" in text or "fill whole buffer" in text or isinstance(error, EOFError):
        return ArchiveError(
            _("Berkas cadangan terpotong: salinannya tidak utuh. Ambil salinan lain.")
        )
    if "header is invalid" in text:
        return ArchiveError(_("Berkas ini bukan cadangan Guyub."))
    return ArchiveError(_("Berkas cadangan rusak: isinya berubah. Ambil salinan lain."))


def read(
    source: IO[bytes],
    key: Any,
    take: Callable[[str, dict[str, Any]], IO[bytes] | None],
    begin: Callable[[dict[str, Any]], None] = lambda about: None,
) -> dict[str, Any]:
    """Read an archive to its end, check every member against the list, and return what it is about.

    Args:
        source: The file.
        key: A secret key.
        take: Gives the file that a member's content goes into, or ``None`` to check it only.
        begin: Told what the archive is about, before anything else; may raise.

    Raises:
        ArchiveError: the key does not fit, the file is damaged or cut, or something is missing.
    """
    about: dict[str, Any] = {}
    found: dict[str, tuple[int, str]] = {}
    listed: list[dict[str, Any]] | None = None
    for name, pieces in _members(source, key):
        if name == ABOUT:
            about = json.loads(b"".join(pieces()))
            if about.get("format") != FORMAT:
                raise ArchiveError(_("Cadangan ini dibuat oleh Guyub yang lebih baru."))
            begin(about)
            continue
        if name == MANIFEST:
            listed = json.loads(b"".join(pieces()))
            continue
        out = take(name, about)
        digest, size = hashlib.sha256(), 0
        with out if out is not None else contextlib.nullcontext():
            for data in pieces():
                digest.update(data)
                size += len(data)
                if out is not None:
                    out.write(data)
        found[name] = (size, digest.hexdigest())
    if not about or listed is None:
        raise ArchiveError(
            _("Berkas cadangan terpotong: salinannya tidak utuh. Ambil salinan lain.")
        )
    wanted = {m["name"]: (m["size"], m["sha256"]) for m in listed if m["name"] != ABOUT}
    if wanted != found:
        raise ArchiveError(_("Berkas cadangan rusak: isinya berubah. Ambil salinan lain."))
    return {**about, "members": len(found), "size": sum(size for size, _sha in found.values())}
