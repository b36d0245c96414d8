"""Sums of calls, and the words for a limit."""

from uuid import UUID

import pytest

from schemas.calls import CallOutcome, CallSum, Spending
from service.rules import spending

ONE, OTHER = UUID(int=1), UUID(int=2)


def row(batch_id: UUID, outcome: CallOutcome, *, calls: int = 1, cost_usd: float = 0.5) -> CallSum:
    wasted = 0 if outcome is CallOutcome.ACCEPTED else calls
    return CallSum(batch_id=batch_id, outcome=outcome, llm_calls=calls, wasted_calls=wasted, cost_usd=cost_usd)


ROWS = [row(ONE, CallOutcome.ACCEPTED), row(ONE, CallOutcome.EMPTY), row(OTHER, CallOutcome.EMPTY, calls=2)]


def test_sums_are_by_batch_and_over_all() -> None:
    assert {batch_id: totals.llm_calls for batch_id, totals in spending.by_batch(ROWS).items()} == {ONE: 2, OTHER: 2}
    usage = spending.usage(ROWS, accepted_count=3)
    assert (usage.llm_calls, usage.wasted_calls, usage.cost_per_accepted_usd) == (4, 3, 0.5)
    assert [(waste.reason, waste.calls, waste.cost_usd) for waste in usage.waste] == [("empty", 3, 1.0)]


def test_nothing_has_cost_anything_before_the_first_call() -> None:
    usage = spending.usage([], accepted_count=0)
    assert (usage.llm_calls, usage.cost_usd, usage.cost_per_accepted_usd, usage.waste) == (0, 0, None, ())


@pytest.mark.parametrize(
    ("cost_usd", "cost_max_usd", "is_reached"), [(0.99, 1, False), (1, 1, True), (1.01, 1, True), (9, None, False)]
)
def test_a_limit_is_reached_when_the_cost_is_there(
    cost_usd: float, cost_max_usd: float | None, is_reached: bool
) -> None:
    assert Spending(cost_usd=cost_usd, cost_max_usd=cost_max_usd).is_reached is is_reached


def test_only_models_of_known_price_can_be_limited() -> None:
    assert spending.unpriced(["claude-sonnet-5-5", "claude-haiku-4-5-20251001"]) is None
    problem = spending.unpriced(["claude-sonnet-5-5", "llama-at-home"])
    assert problem is not None
    assert "the price of the model llama-at-home is not known (prices of 2" in problem
