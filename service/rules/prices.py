"""What a call costs, from the price list in prices.toml."""

import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from schemas.base import Frozen

_DATE = re.compile(r"-\d{8}$")


class Tokens(Frozen):
    """What the provider counted for one call. `input` leaves out what went into or came out of the cache."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0


class Rates(Frozen):
    """US dollars per million tokens."""

    input: float
    output: float
    cache_write: float
    cache_read: float

    def cost_usd(self, tokens: Tokens) -> float:
        millionths = (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_write * self.cache_write
            + tokens.cache_read * self.cache_read
        )
        return millionths / 1_000_000


class LongPromptRates(Rates):
    above_tokens: int


class Price(Rates):
    effort: Literal["low", "medium", "high"] | None = None
    long_prompt: LongPromptRates | None = None


class PriceList(Frozen):
    """`as_of`: the day on which these prices were read."""

    as_of: date
    models: dict[str, Price]


def price_of(model: str) -> Price | None:
    return price_list().models.get(_DATE.sub("", model))


def cost_usd(model: str, tokens: Tokens) -> float | None:
    """None where the price is unknown."""
    price = price_of(model)
    if price is None:
        return None
    prompt_tokens = tokens.input + tokens.cache_write + tokens.cache_read
    if price.long_prompt and prompt_tokens > price.long_prompt.above_tokens:
        return price.long_prompt.cost_usd(tokens)
    return price.cost_usd(tokens)


@cache
def price_list() -> PriceList:
    listed = tomllib.loads(Path(__file__).with_name("prices.toml").read_text(encoding="utf-8"))
    return PriceList.model_validate(listed)
