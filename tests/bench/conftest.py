"""The simulator in the test's own event loop, and a real SDK that talks to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message

from bench.simulator import bodies, modules, server
from bench.simulator.bodies import Wanted
from bench.simulator.provider import Provider
from bench.simulator.scenario import Scenario
from bench.simulator.tally import Stats

TIME_SCALE = 0.02
SILENCE_SECONDS = 0.5


@dataclass
class Simulated:
    provider: Provider
    base_url: str
    sdk: AsyncAnthropic

    @property
    def stats(self) -> Stats:
        return self.provider.account.tally.stats()

    async def whole(self, call: Wanted) -> Message:
        answer: Message = await self.sdk.messages.create(**bodies.body(call))  # type: ignore[call-overload] # any body
        return answer

    async def text(self, call: Wanted) -> str:
        return "".join(block.text for block in (await self.whole(call)).content if block.type == "text")

    async def streamed(self, call: Wanted) -> str:
        """The text of a streamed answer."""
        stream = await self.sdk.messages.create(**bodies.body(call, is_streamed=True))  # type: ignore[call-overload] # any body
        text = ""
        async for event in stream:
            if event.type == "content_block_delta":
                text += event.delta.text
        return text


Simulate = Callable[[Scenario], AbstractAsyncContextManager[Simulated]]


@pytest.fixture
def simulate() -> Simulate:
    @asynccontextmanager
    async def running(scenario: Scenario) -> AsyncIterator[Simulated]:
        provider = Provider(replace(scenario, time_scale=TIME_SCALE))
        listening = await server.serve(provider, 0)
        base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        timeout = httpx2.Timeout(SILENCE_SECONDS)
        async with AsyncAnthropic(api_key="sk-test", base_url=base_url, max_retries=0, timeout=timeout) as sdk:
            yield Simulated(provider, base_url, sdk)
        listening.close()

    return running


@pytest.fixture(scope="session")
def calls() -> list[Wanted]:
    """One of each type that the benchmark orders, about one module."""
    return bodies.wanted(modules.write(7, 1, 12), len(bodies.TYPES), 3)
