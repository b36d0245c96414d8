"""What an order will probably cost and how long it will take, before it is placed."""

from datetime import date

from pydantic import Field

from schemas.base import Frozen


class Experience(Frozen):
    """What calls for questions of one type were like."""

    calls: int
    accepted_count: int
    output_tokens: int
    seconds: float


class Span(Frozen):
    low: float
    expected: float
    high: float


class Estimate(Frozen):
    """Of one order. `input_tokens` are all but those that will probably be found in the provider's cache."""

    provider: str
    model: str | None
    questions: int
    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Span | None = Field(description="null where the price of the model is unknown")
    seconds: Span
    prices_as_of: date | None
    assumptions: tuple[str, ...]
