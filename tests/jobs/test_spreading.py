"""How questions are spread over topics."""

from collections.abc import Sequence

import pytest

from jobs.spreading import in_turn, topic_at
from schemas.states import QuestionType
from schemas.topics import Topic

CHOICE = QuestionType.MULTIPLE_CHOICE


def topics(*starts: int) -> tuple[Topic, ...]:
    return tuple(Topic(name=str(start), quote="x", start=start, end=start + 1) for start in starts)


def turn(
    starts: Sequence[int], asked: Sequence[int] = (), kind: QuestionType = CHOICE, lane: int = 0, lanes: int = 1
) -> list[int]:
    own, others = in_turn(topics(*starts), asked, kind, lane, lanes)
    assert sorted([*own, *others], key=lambda topic: topic.start) == list(topics(*starts))
    return [topic.start for topic in own]


@pytest.mark.parametrize(("place", "start"), [(0, 10), (10, 10), (19, 10), (20, 20), (29, 20), (500, 30)])
def test_a_place_belongs_to_the_topic_that_began_last(place: int, start: int) -> None:
    assert topic_at(topics(10, 20, 30), place).start == start


def test_the_topics_with_the_fewest_questions_come_first() -> None:
    assert turn([10, 20, 30]) == [10, 20, 30]
    assert turn([10, 20, 30], asked=[11, 12, 25]) == [30, 20, 10]


def test_batches_that_run_at_once_have_topics_of_their_own() -> None:
    starts = [10, 20, 30, 40, 50]
    lanes = [turn(starts, lane=lane, lanes=3) for lane in range(3)]
    assert lanes == [[10, 40], [20, 50], [30]]


def test_of_more_batches_than_topics_each_has_one() -> None:
    assert [turn([10, 20], lane=lane, lanes=4) for lane in range(4)] == [[10], [20], [10], [20]]


def test_batches_of_different_types_begin_at_different_topics() -> None:
    starts = list(range(10, 130, 10))
    assert len({turn(starts, kind=kind)[0] for kind in QuestionType}) == len(QuestionType)
    assert all(sorted(turn(starts, kind=kind)) == starts for kind in QuestionType)


def test_without_topics_there_is_nothing_to_spread_over() -> None:
    assert turn([], asked=[3], lane=1, lanes=2) == []
