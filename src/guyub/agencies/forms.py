"""Forms for agencies."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.agencies.models import Agency

MOST_FUNCTIONS = 40
LONGEST_FUNCTION = 500
# What people paste in front of each line: "1.", "a)", "-", "•".
_NUMBERING = re.compile(r"^\s*(?:\d{1,2}[.)]|[a-zA-Z][.)]|[-–•*·])\s+")

phone_number = RegexValidator(
    r"^\+?[\d\s().,/-]{5,40}$",
    gettext_lazy("Tulis nomor telepon dengan angka, misalnya (0281) 123456."),
)


class AgencyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the directory says of an agency; its functions one a line."""

    functions = forms.CharField(
        label=gettext_lazy("Fungsi"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=gettext_lazy(
            "Satu fungsi per baris, urut seperti dalam peraturannya. Nomor di awal baris dibuang."
        ),
    )
    website = forms.URLField(
        label=gettext_lazy("Situs"), required=False, max_length=200, assume_scheme="https"
    )
    phone = forms.CharField(
        label=gettext_lazy("Telepon kantor"),
        required=False,
        max_length=40,
        validators=[phone_number],
    )

    class Meta:
        model = Agency
        fields = (
            "code",
            "name",
            "short_name",
            "head_name",
            "head_title",
            "phone",
            "email",
            "website",
            "address",
            "duty",
            "regulation",
            "topics",
        )
        widgets = {
            "duty": forms.Textarea(attrs={"rows": 3}),
            "topics": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "code": gettext_lazy(
                "Huruf kecil, angka dan tanda hubung, misalnya dinkes. Tidak dapat diubah kemudian."
            ),
            "email": gettext_lazy("Alamat surel kantor, bukan surel pribadi."),
            "regulation": gettext_lazy("Peraturan yang menetapkan tugas dan fungsinya."),
            "topics": gettext_lazy(
                "Kata sehari-hari yang dipakai orang saat bertanya, dipisah koma. Misalnya: rumah, "
                "bedah rumah, RTLH, permukiman kumuh."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # The code stands in addresses and files, so it never changes.
            del self.fields["code"]
            lines = self.instance.functions.values_list("text", flat=True)
            self.fields["functions"].initial = "\n".join(lines)

    def clean_topics(self) -> str:
        parts = re.split(r"[,;\n]", self.cleaned_data["topics"])
        kept = dict.fromkeys(" ".join(part.split()) for part in parts if part.strip())
        return ", ".join(kept)

    def clean_functions(self) -> list[str]:
        """Return the functions in order, without the numbering that people paste."""
        functions: list[str] = []
        first_line: dict[str, int] = {}
        errors = []
        for number, line in enumerate(self.cleaned_data["functions"].splitlines(), start=1):
            text = " ".join(_NUMBERING.sub("", line).split())
            if not text:
                continue
            key = text.casefold()
            if len(text) > LONGEST_FUNCTION:
                message = _("Baris %(line)d terlalu panjang: paling banyak %(limit)d huruf.")
                errors.append(message % {"line": number, "limit": LONGEST_FUNCTION})
            elif key in first_line:
                message = _("Baris %(line)d sama dengan baris %(first)d. Hapus salah satunya.")
                errors.append(message % {"line": number, "first": first_line[key]})
            else:
                first_line[key] = number
                functions.append(text)
        if len(functions) > MOST_FUNCTIONS:
            message = _("Ada %(count)d fungsi; paling banyak %(limit)d. Gabungkan yang serupa.")
            errors.append(message % {"count": len(functions), "limit": MOST_FUNCTIONS})
        if errors:
            raise forms.ValidationError(errors)
        return functions

    def values(self) -> dict[str, Any]:
        """Return the model fields that were entered, ready for a service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "functions"}


class StatusForm(forms.Form):
    """Why an agency is closed or opened again."""

    reason = forms.CharField(
        label=gettext_lazy("Alasan"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Tercatat dalam jejak audit."),
    )
