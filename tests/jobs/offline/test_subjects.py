"""Which sentences can be turned into "Who", "What" and "In which year"."""

import pytest

from jobs.offline.english import ENGLISH
from jobs.offline.german import GERMAN
from jobs.offline.languages import Language
from jobs.offline.subjects import subject_questions, year_questions
from tests.jobs.offline.reading import analysed


@pytest.mark.parametrize(
    ("sentence", "key", "rest"),
    [
        (
            "Daniel Arnon discovered photophosphorylation in the leaves of spinach.",
            "Daniel Arnon",
            "discovered photophosphorylation in the leaves of spinach",
        ),
        (
            "Robert Hill and Fay Bendall proposed the Z-scheme of the chloroplast.",
            "Robert Hill and Fay Bendall",
            "proposed the Z-scheme of the chloroplast",
        ),
        (
            "Jan Baptist van Helmont planted a willow in a pot of dry soil.",
            "Jan Baptist van Helmont",
            "planted a willow in a pot of dry soil",
        ),
    ],
)
def test_persons_are_asked_for_by_who(sentence: str, key: str, rest: str) -> None:
    [question] = [found for found in subject_questions(analysed(sentence)) if found.is_somebody]
    assert (question.key, question.rest) == (key, rest)


def test_a_thing_is_asked_for_without_its_article() -> None:
    [question] = subject_questions(analysed("The thylakoid membrane contains both photosystems of the plant."))
    assert question.key == "thylakoid membrane"
    assert question.rest == "contains both photosystems of the plant"
    assert not question.is_somebody


@pytest.mark.parametrize(
    "sentence",
    [
        "A mistake leads to a loss of all the data on the disk.",
        "Chlorophyll is the colour of the leaves in the whole of the summer.",
        "Chlorophyll absorbs light; the rest is reflected by the green leaf.",
        "In the leaf chlorophyll absorbs the light of the sun in the morning.",
    ],
)
def test_other_subjects_are_not_asked_for(sentence: str) -> None:
    assert list(subject_questions(analysed(sentence))) == []


@pytest.mark.parametrize(
    ("sentence", "language", "without"),
    [
        (
            "Bessel Kok explained in 1970 that the complex cycles through its states.",
            ENGLISH,
            "Bessel Kok explained that the complex cycles through its states.",
        ),
        (
            "In 1966, André Jagendorf tested the theory of the gradient in the dark.",
            ENGLISH,
            "André Jagendorf tested the theory of the gradient in the dark.",
        ),
        (
            "Paul Mockapetris entwarf das Domain Name System im Jahr 1983.",
            GERMAN,
            "Paul Mockapetris entwarf das Domain Name System.",
        ),
    ],
)
def test_a_year_is_taken_out_of_its_sentence(sentence: str, language: Language, without: str) -> None:
    [question] = year_questions(analysed(sentence, language))
    assert question.sentence == without
    assert question.key in sentence


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("The team mapped the cycle between 1946 and 1953 in the laboratory.", ENGLISH),
        ("Im Jahr 1969 verband das Netz die Rechner von vier Hochschulen.", GERMAN),
    ],
)
def test_a_sentence_that_would_break_is_left_alone(sentence: str, language: Language) -> None:
    assert list(year_questions(analysed(sentence, language))) == []
