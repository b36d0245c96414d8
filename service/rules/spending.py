"""What calls add up to, and what to say of a generation that has cost what it may."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from schemas.calls import CallOutcome, CallSum, CallTotals, Spending, Usage, Waste
from schemas.generations import BatchError
from schemas.states import ErrorCode
from service.rules import prices


def total(sums: Iterable[CallTotals]) -> CallTotals:
    rows = list(sums)
    return CallTotals(**{name: sum(getattr(row, name) for row in rows) for name in CallTotals.model_fields})


def by_batch(sums: Iterable[CallSum]) -> Mapping[UUID, CallTotals]:
    grouped: dict[UUID, list[CallSum]] = defaultdict(list)
    for row in sums:
        grouped[row.batch_id].append(row)
    return {batch_id: total(rows) for batch_id, rows in grouped.items()}


def usage(sums: Sequence[CallSum], *, accepted_count: int) -> Usage:
    """Of a generation that has `accepted_count` questions, held or saved."""
    totals = total(sums)
    is_known = accepted_count > 0 and not totals.unpriced_calls
    return Usage(
        **totals.model_dump(),
        cost_per_accepted_usd=totals.cost_usd / accepted_count if is_known else None,
        waste=tuple(_waste(sums)),
    )


def _waste(sums: Sequence[CallSum]) -> Iterable[Waste]:
    """The most expensive reason first."""
    reasons = {row.outcome for row in sums} - {CallOutcome.ACCEPTED}
    wasted = {reason: total(row for row in sums if row.outcome is reason) for reason in reasons}
    for reason, totals in sorted(wasted.items(), key=lambda item: (-item[1].cost_usd, -item[1].llm_calls, item[0])):
        yield Waste(reason=reason, calls=totals.llm_calls, output_tokens=totals.output_tokens, cost_usd=totals.cost_usd)


def reached(spent: Spending) -> str:
    assert spent.cost_max_usd is not None, "only a limit can be reached"
    return (
        f"it has cost {_dollars(spent.cost_usd)} of at most {_dollars(spent.cost_max_usd)}; give a higher cost_max_usd"
    )


def stopped(spent: Spending) -> BatchError:
    """Why a generation is paused that has cost what it may."""
    assert spent.cost_max_usd is not None, "only a limit can be reached"
    message = (
        f"paused: it has cost {_dollars(spent.cost_usd)} of at most {_dollars(spent.cost_max_usd)};"
        " resume with a higher cap"
    )
    return BatchError(code=ErrorCode.BUDGET_EXCEEDED, message=message)


def unpriced(models: Sequence[str]) -> str | None:
    """What to say of models whose cost nobody could limit, the first of them. None: all prices are known."""
    for model in models:
        if prices.price_of(model) is None:
            return f"can't be held: the price of the model {model} is not known (prices of {prices.price_list().as_of})"
    return None


def _dollars(usd: float) -> str:
    """Cents, and below one dollar as many places as a call costs."""
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"
