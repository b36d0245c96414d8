"""LangChain's `abatch` with its `max_concurrency` and its default retries."""

from collections.abc import Sequence
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from bench.contenders.peer import Ask, Body, Setup


def prepared(setup: Setup) -> Ask:
    async def ask(bodies: Sequence[Body]) -> list[str | BaseException]:
        model = ChatAnthropic(
            model=bodies[0]["model"],
            max_tokens=bodies[0]["max_tokens"],
            api_key="sk-bench",
            base_url=setup.base_url,
            timeout=setup.timeout_seconds,
        )
        config: Any = {"max_concurrency": setup.in_flight_max}
        inputs: Any = [_messages(body) for body in bodies]
        found: dict[int, str | BaseException] = {}
        # What `abatch` does, but it tells when the first has come.
        async for place, outcome in model.abatch_as_completed(inputs, config=config, return_exceptions=True):
            setup.note()
            found[place] = outcome if isinstance(outcome, BaseException) else str(outcome.text)
        return [found[place] for place in range(len(bodies))]

    return ask


def _messages(body: Body) -> list[BaseMessage]:
    return [SystemMessage(content=body["system"]), HumanMessage(content=body["messages"][0]["content"])]
