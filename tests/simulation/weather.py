"""A provider whose answers, delays and faults are drawn by the seed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from random import Random

from jobs.providers.base import (
    AnswerMalformed,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    Request,
    Source,
    SourceExhausted,
    Unreadable,
    Usage,
    Weight,
)
from schemas.questions import Draft, preview_of
from tests import scripted

FACTS = scripted.facts(0, scripted.FACTS_COUNT)
PREVIEWS = [preview_of(fact.content) for fact in FACTS]
UNPROVED = [scripted.unproved(number) for number in range(scripted.FACTS_COUNT)]
STALL_SECONDS = 8.0

CALM: dict[str, float] = {"sound": 1.0}
FAIR: dict[str, float] = {"sound": 0.8, "overloaded": 0.05, "limited": 0.05, "malformed": 0.05, "unavailable": 0.05}
ROUGH: dict[str, float] = {
    "sound": 0.3,
    "overloaded": 0.1,
    "unavailable": 0.1,
    "limited": 0.1,
    "malformed": 0.1,
    "stall": 0.05,
    "rejected": 0.15,
    "exhausted": 0.1,
}


class Weather:
    """What the provider is like at the moment, for all workers."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now = chance.choice((FAIR, ROUGH))

    def change(self) -> None:
        self.now = self.chance.choice((FAIR, ROUGH, ROUGH))

    def kind(self) -> str:
        return self.chance.choices(list(self.now), weights=list(self.now.values()))[0]


class WeatherProvider:
    """`on_call` sees every request when it is sent."""

    name = "simulated"
    account = "simulated"

    def __init__(
        self,
        weather: Weather,
        *,
        pause: Callable[[str], Awaitable[None]],
        on_call: Callable[[Request], None],
        is_metered: bool,
    ) -> None:
        self.is_metered = is_metered
        self.eyes = None
        self._weather = weather
        self._chance = weather.chance
        self._pause = pause
        self._on_call = on_call

    def weigh(self, source: Source, count: int) -> Weight:
        return Weight(input_tokens=len(source.text) // 4, output_tokens=100 * count)

    async def ask(self, request: Request) -> AsyncGenerator[Draft | Unreadable | Usage]:
        self._on_call(request)
        kind = self._weather.kind()
        await self._pause("call")
        await asyncio.sleep(self._chance.uniform(0.02, 1.0))
        if kind == "malformed":
            yield self._part(request)
            yield scripted.USAGE
        elif kind == "stall":
            yield self._part(request)
            await asyncio.sleep(STALL_SECONDS)
        self._end(kind)
        for _ in range(request.count + self._chance.choice((0, 0, 1))):
            await self._pause("answer")
            if self._chance.random() < 0.5:
                await asyncio.sleep(self._chance.uniform(0.001, 0.3))
            yield self._part(request)
        yield scripted.USAGE

    async def close(self) -> None:
        """Nothing is open."""

    def _part(self, request: Request) -> Draft | Unreadable:
        number = self._fresh(request)
        draw = self._chance.random() if self._weather.now is not CALM else 1.0
        if draw < 0.05:
            return Unreadable(message="it has no stem")
        if draw < 0.15:
            return UNPROVED[number]
        if draw < 0.25:
            return self._chance.choice(FACTS)
        return FACTS[number]

    def _fresh(self, request: Request) -> int:
        while PREVIEWS[number := self._chance.randrange(scripted.FACTS_COUNT)] in request.avoid:
            pass
        return number

    @staticmethod
    def _end(kind: str) -> None:
        match kind:
            case "overloaded":
                raise ProviderOverloaded("the provider is overloaded")
            case "unavailable":
                raise ProviderUnavailable("the connection broke")
            case "limited":
                raise ProviderRateLimited("too many requests", retry_after_seconds=1.5)
            case "malformed":
                raise AnswerMalformed("the answer ended in the middle of a question")
            case "stall":
                raise ProviderTimeout("no answer for a long time")
            case "rejected":
                raise ProviderRejected("the key was refused")
            case "exhausted":
                raise SourceExhausted("the module has no more to ask about")
