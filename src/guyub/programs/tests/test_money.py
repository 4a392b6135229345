import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.programs.money import LIMIT, BadAmountError, parse_rupiah, rupiah, rupiah_short

amounts = st.integers(0, LIMIT - 1)


@given(amounts)
def test_what_is_shown_reads_back(amount):
    shown = rupiah(amount)
    for text in (
        shown,
        str(amount),
        f"{shown},00",
        f"{shown},-",
        f"Rp {amount:,}.00",
        f" {shown} ",
    ):
        assert parse_rupiah(text) == amount


@given(st.text(max_size=15))
def test_any_text_is_an_amount_or_is_refused(text):
    try:
        amount = parse_rupiah(text)
    except BadAmountError as error:
        assert str(error)
    else:
        assert 0 <= amount < LIMIT


@pytest.mark.parametrize(
    "text", ["", "-5", "1.5", "12,5 juta", "1.00.000", "1e9", "Rp", "１２", str(LIMIT)]
)
def test_doubtful_amounts_are_refused(text):
    with pytest.raises(BadAmountError):
        parse_rupiah(text)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(None, "–"), (0, "Rp0"), (999_999, "Rp999.999"), (1_250_000_000, "Rp1,25 miliar"),
     (20_000_000, "Rp20 juta"), (191_800_000_000, "Rp192 miliar"),
     (1_443_700_000_000, "Rp1,44 triliun")],
)  # fmt: skip
def test_short_amounts(amount, shown):
    assert rupiah_short(amount) == shown
