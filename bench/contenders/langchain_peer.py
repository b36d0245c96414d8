"""LangChain's `abatch` with its `max_concurrency` and its default retries."""

from collections.abc import Sequence
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import LLMResult

from bench.contenders.peer import Ask, Body, Setup


class _Watch(AsyncCallbackHandler):
    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    async def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        self._setup.note()


def prepared(setup: Setup) -> Ask:
    async def ask(bodies: Sequence[Body]) -> list[str | BaseException]:
        model = ChatAnthropic(
            model=bodies[0]["model"],
            max_tokens=bodies[0]["max_tokens"],
            api_key="sk-bench",
            base_url=setup.base_url,
            timeout=setup.timeout_seconds,
        )
        config: Any = {"max_concurrency": setup.in_flight_max, "callbacks": [_Watch(setup)]}
        inputs: Any = [_messages(body) for body in bodies]
        found = await model.abatch(inputs, config=config, return_exceptions=True)
        return [outcome if isinstance(outcome, BaseException) else str(outcome.text) for outcome in found]

    return ask


def _messages(body: Body) -> list[BaseMessage]:
    return [SystemMessage(content=body["system"]), HumanMessage(content=body["messages"][0]["content"])]
