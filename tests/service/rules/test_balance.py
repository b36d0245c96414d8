"""Batches whose answers can be guessed are told from those that are uneven by chance."""

import random
from collections.abc import Sequence

import pytest

from schemas.questions import Content, MultipleChoice, ShortAnswer, TrueFalse
from service.rules.balance import KEY_POSITION, QUESTIONS_MIN, TRUE_FALSE, flaws_of


def statements(true: int, false: int) -> list[Content]:
    answers = [True] * true + [False] * false
    return [TrueFalse(stem=f"Statement {number}.", answer=answer) for number, answer in enumerate(answers)]


def choices(positions: Sequence[int], options: int = 4) -> list[Content]:
    texts = tuple("abcdef"[:options])
    return [MultipleChoice(stem=f"Question {n}?", options=texts, answer=at) for n, at in enumerate(positions)]


@pytest.mark.parametrize(("true", "false"), [(7, 13), (13, 7), (10, 10), (6, 4), (8, 1)])
def test_a_batch_between_35_and_65_percent_true_or_too_small_to_tell_has_no_flaw(true: int, false: int) -> None:
    assert set(flaws_of(statements(true, false))) == {None}


@pytest.mark.parametrize(("true", "false"), [(14, 6), (20, 0), (7, 3)])
def test_the_answer_that_is_given_too_often_is_marked(true: int, false: int) -> None:
    assert flaws_of(statements(true, false)) == [TRUE_FALSE] * true + [None] * false
    assert flaws_of(statements(false, true)) == [None] * false + [TRUE_FALSE] * true


def test_keys_in_one_place_are_marked_there_and_only_there() -> None:
    positions = [1] * 12 + [0, 0, 2, 2, 3, 3, 0, 3]
    assert flaws_of(choices(positions)) == [KEY_POSITION] * 12 + [None] * 8


def test_forty_percent_of_the_keys_in_one_place_are_not_too_many_of_four_options() -> None:
    assert set(flaws_of(choices([0] * 20 + [1] * 10 + [2] * 10 + [3] * 10))) == {None}
    assert KEY_POSITION in flaws_of(choices([0] * 22 + [1] * 10 + [2] * 9 + [3] * 9))


def test_with_three_options_more_of_the_keys_may_stand_in_one_place() -> None:
    assert set(flaws_of(choices([0] * 15 + [1] * 8 + [2] * 7, options=3))) == {None}
    assert KEY_POSITION in flaws_of(choices([0] * 19 + [1] * 6 + [2] * 5, options=3))


def test_a_few_questions_are_never_marked() -> None:
    assert set(flaws_of(choices([1] * (QUESTIONS_MIN - 1)))) == {None}


@pytest.mark.parametrize("size", [10, 20, 50])
def test_positions_drawn_by_lot_are_marked_in_few_batches(size: int) -> None:
    lot = random.Random(size)
    marked = sum(KEY_POSITION in flaws_of(choices([lot.randrange(4) for _ in range(size)])) for _ in range(1000))
    assert marked < 70


def test_questions_of_other_types_and_mixed_sizes_are_left_alone() -> None:
    card = ShortAnswer(stem="What?", answers=("this",))
    mixed = [card, *choices([2] * 20, options=6), *choices([0, 1, 2] * 5, options=3)]
    found = flaws_of(mixed)
    assert found[0] is None
    assert found[1:21] == [KEY_POSITION] * 20
    assert flaws_of([]) == []
