"""Forms of merging and of taking apart."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.reconciliation.queries import Preview
from guyub.registry.forms import ReasonForm
from guyub.registry.vocabulary import Relation

SIDES = (("left", _("Data utama")), ("right", _("Duplikat")))


class MergeForm(ReasonForm):
    """Per differing value whose stands, and for households who of the members is whom."""

    field_order = ("former_head", "reason")

    def __init__(self, preview: Preview, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preview = preview
        self.fields["reason"].label = _("Mengapa keduanya sama?")
        for choice in preview.choices:
            self.fields[f"v_{choice.name}"] = forms.ChoiceField(
                label=choice.label, choices=SIDES, initial=choice.suggested or None
            )
        for left, right in preview.twins:
            self.fields[f"p_{right.pk}_{left.pk}"] = forms.BooleanField(
                label=left.name, required=False, initial=True
            )
        head = preview.loser_head
        if head is not None:
            relations = [choice for choice in Relation.choices if choice[0] != Relation.HEAD]
            self.fields["former_head"] = forms.ChoiceField(
                label=_("Hubungan %(name)s dengan kepala keluarga utama") % {"name": head.name},
                choices=relations,
                initial=Relation.OTHER_KIN,
                help_text=_("Berlaku bila keluarga utama sudah punya kepala dan orangnya berbeda."),
            )
        self.order_fields(None)

    def side_of(self, name: str) -> str:
        """Return whose value of a field is chosen at present."""
        return str(self[f"v_{name}"].value())

    def picked(self) -> list[str]:
        """Return the fields whose value is the duplicate's."""
        return [
            choice.name
            for choice in self.preview.choices
            if self.cleaned_data[f"v_{choice.name}"] == "right"
        ]

    def same_people(self) -> list[tuple[int, int]]:
        """Return pairs (duplicate's member, survivor's member) that are one person."""
        return [
            (right.pk, left.pk)
            for left, right in self.preview.twins
            if self.cleaned_data[f"p_{right.pk}_{left.pk}"]
        ]


class UndoForm(ReasonForm):
    """Why two records are not one after all."""
