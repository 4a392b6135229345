"""The result of one reckoning, household by household: arrays in files that pages look into.

The registry has several hundred thousand households, and every cell of the coverage matrix must open
into the list behind it. So a reckoning leaves arrays below ``GUYUB_DATA_DIR/overlaps/<token>``, one
entry per active household, sorted by village, desil and id. An area is then one slice of them, and any
list is a mask over that slice. They hold ids and marks, no names, and can be reckoned anew any time.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from guyub.overlaps.definitions import COMPARED, DESILS

# Arrays with one entry per household; marks have bit `i` for kind `COMPARED[i]`.
COLUMNS = ("ids", "desil", "helped", "doubled", "outside")
MARKS = ("helped", "doubled", "outside")
KEPT = 3  # snapshots of a year on disk, so that a page that is being made still finds its own
TOKEN = re.compile(r"^\d{4}-[0-9a-f]{32}$")


class SnapshotMissingError(Exception):
    """The files of a reckoning are not there, or were written by another version of Guyub."""


def measure(mark: str, kind: str = "") -> str:
    """Return the name of a sum: of a mark for any kind of help, or for one."""
    return f"{mark}:{kind}" if kind else mark


MEASURES = (
    "households",
    *MARKS,
    *(measure(mark, kind) for mark in MARKS for kind in COMPARED),
)
_MEASURE_AT = {name: index for index, name in enumerate(MEASURES)}


def folder() -> Path:
    return Path(settings.DATA_DIR) / "overlaps"


class Snapshot:
    """One reckoning's arrays. Build one with :meth:`write`, get it back with :func:`load`."""

    def __init__(self, place: Path) -> None:
        try:
            meta = json.loads((place / "meta.json").read_text())
            self._arrays: dict[str, Any] = {
                name: np.load(place / f"{name}.npy", mmap_mode="r")
                for name in (*COLUMNS, "sums", "members")
            }
        except (OSError, ValueError) as error:
            raise SnapshotMissingError(place.name) from error
        if meta["kinds"] != list(COMPARED):
            raise SnapshotMissingError(place.name)
        self._areas: dict[str, int] = {code: at for at, code in enumerate(meta["areas"])}
        self._bounds: list[list[int]] = meta["bounds"]
        self._members: dict[int, tuple[int, int]] = {
            pk: (start, stop) for pk, start, stop in meta["members"]
        }

    @staticmethod
    def write(
        year: int,
        *,
        columns: dict[str, Any],
        sums: Any,
        areas: Sequence[str],
        bounds: Sequence[tuple[int, int]],
        members: Any,
        member_bounds: Sequence[tuple[int, int, int]],
    ) -> str:
        """Write arrays to disk and return the token by which they are found.

        ``bounds`` are each area's slice of the columns. ``members`` are positions in the columns, the
        households of one sub-activity after those of another, as ``member_bounds`` (id, start,
        stop) tell.
        """
        token = f"{year}-{uuid.uuid4().hex}"
        target = folder() / token
        part = target.with_name(f".{token}")
        part.mkdir(parents=True, mode=0o700)
        for name, array in (*columns.items(), ("sums", sums), ("members", members)):
            np.save(part / f"{name}.npy", array)
        meta = {
            "kinds": list(COMPARED),
            "areas": list(areas),
            "bounds": [list(bound) for bound in bounds],
            "members": [list(bound) for bound in member_bounds],
        }
        (part / "meta.json").write_text(json.dumps(meta))
        os.replace(part, target)
        return token

    def covers(self, code: str) -> bool:
        """Tell whether the area of ``code`` was reckoned."""
        return code in self._areas

    def sums(self, code: str, name: str) -> list[int]:
        """Return how many households of an area a measure counts, by desil (0 is unknown)."""
        if code not in self._areas:
            return [0] * DESILS
        return [int(n) for n in self._arrays["sums"][self._areas[code], _MEASURE_AT[name]]]

    def _slice(self, code: str) -> slice:
        if code not in self._areas:
            return slice(0, 0)
        start, stop = self._bounds[self._areas[code]]
        return slice(start, stop)

    def households(
        self,
        codes: Sequence[str],
        *,
        mark: str = "",
        negate: bool = False,
        kind: str = "",
        desil: Iterable[int] = (),
        shared_by: Sequence[int] = (),
    ) -> Any:
        """Return the ids of the households of an area that fit, by village, desil and id.

        Args:
            codes: Areas that all must contain the household; the first is sliced out.
            mark: ``helped``, ``doubled`` or ``outside``: households so marked, or with ``negate``
                those that are not.
            kind: Only the mark for this kind of help.
            desil: Only these ranks; 0 is unknown.
            shared_by: Only households that at least two of these sub-activities help.
        """
        part = self._intersection(codes)
        fits = np.ones(part.stop - part.start, dtype=bool)
        if mark:
            marks = self._arrays[mark][part]
            if kind:
                marks = marks & np.uint32(1 << COMPARED.index(kind))
            fits &= (marks == 0) if negate else (marks != 0)
        wanted = list(desil)
        if wanted:
            fits &= np.isin(self._arrays["desil"][part], wanted)
        if shared_by:
            fits &= self._counts(shared_by)[part] >= 2
        return self._arrays["ids"][part][fits]

    def _intersection(self, codes: Sequence[str]) -> slice:
        parts = [self._slice(code) for code in codes]
        start = max(part.start for part in parts)
        return slice(start, max(start, min(part.stop for part in parts)))

    def members_of(self, sub_activity: int) -> Any:
        """Return the positions of the households that a sub-activity helps, ascending."""
        start, stop = self._members.get(sub_activity, (0, 0))
        return self._arrays["members"][start:stop]

    def _counts(self, subs: Sequence[int]) -> Any:
        size = len(self._arrays["ids"])
        positions = [self.members_of(pk) for pk in subs]
        return np.bincount(np.concatenate(positions), minlength=size)

    def helped_by(self, subs: Sequence[int]) -> Any:
        """Return the ids of the households that at least one of ``subs`` helps."""
        return self._arrays["ids"][self._counts(subs) > 0] if subs else self._arrays["ids"][:0]

    def shared_by_pair(self, linked: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return for each pair of sub-activities how many households both help."""
        answer = {}
        size = len(self._arrays["ids"])
        helped: dict[int, Any] = {}
        for a, b in linked:
            if a not in helped:
                helped[a] = np.zeros(size, dtype=bool)
                helped[a][self.members_of(a)] = True
            answer[a, b] = int(helped[a][self.members_of(b)].sum())
        return answer


@lru_cache(maxsize=8)
def _load(place: str) -> Snapshot:
    return Snapshot(Path(place))


def load(token: str) -> Snapshot:
    """Return the snapshot of ``token``.

    Raises:
        SnapshotMissingError: its files are missing or unfit.
    """
    if not TOKEN.match(token):
        raise SnapshotMissingError(token)
    return _load(str(folder() / token))


def sweep(year: int, keep: str) -> None:
    """Remove a year's old snapshots, but for ``keep`` and the newest few."""
    found = sorted(
        (path for path in folder().glob(f"{year}-*") if path.name != keep),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in found[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
