"""Where a sentence can be blanked, and what must not give the answer away."""

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.gaps import BLANK, TermGap, blanked, gaps_in, is_visible
from tests.jobs.offline.reading import analysed

ARTICLES = {"a": "a(n)", "an": "a(n)"}


def keys(sentence: str) -> set[str]:
    return {gap.key for gap in gaps_in(analysed(sentence))}


def test_an_article_that_would_tell_is_neutral() -> None:
    [statement] = analysed("An uncoupler is a substance that lets the protons leak.").statements
    assert blanked(statement, 1, 1, ARTICLES).startswith(f"A(n) {BLANK} is a substance")
    assert blanked(statement, 4, 4, ARTICLES).startswith(f"An uncoupler is a(n) {BLANK} that")


def test_other_words_stay_as_they_are() -> None:
    [statement] = analysed("The stroma contains the enzymes of the Calvin cycle.").statements
    assert blanked(statement, 1, 1, ARTICLES) == f"The {BLANK} contains the enzymes of the Calvin cycle."


@pytest.mark.parametrize(
    ("sentence", "hidden"),
    [
        ("RuBisCO activase removes the sugar phosphates from the site of RuBisCO.", "RuBisCO"),
        ("The photosystem of the leaf is one of two photosystems in the membrane.", "photosystem"),
        ("Adenosine triphosphate (ATP) carries the energy of the cell.", "ATP"),
        ("Adenosine triphosphate (ATP) carries the energy of the cell.", "adenosine triphosphate"),
    ],
)
def test_a_term_that_the_rest_of_the_sentence_names_is_no_gap(sentence: str, hidden: str) -> None:
    assert hidden not in keys(sentence)


def test_a_number_that_stands_there_twice_is_no_gap() -> None:
    assert "20" not in keys("The chain has 20 carbon atoms and the ring has 20 carbon atoms.")


def test_a_compound_with_the_key_is_visible() -> None:
    [statement] = analysed("The chloroplast envelope protects the photosystems of the leaf.").statements
    assert is_visible(("photosystem",), statement, 0, 0)
    assert not is_visible(("stroma",), statement, 0, 0)


def test_no_gap_of_the_chapter_shows_its_key(photosynthesis: Analysis) -> None:
    for gap in gaps_in(photosynthesis):
        stem = blanked(gap.statement, gap.first, gap.last, ARTICLES)
        assert stem.count(BLANK) == 1
        assert f" {gap.key.lower()} " not in f" {stem.lower()} "


def test_a_defined_term_is_worth_more_than_what_its_definition_mentions(photosynthesis: Analysis) -> None:
    merits = {
        gap.key.lower(): gap.merit
        for gap in gaps_in(photosynthesis)
        if isinstance(gap, TermGap) and gap.statement.text.startswith("Starch is a storage polymer")
    }
    assert merits["starch"] == max(merits.values())
    assert merits["starch"] > merits["glucose"]
