"""Numeric questions: which numbers are asked for, what they are worth and how exact an answer must be."""

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.english import ENGLISH
from jobs.offline.generator import Wish, drafts
from jobs.offline.german import GERMAN
from jobs.offline.languages import Language
from schemas.questions import Numeric
from schemas.states import QuestionType
from tests.jobs.offline.reading import drafted, never


def numbers(text: str, language: Language = ENGLISH) -> list[Numeric]:
    found = (draft.content for draft in drafted(text, QuestionType.NUMERIC, language))
    return [content for content in found if isinstance(content, Numeric)]


@pytest.mark.parametrize(
    ("sentence", "answer", "tolerance"),
    [
        ("The membrane of the chloroplast contains a ring of 14 identical subunits in spinach.", 14, 0),
        ("The catalytic head of the synthase projects into the stroma and holds three active sites.", 3, 0),
        ("The mass of the enzyme RuBisCO is about 550 kilodaltons in the stroma of spinach.", 550, 55),
        ("The photosynthesis of the world captures roughly 1,300 terawatts of the energy of sunlight.", 1300, 130),
        ("The quantum yield of a healthy leaf of the spinach is 0.83 in the morning.", 0.83, 0.005),
        ("The diatoms of the ocean carry out almost 20% of all photosynthesis on Earth.", 20, 2),
        ("The cells of Prochlorococcus in the ocean measure only 0.6 micrometres in the light.", 0.6, 0.05),
    ],
)
def test_a_number_is_asked_for_as_exactly_as_the_text_states_it(sentence: str, answer: float, tolerance: float) -> None:
    [number] = numbers(sentence)
    assert (number.answer, number.tolerance) == pytest.approx((answer, tolerance))
    assert number.stem.startswith("Which number is missing? ")
    assert number.stem.count("____") == 1


def test_the_unit_stays_in_the_stem() -> None:
    [number] = numbers("The diatoms of the ocean carry out almost 20% of all photosynthesis on Earth.")
    assert "almost ____% of all" in number.stem


@pytest.mark.parametrize(
    ("sentence", "answer", "tolerance"),
    [
        ("Ein Signal legt in einer Glasfaser etwa 200.000 Kilometer pro Sekunde zurück.", 200_000, 20_000),
        ("Die Dämpfung einer Glasfaser beträgt 0,2 Dezibel auf jedem Kilometer der Leitung.", 0.2, 0.05),
        ("Das Referenzmodell verteilt die Aufgaben der Kommunikation auf sieben Schichten.", 7, 0),
    ],
)
def test_german_numbers_are_read_as_german(sentence: str, answer: float, tolerance: float) -> None:
    [number] = numbers(sentence, GERMAN)
    assert (number.answer, number.tolerance) == pytest.approx((answer, tolerance))
    assert number.stem.startswith("Welche Zahl fehlt? ")


def test_a_year_is_asked_for_as_a_year_and_only_once() -> None:
    [number] = numbers("Robert Hill and Fay Bendall proposed the Z-scheme of photosynthesis in 1960.")
    assert number.stem.startswith("In which year did this happen? Robert Hill and Fay Bendall proposed")
    assert (number.answer, number.tolerance) == (1960, 0)


@pytest.mark.parametrize(
    "sentence",
    [
        "The reaction centre is called P680, because its pair of chlorophylls absorbs best at 680 nm.",
        "The C4 pathway of sugarcane concentrates an acid with four carbon atoms in the leaf.",
        "The three-carbon sugar of the Calvin cycle is an acid with three carbon atoms in the stroma.",
    ],
)
def test_a_number_that_the_rest_of_the_sentence_names_is_not_asked_for(sentence: str) -> None:
    assert numbers(sentence) == []


def test_a_text_without_numbers_yields_none() -> None:
    assert numbers("A granum is a stack of thylakoids that resembles a pile of coins.") == []


def test_the_chapters_have_many(photosynthesis: Analysis, networks: Analysis) -> None:
    assert len(list(drafts(photosynthesis, Wish(QuestionType.NUMERIC), never))) >= 45
    assert len(list(drafts(networks, Wish(QuestionType.NUMERIC), never))) >= 12
