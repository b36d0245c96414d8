"""`asyncio.gather` behind a semaphore, with the SDK and its own retries."""

from collections.abc import Sequence

from anthropic import AsyncAnthropic

from bench.contenders.peer import Ask, Body, Setup, each


def prepared(setup: Setup) -> Ask:
    client = AsyncAnthropic(api_key="sk-bench", base_url=setup.base_url, timeout=setup.timeout_seconds)

    async def one(body: Body) -> str:
        message = await client.messages.create(**body)
        return "".join(block.text for block in message.content if block.type == "text")

    async def ask(bodies: Sequence[Body]) -> list[str | BaseException]:
        return await each(bodies, setup, one)

    return ask
