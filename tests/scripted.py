"""A provider that answers as it is told, and facts enough to answer with."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from random import Random
from typing import Any

from jobs.providers.base import (
    CallTooLong,
    ProviderOverloaded,
    RateLimits,
    Request,
    Source,
    TopicDraft,
    TopicsRequest,
    Unreadable,
    Usage,
    Weight,
)
from schemas.questions import Draft, ShortAnswer

MODEL = "scripted-1"
USAGE = Usage(model=MODEL, input_tokens=100, output_tokens=10, cache_read_tokens=5, cost_usd=0.5)
OVERLOADED = ProviderOverloaded("the provider is overloaded")
TOO_LONG = CallTooLong("the call took too long")
"""Ends an attempt, where an overload would be waited for."""
FACTS_COUNT = 60


def _words(count: int) -> list[str]:
    random = Random(1)
    syllables = [consonant + vowel for consonant in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
    words: set[str] = set()
    while len(words) < count:
        words.add("".join(random.choices(syllables, k=4)))
    return sorted(words, key=lambda _: random.random())


_WORDS = _words(4 * FACTS_COUNT)


def sentence(number: int) -> str:
    first, second, third, fourth = _WORDS[4 * number : 4 * number + 4]
    return f"The {first} {fourth} holds {second} and {third}."


def fact(number: int) -> Draft:
    """A sound question about a sentence of its own; no two are alike."""
    first, second, third, fourth = _WORDS[4 * number : 4 * number + 4]
    content = ShortAnswer(stem=f"Which {first} holds {second} and {third}?", answers=(fourth,))
    return Draft(content=content, quote=sentence(number))


def facts(first: int, last: int) -> list[Draft]:
    """From `first` up to and without `last`."""
    return [fact(number) for number in range(first, last)]


def stem(number: int) -> str:
    content = fact(number).content
    assert isinstance(content, ShortAnswer), "facts are asked as short answers"
    return content.stem


def unproved(number: int) -> Draft:
    """Sound but for its quote, which stands nowhere."""
    return fact(number).model_copy(update={"quote": "Nobody has ever written these words anywhere at all."})


TEXT = " ".join(map(sentence, range(FACTS_COUNT)))


class Gate:
    """Holds whoever comes to it until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def passed(self) -> None:
        self.reached.set()
        await self.opened.wait()


Part = Draft | TopicDraft | Unreadable | RateLimits | Usage | Gate | Exception


class ScriptedProvider:
    """Each call yields its list of parts; gates hold it, exceptions end it. Then `always`, for every further call.

    `requests` holds what was asked, `topic_requests` what was asked about topics; `cut` the numbers of the calls that
    were closed or cancelled before their end.
    """

    name = "scripted"
    eyes = None

    def __init__(self, *calls: Sequence[Part], always: Sequence[Part] | None = None, is_metered: bool = True) -> None:
        self.account = "scripted"
        self.is_metered = is_metered
        self.requests: list[Request] = []
        self.topic_requests: list[TopicsRequest] = []
        self.cut: list[int] = []
        self.is_closed = False
        self._calls = calls
        self._always = always

    def weigh(self, source: Source, count: int) -> Weight:
        return Weight(input_tokens=len(source.text) // 4, output_tokens=100 * count)

    def ask(self, request: Request) -> AsyncGenerator[Any]:
        self.requests.append(request)
        return self._call(len(self.requests) - 1)

    def topics(self, request: TopicsRequest) -> AsyncGenerator[Any]:
        self.topic_requests.append(request)
        return self._call(len(self.topic_requests) - 1)

    async def _call(self, number: int) -> AsyncGenerator[Draft | TopicDraft | Unreadable | RateLimits | Usage]:
        parts = self._calls[number] if number < len(self._calls) else self._always
        assert parts is not None, f"call {number + 1} was not expected"
        try:
            for part in parts:
                if isinstance(part, Exception):
                    raise part
                if isinstance(part, Gate):
                    await part.passed()
                else:
                    yield part
        except (GeneratorExit, asyncio.CancelledError):
            self.cut.append(number)
            raise

    async def close(self) -> None:
        self.is_closed = True
