"""What submissions say, value by value, beside what the registry holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guyub.fieldwork import household_fields as fields
from guyub.fieldwork import member_fields
from guyub.fieldwork.answers import said_of_household
from guyub.fieldwork.catalogues import catalogue_of
from guyub.fieldwork.models import Submission
from guyub.fieldwork.vocabulary import UNDECIDED
from guyub.registry.models import Household


@dataclass(frozen=True)
class Voice:
    """What one submission says about one value. An empty ``value`` is no answer."""

    submission: Submission
    value: str
    shown: str
    seen: str  # what its device knew, in words
    is_changed: bool  # the registry no longer holds what its device saw


@dataclass(frozen=True)
class Row:
    """One value of a household or member beside what each submission says of it.

    ``key`` names it in the choices of whoever decides.
    """

    name: str
    label: str
    now: str
    shown_now: str
    voices: tuple[Voice, ...]
    is_disputed: bool
    key: str = ""

    @property
    def is_changed(self) -> bool:
        """Tell whether the registry no longer holds what a device saw, nor what it says."""
        return any(voice.is_changed for voice in self.voices)

    @property
    def agreed(self) -> str:
        """Return what all that answered say; empty when they differ or nobody did."""
        said = [voice.value for voice in self.voices if voice.value]
        same = catalogue_of(self.name).same
        return said[0] if said and all(same(self.name, said[0], v) for v in said) else ""

    @property
    def is_news(self) -> bool:
        """Tell whether somebody says something else than the registry."""
        same = catalogue_of(self.name).same
        return any(v.value and not same(self.name, v.value, self.now) for v in self.voices)


def together(submission: Submission) -> list[Submission]:
    """Return the undecided submissions that have to be decided as one, oldest first."""
    if submission.visit_id is None or submission.state not in UNDECIDED:
        return [submission]
    rows = Submission.objects.filter(visit=submission.visit_id, state__in=UNDECIDED)
    return list(rows.select_related("form_version__form", "sent_by", "household").order_by("pk"))


def compare(submissions: Sequence[Submission], home: Household | None) -> list[Row]:
    """Return each value of the household that the submissions answer, with who says what."""
    said = [
        said_of_household(one.form_version.definition, one.answers).values for one in submissions
    ]
    names = list(dict.fromkeys(name for values in said for name in values))
    now = fields.values_of(home, names) if home is not None else {}
    seen = [one.seen.get("values") or {} for one in submissions]
    return rows_of(submissions, names, now, said, seen)


def rows_of(
    submissions: Sequence[Submission],
    names: Sequence[str],
    now: dict[str, str],
    said: Sequence[dict[str, str]],
    seen: Sequence[dict[str, str]],
    prefix: str = "",
) -> list[Row]:
    """Return a row for each of ``names``; ``said`` and ``seen`` are by submission."""
    rows = []
    for name in names:
        about = catalogue_of(name)
        present = now.get(name, "")
        voices = []
        for submission, values, known in zip(submissions, said, seen, strict=True):
            before, value = known.get(name), values.get(name, "")
            is_changed = (
                before is not None
                and not about.same(name, before, present)
                and bool(value)
                and not about.same(name, value, present)
            )
            voices.append(
                Voice(
                    submission, value, about.shown(name, value), about.shown(name, before or ""),
                    is_changed,
                )
            )  # fmt: skip
        answered = [voice.value for voice in voices if voice.value]
        differ = any(not about.same(name, answered[0], value) for value in answered[1:])
        is_weighty = name in member_fields.WEIGHTY and any(
            not about.same(name, value, present) for value in answered
        )
        rows.append(
            Row(
                name, str(about.FIELDS[name].label), present, about.shown(name, present),
                tuple(voices), differ or is_weighty or any(v.is_changed for v in voices),
                prefix + name,
            )
        )  # fmt: skip
    return rows
