"""Which question comes first, and which is left out."""

from functools import partial

import pytest

from jobs.offline.ideas import Idea, in_lane, ranked, written
from schemas.questions import Draft, ShortAnswer
from schemas.states import Difficulty, QuestionType

CLOZE = QuestionType.FILL_IN_BLANK


def go_on() -> None:
    pass


def answer(stem: str, key: str) -> Draft:
    return Draft(content=ShortAnswer(stem=stem, answers=(key,)), quote=stem)


def idea(place: int, key: str, *, merit: float = 0.6, salience: float = 0.5, stem: str = "") -> Idea:
    return Idea(place, key, merit, salience, partial(answer, stem or f"What is thing {place} {key}?", key))


def stems(ideas: list[Idea], *avoid: str) -> list[str]:
    return [draft.content.stem for draft in written(ideas, avoid, go_on) if isinstance(draft.content, ShortAnswer)]


def test_merit_goes_first_and_poor_ideas_are_dropped() -> None:
    good, fair, poor = idea(1, "a", merit=0.9), idea(1, "b", merit=0.5), idea(1, "c", merit=0.1)
    assert ranked([poor, fair, good], CLOZE, None) == [good, fair]


def test_a_second_question_about_a_sentence_waits() -> None:
    first, second, other = idea(1, "a", merit=0.9), idea(1, "b", merit=0.85), idea(2, "c", merit=0.5)
    order = ranked([first, second, other], CLOZE, None)
    assert order.index(other) < order.index(second) or order.index(second) == 1
    alone = ranked([first, idea(1, "b", merit=0.6), idea(1, "c", merit=0.6)], CLOZE, None)
    assert [found.key for found in alone] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("difficulty", "first"),
    [(Difficulty.EASY, "central"), (Difficulty.MEDIUM, "middling"), (Difficulty.HARD, "remote")],
)
def test_difficulty_decides_between_equals(difficulty: Difficulty, first: str) -> None:
    ideas = [
        idea(7, "central", salience=1.0),
        idea(7, "middling", salience=0.5),
        idea(7, "remote", salience=0.0),
    ]
    assert ranked(ideas, CLOZE, difficulty)[0].key == first


def test_types_begin_with_different_sentences() -> None:
    ideas = [idea(place, str(place)) for place in range(40)]
    tops = {
        tuple(found.place for found in ranked(ideas, question_type, None)[:5])
        for question_type in (QuestionType.MULTIPLE_CHOICE, QuestionType.TRUE_FALSE, CLOZE)
    }
    assert len(tops) == 3


def test_lanes_begin_apart_and_lose_nothing() -> None:
    ideas = [idea(place, str(place)) for place in range(10)]
    lanes = [in_lane(ideas, lane, 3) for lane in range(3)]
    assert [lane[0].place for lane in lanes] == [0, 1, 2]
    assert [lane[:3] for lane in lanes] == [ideas[0:9:3], ideas[1:9:3], ideas[2:9:3]]
    assert all(sorted(found.place for found in lane) == list(range(10)) for lane in lanes)
    assert in_lane(ideas, 0, 1) == ideas


@pytest.mark.parametrize("avoid", ["What is thing 1 a?", "what is  THING 1 “a”", "What is thing 1 a? a"])
def test_what_was_asked_is_not_asked_again(avoid: str) -> None:
    assert stems([idea(1, "a"), idea(2, "b")], avoid) == ["What is thing 2 b?"]


def test_avoiding_a_stem_leaves_longer_ones_alone() -> None:
    assert len(stems([idea(1, "a"), idea(2, "b")], "What is thing", "thing 1")) == 2


def test_one_sentence_is_not_asked_twice_for_one_key() -> None:
    assert len(stems([idea(1, "a", stem="Who found it?"), idea(1, "A", stem="Name the finder of the element!")])) == 1


def test_one_sentence_is_not_asked_twice_in_nearly_the_same_words() -> None:
    long = "The stroma contains ribosomes and the enzymes of the cycle that makes the sugar of the plant: number {}?"
    assert len(stems([idea(1, "a", stem=long.format(1)), idea(1, "b", stem=long.format(2))])) == 1
    assert len(stems([idea(1, "a", stem=long.format(1)), idea(2, "b", stem=long.format(2))])) == 2


def test_a_second_wording_of_an_avoided_question_is_avoided_too() -> None:
    assert stems([idea(1, "a", stem="Who found it?"), idea(1, "a", stem="Name the finder!")], "Who found it?") == []


def test_ideas_that_do_not_work_out_are_passed_over() -> None:
    assert stems([Idea(1, "a", 0.9, 0.5, lambda: None), idea(2, "b")]) == ["What is thing 2 b?"]
