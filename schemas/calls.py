"""One call of a model: what it used, what it cost, and what it was good for."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from schemas.base import Frozen

CENT_FRACTION = 1e-9
"""Sums of fractions of a cent that differ by less are the same."""


class CallOutcome(StrEnum):
    """`accepted`, or why the call was wasted: it brought no question that passed the checks."""

    ACCEPTED = "accepted"
    # It brought something, but nothing of it could be kept.
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    SURPLUS = "surplus"
    # It brought nothing, or nothing that could be read.
    EMPTY = "empty"
    MALFORMED_ANSWER = "malformed_answer"
    # The provider's errors, by the codes of failed batches.
    PROVIDER_OVERLOADED = "provider_overloaded"
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    TIMEOUT = "timeout"
    INTERNAL = "internal"
    # It was cut: by a pause, a cancellation, a worker that stopped.
    CANCELLED = "cancelled"
    # A second call for what another one was slow to bring; the other one was faster.
    HEDGE = "hedge"
    # Counted by a version that did not keep reasons.
    UNKNOWN = "unknown"


class Call(Frozen):
    """A call that reached its provider, as it ended. `number` counts the calls of one attempt from 1.

    `input_tokens` are all but those found in the cache; `cache_write_tokens` of them were written into it.
    """

    number: int
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0
    accepted_count: int = 0
    outcome: CallOutcome
    is_hedge: bool = False


class CallTotals(Frozen):
    """Sums over calls. `cost_usd` leaves out the `unpriced_calls`: those of models whose price is unknown."""

    llm_calls: int = 0
    wasted_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_calls: int = 0


class CallSum(CallTotals):
    """The calls of one batch that ended in one way."""

    batch_id: UUID
    outcome: CallOutcome


class Spending(Frozen):
    """What a generation has cost, and may cost."""

    cost_usd: float
    cost_max_usd: float | None

    @property
    def is_reached(self) -> bool:
        return self.cost_max_usd is not None and self.cost_usd >= self.cost_max_usd - CENT_FRACTION


class Waste(Frozen):
    """Calls that brought no question that was kept, by their reason."""

    reason: CallOutcome
    calls: int
    output_tokens: int
    cost_usd: float


class Usage(CallTotals):
    """Calls, tokens and US dollars of a generation; `wasted_calls` are those that brought no question that passed."""

    cost_per_accepted_usd: float | None = Field(
        default=None, description="null until a question is accepted, and where a call has no price"
    )
    waste: tuple[Waste, ...] = ()
