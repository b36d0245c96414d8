"""Texts for other programs."""

import pytest

from schemas.questions import Flashcard, Matching, Pair, TrueFalse
from schemas.states import QuestionType
from service.exports import texts
from tests.service.exports.contents import question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x1b[0m\x7f", "a␀b␛[0m␡"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("\tkept", "\tkept"),
        ("\ufffe\uffff\ud800", "\ufffd\ufffd\ufffd"),
        ("💧\x85\u202e", "💧\x85\u202e"),
    ],
)
def test_what_xml_can_not_hold_becomes_visible(text: str, expected: str) -> None:
    assert texts.plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<b title="x">R&D</b>', '&lt;b title="x"&gt;R&amp;D&lt;/b&gt;'),
        ("if x:\n\treturn  1", "if x:<br>&nbsp;&nbsp;&nbsp;&nbsp;return &nbsp;1"),
        ("a b", "a b"),
    ],
)
def test_html_shows_the_text_as_it_is(text: str, expected: str) -> None:
    assert texts.as_html(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("R&D < <b>", "R&D &lt; &lt;b>"),
        ("&lt; &#65;", "&amp;lt; &amp;#65;"),
        ("a\nb", "a b"),
        ("&&058;", "&amp;&amp;058;"),
    ],
)
def test_a_line_that_is_filtered_escapes_no_more_than_it_must(text: str, expected: str) -> None:
    assert texts.as_filtered_line(text) == expected


@pytest.mark.parametrize(
    ("value", "written"),
    [(5.0, "5"), (-2.5, "-2.5"), (1e-7, "0.0000001"), (1e22, "1" + "0" * 22), (-0.0, "0"), (0.1, "0.1")],
)
def test_numbers_are_written_without_an_exponent(value: float, written: str) -> None:
    assert texts.digits_of(value) == written


@pytest.mark.parametrize(
    ("value", "other", "written"), [(0.1, 0.2, "0.3"), (1e300, 1e-9, f"1{'0' * 300}.000000001"), (5.0, -0.0, "5")]
)
def test_numbers_are_added_as_they_are_written(value: float, other: float, written: str) -> None:
    assert texts.sum_of(value, other) == written


def test_a_name_is_a_short_line() -> None:
    assert texts.name_of(Flashcard(front="One\n two", back="x")) == "One two"
    assert texts.name_of(TrueFalse(stem="word " * 40, answer=True)) == "word " * 15 + "word…"
    pairs = (Pair(left="a", right="b"),) * 3
    assert texts.name_of(Matching(stem="Match.", pairs=pairs, extra_rights=())) == "Match."


def test_feedback_is_the_explanation_and_the_passage_each_once() -> None:
    plain = question(1, QuestionType.TRUE_FALSE, text="Light <is> seen.")
    told = plain.model_copy(update={"explanation": "It shines."})
    assert texts.feedback_of(plain) == "<p>Light &lt;is&gt; seen.</p>"
    assert texts.feedback_of(told) == "<p>It shines.</p><blockquote>Light &lt;is&gt; seen.</blockquote>"
    assert texts.feedback_of(question(1, QuestionType.TRUE_FALSE)) == ""


def test_a_label_is_told_once() -> None:
    asked = question(1, QuestionType.TRUE_FALSE, text="easy").model_copy(update={"tags": ("a\nb", "", "easy", "a b")})
    assert texts.labels_of(asked) == ["easy", "remember", "a b"]
