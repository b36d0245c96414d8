import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.providers.answer_stream import AnswerStream

QUESTIONS = [
    {"stem": 'Which {bracket} is "closed"?', "options": ["a]", "b\\"]},
    {"stem": "é ____", "more": {"deep": [{}]}},
]


def read(*pieces: str) -> tuple[list[object], AnswerStream]:
    stream = AnswerStream()
    return [json.loads(raw) for piece in pieces for raw in stream.feed(piece)], stream


def test_each_question_is_handed_over_by_the_piece_that_closes_it() -> None:
    stream = AnswerStream()
    assert stream.feed('{"questions": [{"stem": "a') == []
    assert stream.feed('"}') == ['{"stem": "a"}']
    assert stream.feed(', {"stem": "b"}, {"st') == ['{"stem": "b"}']
    assert stream.feed('em": "c"}]}') == ['{"stem": "c"}']
    assert stream.is_complete
    assert stream.question_count == 3


def test_one_character_at_a_time_gives_the_same() -> None:
    questions, stream = read(*json.dumps({"questions": QUESTIONS}))
    assert questions == QUESTIONS
    assert stream.is_complete


@given(
    questions=st.lists(st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.booleans()), max_size=4),
    cuts=st.lists(st.integers(0, 400)),
    as_ascii=st.booleans(),
)
def test_where_the_text_is_cut_makes_no_difference(
    questions: list[dict[str, object]], cuts: list[int], as_ascii: bool
) -> None:
    text = json.dumps({"questions": questions}, ensure_ascii=as_ascii)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    found, stream = read(*(text[start:end] for start, end in pairwise(places)))
    assert found == questions
    assert stream.is_complete


@pytest.mark.parametrize(
    "text",
    [
        'Here are "two" of them, as you\'d like:\n```json\n{"questions": [{"n": 1}, {"n": 2}]}\n```\nEnjoy!',
        '[{"n": 1}, {"n": 2}]',
        'See [1]. {"note": {"n": 0}, "questions": [{"n": 1}, {"n": 2}]}',
    ],
)
def test_what_stands_around_the_questions_is_skipped(text: str) -> None:
    questions, stream = read(text)
    assert questions == [{"n": 1}, {"n": 2}]
    assert stream.is_complete


def test_an_answer_that_breaks_off_keeps_what_was_closed() -> None:
    questions, stream = read('{"questions": [{"n": 1}, {"n": ')
    assert questions == [{"n": 1}]
    assert not stream.is_complete


def test_after_brackets_that_do_not_match_nothing_more_is_believed() -> None:
    questions, stream = read('{"questions": [{"n": 1}, {"n": 2]}, {"n": 3}]}')
    assert questions == [{"n": 1}]
    assert not stream.is_complete


def test_prose_is_no_answer() -> None:
    questions, stream = read("I would rather not.")
    assert questions == []
    assert not stream.is_complete


def test_an_object_outside_of_any_array_is_no_question() -> None:
    assert read('{"stem": "alone"}')[0] == []
