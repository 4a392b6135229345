"""Model fields that are sealed in the database: NIK and KK numbers, and whole answers."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import FieldError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxLengthValidator
from django.db import models

from guyub.access.sealing import SEALED_WIDTH, seal, unseal


class SealedNumberField(models.CharField):
    """A number of at most 16 digits, sealed as :mod:`guyub.access.sealing` tells.

    ``filter(nik=...)``, ``nik__in`` and joins on the column work, since one number has one sealed form;
    what looks into the number (``nik__startswith``) raises :class:`FieldError`. A subclass of
    ``CharField``, so forms and validators see the number.
    """

    # The digits: what forms and validators hold to. The column is wider.
    DIGITS = 16

    def __init__(self, *args: Any, **options: Any) -> None:
        options["max_length"] = SEALED_WIDTH
        super().__init__(*args, **options)
        self.validators = [
            MaxLengthValidator(self.DIGITS)
            if isinstance(validator, MaxLengthValidator)
            else validator
            for validator in self.validators
        ]

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"max_length": self.DIGITS, **options})

    def from_db_value(self, value: str | None, *_rest: object) -> str | None:
        return None if value is None else unseal(value)

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return seal(value) if isinstance(value, str) else value

    def get_lookup(self, lookup_name: str) -> Any:
        found = super().get_lookup(lookup_name)
        if found is not None and lookup_name not in ("exact", "in", "isnull"):
            raise FieldError(f"A sealed number can't be searched with “{lookup_name}”.")
        return found


class SealedNumberIfAnyField(SealedNumberField):
    """A sealed number that not everybody has. Without one it is ``""`` here and ``NULL`` in the database.

    So many can be without a number where the others are unique, and no join finds those without.
    ``filter(nik="")`` finds them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "null": True, "blank": True})

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"empty_value": "", **options})

    def from_db_value(self, value: str | None, *rest: object) -> str:
        return super().from_db_value(value, *rest) or ""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value) or None


class SealedJSONField(models.TextField):
    """Any JSON value, sealed as one text. It can't be searched."""

    # What type checkers take for the type of the values.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_rest: object) -> Any:
        return json.loads(unseal(value)) if value else self.get_default()

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str:
        return seal(json.dumps(value, cls=DjangoJSONEncoder, separators=(",", ":")))

    def get_lookup(self, lookup_name: str) -> Any:
        raise FieldError("A sealed value can't be searched.")


SEALED_FIELDS = (SealedNumberField, SealedJSONField)
