"""Where a quote stands in a text: as it is, folded, nearly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.evidence import locate

TEXT = (
    "Photosynthesis converts light energy\n   into chemical energy. It\u2019s the “engine” of nearly every food web —\n"
    "and plants use **water** as the source of `electrons`. Soft\u00adware is some\u200bthing else. "
    "Plants absorb mostly red and blue light; green light is reflected by the leaves of nearly all land plants."
)


def found(quote: str, text: str = TEXT) -> str | None:
    span = locate(quote, text)
    return None if span is None else text[span.start : span.end]


@pytest.mark.parametrize(
    ("quote", "passage"),
    [
        ("converts light energy\n   into chemical", "converts light energy\n   into chemical"),
        ("converts light energy into chemical energy.", "converts light energy\n   into chemical energy."),
        ("converts  light\tenergy into\nchemical", "converts light energy\n   into chemical"),
        ("Converts light energy INTO chemical", "converts light energy\n   into chemical"),
        ('It\'s the "engine" of', "It\u2019s the “engine” of"),
        ("food web - and plants", "food web —\nand plants"),
        ("plants use water as the source of electrons", "plants use **water** as the source of `electrons"),
        ("Software is something else", "Soft\u00adware is some\u200bthing else"),
        ('"Plants absorb mostly red and blue light."', "Plants absorb mostly red and blue light"),
        ("  light  ", "light"),
    ],
)
def test_a_quote_is_found_without_regard_to_what_readers_do_not_see(quote: str, passage: str) -> None:
    assert found(quote) == passage
    span = locate(quote, TEXT)
    assert span is not None
    assert span.is_verbatim


@pytest.mark.parametrize(
    ("quote", "passage"),
    [
        (
            "Plants absorb mainly red and blue light; green light is reflected by the leaves of nearly all land plants",
            "Plants absorb mostly red and blue light; green light is reflected by the leaves of nearly all land plants",
        ),
        (
            "Plants absorb mostly red and blue light; green light is reflected by leaves of nearly all land plants.",
            TEXT[-106:],
        ),
    ],
)
def test_a_long_quote_may_differ_in_a_word(quote: str, passage: str) -> None:
    span = locate(quote, TEXT)
    assert span is not None
    assert not span.is_verbatim
    assert TEXT[span.start : span.end] == passage


@pytest.mark.parametrize(
    "quote",
    [
        "",
        " … ",
        "Plants absorb green light; red and blue light is reflected",
        "respiration converts chemical energy",
        "red light blue",
        TEXT + " and then a good deal more that nobody ever wrote into this module",
    ],
)
def test_what_the_text_does_not_say_is_not_found(quote: str) -> None:
    assert found(quote) is None


@pytest.mark.parametrize(("quote", "is_there"), [("cat", False), ("the cat", False), ("con", False), ("IP", True)])
def test_a_short_quote_does_not_match_inside_words(quote: str, is_there: bool) -> None:
    assert (locate(quote, "We concatenate the catalogue over TCP/IP.") is not None) is is_there


def test_a_short_quote_is_found_at_the_place_where_it_is_a_word_of_its_own() -> None:
    span = locate("cat", "concatenate, catalogue, cat")
    assert span is not None
    assert span.start == 24


def test_a_short_quote_in_a_script_without_word_spaces_is_found() -> None:
    assert found("阳光", "光合作用需要阳光和水。") == "阳光"


def test_a_fabricated_quote_is_not_excused_by_a_short_text() -> None:
    assert found("light energy is converted into chemical energy by plants", "light energy") is None


def test_a_quote_at_the_very_end_of_the_text_may_differ_too() -> None:
    text = "Nothing of this matters. " + "The stroma fills the interior of the chloroplast"
    assert found("The stroma fills all the interior of the chloroplast", text) == text[25:]


def test_a_letter_that_grows_in_lower_case_does_not_shift_what_follows() -> None:
    text = "İİİİ İstanbul lies on two continents, Europe and Asia."
    assert found("lies on  two continents,  europe", text) == "lies on two continents, Europe"


def test_one_edit_anywhere_in_a_sentence_is_forgiven() -> None:
    sentence = TEXT[-104:]
    for position in range(5, len(sentence) - 5):
        passage = found(sentence[:position] + "#" + sentence[position + 1 :])
        assert passage is not None
        assert abs(len(passage) - len(sentence)) <= 12


@pytest.mark.parametrize("unit", ["a", "ab", "the cat sat on the mat. "])
def test_a_text_that_repeats_itself_is_searched_within_bounds(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    passage = text[:600]
    broken = passage[:300] + "zzzz" + passage[304:]
    assert locate(broken, text) is not None
    assert locate("zzzz".join(passage[i : i + 4] for i in range(0, 600, 4)), text) is None


PIECES = st.text(
    alphabet=st.one_of(st.sampled_from("aB .,\n\t\u00a0*_`-\u2013“”'\u00ad\u200bİß光ﬁ"), st.characters()), max_size=80
)


@settings(max_examples=300, deadline=None)
@given(before=PIECES, quote=PIECES, after=PIECES)
def test_whatever_is_copied_from_a_text_is_found_there(before: str, quote: str, after: str) -> None:
    text = f"{before} {quote} {after}"
    span = locate(quote, text)
    if not any(map(str.isalnum, quote)):
        assert span is None
        return
    assert span is not None
    assert span.is_verbatim
    assert text[span.start : span.end] == quote.strip()


@settings(max_examples=300, deadline=None)
@given(words=st.lists(PIECES.filter(lambda piece: any(map(str.isalnum, piece))), min_size=1, max_size=6))
def test_whatever_is_copied_with_other_spacing_is_found_there(words: list[str]) -> None:
    text = "\n\n".join(words)
    span = locate("  ".join(" ".join(word.split()) for word in words), text)
    assert span is not None
    assert 0 <= span.start < span.end <= len(text)


@settings(max_examples=300, deadline=None)
@given(quote=st.text(), text=st.text())
def test_any_two_texts_can_be_compared(quote: str, text: str) -> None:
    span = locate(quote, text)
    assert span is None or 0 <= span.start < span.end <= len(text)
