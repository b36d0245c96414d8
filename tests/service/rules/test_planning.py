"""From an order to batches: presets, keys, limits, and how a count is spread over modules."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.orders import ModuleBatchOrder, Order, Preset
from schemas.states import Difficulty, EntityType, QuestionType
from service.errors import Invalid
from service.rules import planning

FIRST, SECOND, FOREIGN = UUID(int=1), UUID(int=2), UUID(int=9)
CHOICE, CARD, WORD = QuestionType.MULTIPLE_CHOICE, QuestionType.FLASHCARD, QuestionType.VOCABULARY


def batch(
    target_count: int = 5,
    *,
    module_id: UUID = FIRST,
    question_type: QuestionType = CHOICE,
    difficulty: Difficulty | None = None,
) -> ModuleBatchOrder:
    return ModuleBatchOrder(
        module_id=module_id, question_type=question_type, difficulty=difficulty, target_count=target_count
    )


def problems_of(*orders: ModuleBatchOrder, fields: list[str] | None = None, batches_max: int = 10) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        planning.plan(
            orders,
            [FIRST, SECOND],
            questions_per_batch_max=50,
            batches_per_generation_max=batches_max,
            fields=fields,
        )
    return {problem.field: problem.message for problem in caught.value.problems}


def test_a_batch_key_names_module_type_and_count() -> None:
    assert planning.batch_key(FIRST, batch(20)) == f"{FIRST}_multiple_choice_20"


def test_a_batch_key_ends_with_the_difficulty_that_was_asked_for() -> None:
    assert planning.batch_key(FIRST, batch(20, difficulty=Difficulty.HARD)) == f"{FIRST}_multiple_choice_20_hard"


def test_named_batches_are_taken_as_they_are() -> None:
    ordered = [batch(3), batch(4, module_id=SECOND)]
    assert planning.expand(Order(batches=ordered), [FIRST, SECOND]) == ordered


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (Preset.QUIZ, [(CHOICE, Difficulty.EASY), (CHOICE, Difficulty.MEDIUM)]),
        (Preset.FLASHCARDS, [(CARD, None)]),
        (Preset.BOTH, [(CHOICE, Difficulty.EASY), (CHOICE, Difficulty.MEDIUM), (CARD, None)]),
    ],
)
def test_a_preset_means_its_batches_for_every_module(
    preset: Preset, expected: list[tuple[QuestionType, Difficulty | None]]
) -> None:
    found = planning.expand(Order(preset=preset, target_count=7), [FIRST, SECOND])
    assert [(order.module_id, order.question_type, order.difficulty) for order in found] == [
        (module_id, *pair) for module_id in (FIRST, SECOND) for pair in expected
    ]
    assert {order.target_count for order in found} == {7}


def test_a_plan_keeps_the_order_of_its_batches() -> None:
    orders = [batch(5), batch(3, module_id=SECOND, question_type=CARD), batch(5, difficulty=Difficulty.EASY)]
    plans = planning.plan(orders, [FIRST, SECOND], questions_per_batch_max=5, batches_per_generation_max=3)
    assert [plan.batch_key for plan in plans] == [
        f"{FIRST}_multiple_choice_5",
        f"{SECOND}_flashcard_3",
        f"{FIRST}_multiple_choice_5_easy",
    ]
    assert [(plan.module_id, plan.target_count) for plan in plans] == [(FIRST, 5), (SECOND, 3), (FIRST, 5)]


def test_two_batches_with_one_key_are_refused_at_the_second() -> None:
    found = problems_of(batch(5), batch(6), batch(5))
    assert found == {"batches.2": "is the same batch as another one in this order"}


def test_a_module_of_another_quiz_is_refused() -> None:
    found = problems_of(batch(5, module_id=FOREIGN))
    assert found == {"batches.0.module_id": f"{FOREIGN} is no module of this quiz, or is left out"}


def test_more_questions_than_a_batch_may_have_are_refused() -> None:
    assert problems_of(batch(51)) == {"batches.0.target_count": "51 is too many: at most 50 in one batch"}


def test_every_problem_of_an_order_is_named_at_once() -> None:
    found = problems_of(batch(51), batch(5), batch(5, module_id=FOREIGN))
    assert set(found) == {"batches.0.target_count", "batches.2.module_id"}


def test_problems_name_the_paths_that_the_caller_gives() -> None:
    found = problems_of(batch(5), batch(99), fields=["modules.0.batches.0", "modules.0.batches.1"])
    assert set(found) == {"modules.0.batches.1.target_count"}


def test_more_batches_than_a_generation_may_have_are_refused() -> None:
    found = problems_of(batch(1), batch(2), batch(3), batches_max=2)
    assert found == {"batches": "3 batches are too many: at most 2 in one generation"}


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([CHOICE, QuestionType.TRUE_FALSE], EntityType.QUESTION),
        ([CARD, CARD], EntityType.FLASHCARD),
        ([WORD], EntityType.VOCABULARY),
        ([CHOICE, CARD], EntityType.MIXED),
        ([WORD, CARD], EntityType.MIXED),
    ],
)
def test_a_generation_is_named_after_what_its_plan_makes(types: list[QuestionType], expected: EntityType) -> None:
    assert planning.entity_type(types) is expected


def test_a_count_is_spread_by_weight() -> None:
    assert planning.spread(10, [1, 3, 1], size_max=50) == [[2], [6], [2]]


def test_the_largest_remainders_get_what_is_left_over() -> None:
    assert planning.spread(5, [10, 10, 12], size_max=50) == [[2], [1], [2]]


def test_a_share_larger_than_a_batch_is_cut_into_different_sizes() -> None:
    assert planning.spread(101, [1], size_max=50) == [[50, 49, 2]]


def test_a_module_too_short_for_a_question_gets_none() -> None:
    assert planning.spread(1, [1, 100], size_max=50) == [[], [1]]


def test_more_questions_than_a_module_can_hold_in_different_sizes_are_refused() -> None:
    assert planning.spread(6, [1], size_max=3) == [[3, 2, 1]]
    with pytest.raises(Invalid, match="count: 1 questions more than one module's batches can hold"):
        planning.spread(7, [1], size_max=3)


@given(
    count=st.integers(min_value=1, max_value=2000),
    weights=st.lists(st.integers(min_value=1, max_value=10**7), min_size=1, max_size=40),
    size_max=st.integers(min_value=70, max_value=1000),
)
def test_spreading_loses_nothing_and_is_fair(count: int, weights: list[int], size_max: int) -> None:
    found = planning.spread(count, weights, size_max=size_max)
    assert sum(map(sum, found)) == count
    for sizes, weight in zip(found, weights, strict=True):
        assert len(set(sizes)) == len(sizes), "one module's batches of one type need different sizes"
        assert all(1 <= size <= size_max for size in sizes)
        assert abs(sum(sizes) - count * weight / sum(weights)) < 1
