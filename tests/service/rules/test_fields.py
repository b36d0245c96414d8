"""The texts of a question: tidied without loss, listed without a gap."""

import pytest

from schemas.questions import (
    CONTENT_OF,
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from service.rules.fields import (
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    fields_of,
    is_blank,
    is_storable,
    tidied,
    tidied_tags,
    tidied_text,
)

SAMPLES: list[Content] = [
    MultipleChoice(stem="s", options=("x", "y", "z"), answer=0),
    MultipleResponse(stem="s", options=("x", "y", "z"), answers=(0, 2)),
    TrueFalse(stem="s", answer=True),
    FillInBlank(stem="s", answers=("x", "y")),
    ShortAnswer(stem="s", answers=("x", "y")),
    Matching(stem="s", pairs=(Pair(left="a", right="b"), Pair(left="c", right="d")), extra_rights=("e",)),
    Numeric(stem="s", answer=2.5, tolerance=0.5),
    Flashcard(front="f", back="b"),
    Vocabulary(term="t", definition="d", example="e"),
]
assert {type(sample) for sample in SAMPLES} == set(CONTENT_OF.values()), "every question type needs a sample"


def texts_in(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for part in value.values() for text in texts_in(part)]
        case tuple():
            return [text for part in value for text in texts_in(part)]
        case _:
            return []


@pytest.mark.parametrize("content", SAMPLES, ids=lambda content: type(content).__name__)
def test_every_text_of_every_type_is_listed(content: Content) -> None:
    assert sorted(field.text for field in fields_of(content)) == sorted(texts_in(content.model_dump()))


@pytest.mark.parametrize("content", SAMPLES, ids=lambda content: type(content).__name__)
def test_tidy_content_stays_as_it_is(content: Content) -> None:
    assert tidied(content) == content


def test_text_is_tidied_in_every_field() -> None:
    assert tidied(Flashcard(front=" cafe\u0301\r\n", back="a\u2028b ")) == Flashcard(front="café", back="a\nb")
    assert tidied(MultipleChoice(stem=" a ", options=(" b", "c\n"), answer=1)) == MultipleChoice(
        stem="a", options=("b", "c"), answer=1
    )
    pairs = (Pair(left=" a", right="b "),)
    assert tidied(Matching(stem="s ", pairs=pairs, extra_rights=(" c",))) == Matching(
        stem="s", pairs=(Pair(left="a", right="b"),), extra_rights=("c",)
    )
    assert tidied(Numeric(stem=" s", answer=1, tolerance=2)) == Numeric(stem="s", answer=1, tolerance=2)


def test_the_indexes_of_right_options_ascend_each_once() -> None:
    content = tidied(MultipleResponse(stem="a", options=("b", "c", "d"), answers=(2, 0, 2)))
    assert content == MultipleResponse(stem="a", options=("b", "c", "d"), answers=(0, 2))


def test_the_first_of_several_spellings_of_an_answer_is_kept() -> None:
    assert tidied(ShortAnswer(stem="a", answers=("UDP", "udp", "IP", "UDP.", " IP"))) == ShortAnswer(
        stem="a", answers=("UDP", "IP")
    )


def test_two_underscores_are_no_gap_and_two_gaps_stay_two() -> None:
    assert tidied(FillInBlank(stem="__init__ ___ and ______", answers=("x",))) == FillInBlank(
        stem="__init__ ____ and ____", answers=("x",)
    )


def test_missing_answers_are_listed_as_an_empty_one() -> None:
    assert [field.text for field in fields_of(ShortAnswer(stem="a", answers=()))] == ["a", ""]


def test_tags_that_can_not_be_shown_are_left_out() -> None:
    tags = ("TCP", " TCP", "a\n b", "", "\u200b", "\x00", "x" * (TAG_CHARACTERS_MAX + 1), "é")
    assert tidied_tags(tags) == ("TCP", "a b", "é")
    assert len(tidied_tags([str(number) for number in range(100)])) == TAGS_MAX


@pytest.mark.parametrize(
    ("text", "expected"), [("", True), (" \n\u200b\u00ad\u2060", True), (".", False), ("光", False)]
)
def test_what_nobody_can_see_is_blank(text: str, expected: bool) -> None:
    assert is_blank(text) is expected


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0c", "\x1b", "\x7f", "\x9f", "\ud800", "\uffff"])
def test_control_characters_and_broken_unicode_can_not_be_stored(character: str) -> None:
    assert not is_storable(f"a{character}b")
    assert is_storable(tidied_text("a\r\n\tb \u200d é 光 🧬"))
