"""Numbers follow the reader's language."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils.translation import override

from guyub.programs.money import rupiah, rupiah_short
from guyub.reports.amounts import percent
from guyub.ui.numbers import decimal, grouped


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("id", ["1.250", "45,46", "-1.250,5", "Rp1.250.000", "45,5%", "100%", "Rp12,5"]),
        ("en", ["1,250", "45.46", "-1,250.5", "Rp1,250,000", "45.5%", "100%", "Rp12.5"]),
    ],
)
def test_signs_follow_the_language(language, expected):
    with override(language):
        assert [
            grouped(1250), decimal(45.456, 2), decimal(Decimal("-1250.5"), 1), rupiah(1_250_000),
            percent(Decimal("45.50")), percent(Decimal(100)), rupiah_short(12_500_000).split()[0],
        ] == expected  # fmt: skip
