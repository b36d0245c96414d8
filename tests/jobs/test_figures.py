"""Numbers as the languages write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.figures import names, values_of


@pytest.mark.parametrize(
    ("numbers", "language", "values"),
    [
        (["1,000", "2.5"], "en", ["1000", "2.5"]),
        (["1.000", "2,5"], "de", ["1000", "2.5"]),
        (["1.000", "2,5"], "no", ["1000", "2.5"]),
        (["0,5", "1,25"], "en", ["0.5", "1.25"]),
        (["8 080"], "fi-FI", ["8080"]),
        (["\u0663"], "ar", ["3"]),
    ],
)
def test_numbers_are_read_in_the_one_way_that_fits_them_all(
    numbers: list[str], language: str, values: list[str]
) -> None:
    assert values_of(numbers, language) == [Decimal(value) for value in values]


@pytest.mark.parametrize("numbers", [["1.2.3"], ["1,000.5", "0,5"], [""]])
def test_what_fits_no_way_of_writing_has_no_value(numbers: list[str]) -> None:
    assert values_of(numbers, "en") is None


@pytest.mark.parametrize(
    ("text", "value", "language"),
    [
        ("A mass of 1,200 kilograms.", 1200, "en"),
        ("Five of them", 5, "en"),
        ("in 1966, and later", 1966, "en"),
        ("about 20%.", 20, "en"),
        ("Yhdeksän kertaa", 9, "fi"),
        ("ein pH von 5,5", 5.5, "de"),
    ],
)
def test_a_text_names_a_number(text: str, value: float, language: str) -> None:
    assert names(text, value, tolerance=0, language=language)
    assert not names(text, value + 0.5, tolerance=0.25, language=language)
    assert names(text, value + 0.5, tolerance=0.5, language=language)


@pytest.mark.parametrize(("text", "value"), [("someone", 1), ("12,000", 12), ("often", 10), ("", 0)])
def test_a_part_of_a_longer_number_or_word_is_none(text: str, value: float) -> None:
    assert not names(text, value, tolerance=0, language="en")


@given(text=st.text(), language=st.sampled_from(["en", "de", "xx", ""]))
def test_any_text_can_be_searched(text: str, language: str) -> None:
    assert names(text, 1.5, tolerance=0, language=language) in (True, False)
