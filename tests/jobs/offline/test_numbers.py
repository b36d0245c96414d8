"""Which numbers can be asked for, and what wrong ones look like."""

from itertools import chain

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.english import ENGLISH
from jobs.offline.german import GERMAN
from jobs.offline.languages import Language
from jobs.offline.numbers import NumberKind, wrong_numbers
from tests.jobs.offline.reading import analysed


def wrong(sentence: str, language: Language = ENGLISH) -> list[str]:
    analysis = analysed(sentence, language)
    [number] = analysis.numbers
    return wrong_numbers(number, analysis.number_groups, language)


@pytest.mark.parametrize(
    ("sentence", "text", "kind"),
    [
        ("Peter Mitchell proposed the theory of the gradient in 1961.", "1961", NumberKind.YEAR),
        ("The tail of the molecule has 20 carbon atoms in a chain.", "20", NumberKind.VALUE),
        ("The cluster consists of four manganese ions in the membrane.", "four", NumberKind.NUMERAL),
        ("The plants provide almost 25% of the production on land.", "25%", NumberKind.VALUE),
    ],
)
def test_years_values_and_numerals_are_found(sentence: str, text: str, kind: NumberKind) -> None:
    [number] = analysed(sentence).numbers
    assert (number.text, number.kind) == (text, kind)


@pytest.mark.parametrize(
    "sentence",
    [
        "The chloroplasts of the leaf are 5 to 10 micrometres long.",
        "The server runs on version 2.4 of the kernel in the rack.",
        "The address 192.168.1.7 is in the private range of the network.",
        "The meeting was on the 14 July in the garden of the institute.",
        "The keys of the cipher have 128, 192 or 256 bits.",
        "The library holds 1500+ books on the life of the plants.",
        "The stroma (2) is the fluid that fills the chloroplast.",
    ],
)
def test_ranges_versions_addresses_and_days_are_left_alone(sentence: str) -> None:
    assert all(number.text == "256" for number in analysed(sentence).numbers)


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("The mass of the enzyme is about 550 kilodaltons in the leaf.", ENGLISH),
        ("The yield of the leaf is 0.83 units in the shade of the tree.", ENGLISH),
        ("The gas rises to 1,000 ppm in the glasshouse of the growers.", ENGLISH),
        ("The plants provide almost 25% of the production on land.", ENGLISH),
        ("Der Wurm befiel etwa 6.000 Rechner in den Netzen der Welt.", GERMAN),
        ("Die Ausbeute des Blattes liegt bei 0,83 Einheiten in der Sonne.", GERMAN),
    ],
)
def test_wrong_values_are_written_like_the_right_one(sentence: str, language: Language) -> None:
    [number] = analysed(sentence, language).numbers
    found = wrong(sentence, language)
    assert len(found) >= 3
    assert number.text not in found
    marks = {char for char in number.text if not char.isdigit()}
    assert all({char for char in text if not char.isdigit()} <= marks for text in found)


def test_wrong_years_are_years_nearby() -> None:
    found = wrong("Peter Mitchell proposed the theory of the gradient in 1961.")
    assert len(set(found)) == len(found) >= 3
    assert all(1900 < int(text) < 2030 and text != "1961" for text in found)


def test_wrong_numerals_are_numerals() -> None:
    found = wrong("The cluster consists of four manganese ions in the membrane.")
    assert set(found[:3]) <= set(ENGLISH.grammar.numerals) - {"four"}


def test_no_wrong_number_stands_in_its_sentence(photosynthesis: Analysis) -> None:
    for number in photosynthesis.numbers:
        found = wrong_numbers(number, photosynthesis.number_groups, ENGLISH)
        assert len(found) >= 3
        assert {token.lower for token in number.statement.tokens}.isdisjoint(found)


def test_the_right_number_is_not_always_in_the_middle(photosynthesis: Analysis) -> None:
    places = set()
    for number in photosynthesis.numbers:
        if number.kind is NumberKind.YEAR:
            found = wrong_numbers(number, photosynthesis.number_groups, ENGLISH)[:3]
            places.add(sorted(map(int, chain(found, [number.text]))).index(int(number.text)))
    assert len(places) >= 3
