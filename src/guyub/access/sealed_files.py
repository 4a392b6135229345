"""Whole files encrypted at rest: what was uploaded, and what an import set aside of it.

A sealed file is a mark, the two letters that name its key, 16 random bytes, and chunks of
:data:`CHUNK` bytes under AES-256-GCM. Each file has a key of its own, derived from the data key and the
random bytes; a chunk's nonce is its number, and the last is marked as such, so that a file that was cut
short, or whose chunks were put in another order, does not open.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage

from guyub.access.sealing import SealError, present_key, ring

MARK = b"GUYUBSEAL1"
CHUNK = 1 << 20  # bytes of content
TAG = 16
HEADER = len(MARK) + 2 + 16


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=salt, info=b"guyub file").derive(key))


class SealedWriter:
    """Write a sealed file bit by bit. Use as a context manager; it is whole when that ends well."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._held, self._number = file, bytearray(), 0
        key, salt = present_key(), os.urandom(16)
        self._cipher = _cipher(key.for_files, salt)
        file.write(MARK + key.name.encode() + salt)

    def __enter__(self) -> SealedWriter:
        return self

    def __exit__(self, kind: Any, *_rest: object) -> None:
        if kind is None:
            self._put(bytes(self._held), last=True)

    def write(self, content: bytes) -> None:
        self._held += content
        while len(self._held) > CHUNK:
            self._put(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]

    def _put(self, chunk: bytes, *, last: bool) -> None:
        nonce = self._number.to_bytes(12, "big")
        self._file.write(self._cipher.encrypt(nonce, chunk, b"last" if last else b"more"))
        self._number += 1


@contextlib.contextmanager
def sealed_writer(target: Path) -> Iterator[SealedWriter]:
    """Write the sealed file ``target``, which appears whole or not at all."""
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        with SealedWriter(file) as out:
            yield out
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)


def seal_file(source: Path, target: Path) -> None:
    """Seal what ``source`` holds into ``target``; the two may be one."""
    with source.open("rb") as file, sealed_writer(target) as out:
        while block := file.read(CHUNK):
            out.write(block)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a sealed file.

    Raises:
        SealError: it was changed or cut short, or its key is not known here.
    """
    header = file.read(HEADER)
    if not header.startswith(MARK) or len(header) < HEADER:
        raise SealError("This is no sealed file.")
    key = ring().get(header[len(MARK) : len(MARK) + 2].decode("ascii", "replace"))
    if key is None:
        raise SealError(
            "A file is sealed with a key that GUYUB_DATA_KEY and GUYUB_OLD_DATA_KEYS lack."
        )
    cipher = _cipher(key.for_files, header[-16:])
    number, block = 0, file.read(CHUNK + TAG)
    while True:
        following = file.read(CHUNK + TAG)
        try:
            yield cipher.decrypt(
                number.to_bytes(12, "big"), block, b"more" if following else b"last"
            )
        except (InvalidTag, ValueError) as error:
            raise SealError("A sealed file was changed or is cut off.") from error
        if not following:
            return
        number, block = number + 1, following


def key_name(path: Path) -> str | None:
    """Return which key a file is sealed with, or ``None`` when it is not sealed."""
    with path.open("rb") as file:
        header = file.read(HEADER)
    if not header.startswith(MARK):
        return None
    return header[len(MARK) : len(MARK) + 2].decode("ascii", "replace")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Give a path under which the content of a sealed file can be read while the block lasts.

    The content is held in memory, not on a disk, where the system can do that (Linux). A file that is
    not sealed is given as it is.
    """
    if key_name(path) is None:
        yield path
        return
    with memory_file(path.parent) as (clear, out), path.open("rb") as file:
        for chunk in chunks_of(file):
            out.write(chunk)
        out.flush()
        yield clear


@contextlib.contextmanager
def memory_file(beside: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Give the path of an empty file in memory, and that file open for writing."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").exists():
        with os.fdopen(os.memfd_create("guyub"), "w+b") as out:
            yield Path(f"/proc/self/fd/{out.fileno()}"), out
        return
    with tempfile.NamedTemporaryFile(dir=beside) as out:
        yield Path(out.name), out


class SealedStorage(FileSystemStorage):
    """Keeps uploaded files sealed; they are read through ``open`` only."""

    def _save(self, name: str, content: Any) -> str:
        sealed = io.BytesIO()
        with SealedWriter(sealed) as out:
            for chunk in content.chunks():
                out.write(chunk)
        return super()._save(name, ContentFile(sealed.getvalue()))  # type: ignore[misc]

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("Sealed files are only read, and only as bytes.")
        path = Path(self.path(name))
        if key_name(path) is None:  # from before files were sealed
            return super()._open(name, mode)  # type: ignore[misc]
        with path.open("rb") as file:
            return File(io.BytesIO(b"".join(chunks_of(file))), name=name)

    def size(self, name: str) -> int:
        """Return the size of the content in bytes."""
        path = Path(self.path(name))
        size = super().size(name)
        if key_name(path) is None:
            return size
        body = size - HEADER
        return body - TAG * max(1, -(-body // (CHUNK + TAG)))
