"""Which phrases are terms, how often they stand in the module and with which article."""

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.english import ENGLISH
from jobs.offline.terms import Shape, Term, is_worth_asking


def term(analysis: Analysis, text: str) -> Term:
    found = analysis.lexicon.terms.get(text.casefold())
    assert found is not None, f"{text} is a term; the module has {sorted(analysis.lexicon.terms)}"
    return found


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("RuBisCO", Shape.ACRONYM),
        ("P680", Shape.ACRONYM),
        ("Melvin Calvin", Shape.NAME),
        ("Sargasso Sea", Shape.NAME),
        ("Jan Baptist van Helmont", Shape.NAME),
        ("stroma", Shape.COMMON),
        ("thylakoid membrane", Shape.COMMON),
        ("light-dependent reactions", Shape.COMMON),
        ("photosystem II", Shape.COMMON),
        ("Z-scheme", Shape.COMMON),
    ],
)
def test_terms_have_shapes(photosynthesis: Analysis, text: str, shape: Shape) -> None:
    assert term(photosynthesis, text).shape is shape


def test_a_common_noun_loses_the_capital_of_its_sentence_and_a_name_keeps_it(photosynthesis: Analysis) -> None:
    assert term(photosynthesis, "sucrose").text == "sucrose"
    assert term(photosynthesis, "Theodor Engelmann").text == "Theodor Engelmann"


def test_number_follows_the_verb_where_the_word_is_new(photosynthesis: Analysis) -> None:
    assert term(photosynthesis, "stomata").is_plural
    assert term(photosynthesis, "cyanobacteria").is_plural
    assert not term(photosynthesis, "photosynthesis").is_plural


def test_the_article_is_remembered(photosynthesis: Analysis) -> None:
    assert term(photosynthesis, "stroma").frames == {"the"}
    assert "" in term(photosynthesis, "ATP").frames


def test_what_a_module_is_about_is_more_salient_than_what_it_mentions(photosynthesis: Analysis) -> None:
    assert term(photosynthesis, "RuBisCO").salience > term(photosynthesis, "tomatoes").salience


@pytest.mark.parametrize("text", ["process", "place", "times", "years"])
def test_words_of_no_content_are_not_worth_asking(photosynthesis: Analysis, text: str) -> None:
    assert not is_worth_asking(term(photosynthesis, text), ENGLISH)


@pytest.mark.parametrize("text", ["stroma", "RuBisCO", "carbon dioxide", "Hill reaction", "Peter Mitchell"])
def test_terms_of_the_matter_are_worth_asking(photosynthesis: Analysis, text: str) -> None:
    assert is_worth_asking(term(photosynthesis, text), ENGLISH)
