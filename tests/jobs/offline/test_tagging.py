"""Words and their kinds, as the tagger gives them to us."""

import pytest

from jobs.offline.english import ENGLISH
from jobs.offline.german import GERMAN
from jobs.offline.languages import Kind, Language
from jobs.offline.tagging import Tagger, tagger_for
from jobs.offline.tokens import RARITY_MAX


def words(text: str, language: Language = ENGLISH) -> list[str]:
    return [token.text for token in tagger_for(language).tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RuBisCO binds CO2.", ["RuBisCO", "binds", "CO2", "."]),
        ("It makes 3-phosphoglycerate.", ["It", "makes", "3-phosphoglycerate", "."]),
        ("Ribulose-1,5-bisphosphate is a sugar.", ["Ribulose-1,5-bisphosphate", "is", "a", "sugar", "."]),
        ("It costs 1,000.50 or 25% of it.", ["It", "costs", "1,000.50", "or", "25%", "of", "it", "."]),
        ("The plant's leaf", ["The", "plant", "'s", "leaf"]),
        ("Kristoffer H. Rose", ["Kristoffer", "H.", "Rose"]),
        ("the 1980s", ["the", "1980s"]),
    ],
)
def test_words_are_cut_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_words_know_where_they_stand() -> None:
    text = "Stomata open at night."
    assert all(text[token.start : token.end] == token.text for token in tagger_for(ENGLISH).tokens(text))


def test_kinds_and_number_are_told_in_english() -> None:
    tokens = {token.text: token for token in tagger_for(ENGLISH).tokens("The green leaves absorb 680 photons quickly.")}
    assert tokens["leaves"].kind is Kind.NOUN
    assert tokens["leaves"].is_plural
    assert tokens["green"].kind is Kind.ADJECTIVE
    assert tokens["680"].kind is Kind.NUMBER
    assert tokens["."].kind is Kind.MARK


def test_number_is_told_from_the_base_form_in_german() -> None:
    tokens = {token.text: token for token in tagger_for(GERMAN).tokens("Die Adressen des Netzes stehen im Kopf.")}
    assert tokens["Adressen"].is_plural
    assert not tokens["Netzes"].is_plural
    assert not tokens["Kopf"].is_plural


def test_a_word_that_nobody_uses_is_rarer_than_a_common_one() -> None:
    common, rare = (tagger_for(ENGLISH).tokens(text)[1].rarity for text in ("the time", "the thylakoid"))
    assert common < 8 < rare <= RARITY_MAX


@pytest.mark.parametrize("text", ["", "   ", "😀", "\ud800", "e" + "\u0301" * 10_000, "a" * 10_000, "\u202e\x00"])
def test_strange_texts_are_read_without_complaint(text: str) -> None:
    assert isinstance(tagger_for(ENGLISH).tokens(text), tuple)


def test_a_language_is_loaded_once() -> None:
    assert tagger_for(GERMAN) is tagger_for(GERMAN)


def test_a_new_tagger_agrees_with_one_that_has_seen_much() -> None:
    text = "Plastoquinone carries the electrons to the cytochrome complex."
    seasoned = tagger_for(ENGLISH).tokens(text)
    assert Tagger(ENGLISH).tokens(text) == seasoned
