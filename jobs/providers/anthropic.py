"""The provider that asks Claude, or any server that speaks the Messages API, in streamed calls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2
from anthropic import AsyncAnthropic, AsyncStream
from anthropic.types import OutputConfigParam, RawMessageStreamEvent

from jobs.prompts import prompt
from jobs.prompts.prompt import Prompt
from jobs.providers import answer_schema
from jobs.providers.answer_reader import AnswerReader
from jobs.providers.anthropic_errors import CallFacts, in_our_words
from jobs.providers.base import ProviderError, ProviderRejected, Request, Source, Unreadable, Usage
from schemas.questions import Draft
from schemas.states import QuestionType
from service.errors import SettingsInvalid
from service.rules import prices

CONNECT_SECONDS = 10.0
MODULE_CHARACTERS_MAX = 600_000
# Most models think before they answer, and what they think counts too.
THINKING_TOKENS = 16_000
TOKENS_PER_QUESTION = 1_200
ANSWER_TOKENS_MAX = 32_000


class AnthropicProvider:
    """One call for each time it is asked. Never retries: whoever asks decides about that.

    It ends with one `Usage`, also before an error; whoever closes or cancels the call reads its meter instead.
    """

    name = "anthropic"
    is_metered = True

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None,
        model: str,
        llm_timeout_seconds: float,
        silence_seconds: float = 30.0,
    ) -> None:
        self._api_key = _sendable(api_key)
        self._model = model
        self._call_seconds = llm_timeout_seconds
        self._silence_seconds = silence_seconds
        self._client = AsyncAnthropic(
            api_key=self._api_key,
            base_url=base_url,
            # The SDK's retries would multiply with the batch's, and hide.
            max_retries=0,
            # Bytes count as life, so a provider that sends pings while it thinks is not cut.
            timeout=httpx2.Timeout(silence_seconds, connect=min(CONNECT_SECONDS, llm_timeout_seconds)),
        )

    async def ask(self, request: Request) -> AsyncGenerator[Draft | Unreadable | Usage]:
        _refuse_oversized(request.source)
        reader = AnswerReader(request, self._model_for(request))
        request.meter.attach(reader.usage)
        try:
            async with aclosing(self._events(request)) as events:
                async for event in events:
                    for question in reader.read(event):
                        yield question
            reader.end()
        except ProviderError:
            yield reader.usage()
            raise
        yield reader.usage()

    async def close(self) -> None:
        await self._client.close()

    async def _events(self, request: Request) -> AsyncGenerator[RawMessageStreamEvent]:
        """The events of one call. Leaving the generator in any way closes the connection."""
        written = prompt.for_request(request)
        facts = self._facts(request, written)
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        # A timeout must not enclose a yield: it would strike whoever is running at that moment.
        with in_our_words(facts):
            async with asyncio.timeout_at(deadline):
                stream = await self._open(request, written)
        async with stream:
            while True:
                with in_our_words(facts):
                    async with asyncio.timeout_at(deadline):
                        event = await anext(stream, None)
                if event is None:
                    return
                yield event

    async def _open(self, request: Request, written: Prompt) -> AsyncStream[RawMessageStreamEvent]:
        model = self._model_for(request)
        return await self._client.messages.create(
            model=model,
            max_tokens=min(THINKING_TOKENS + TOKENS_PER_QUESTION * request.count, ANSWER_TOKENS_MAX),
            # What is the same for every call about a module comes first and is cached.
            system=[
                {"type": "text", "text": written.frame},
                {"type": "text", "text": written.module, "cache_control": {"type": "ephemeral"}},
            ],
            messages=[{"role": "user", "content": written.task}],
            output_config=_output_config(request.question_type, model),
            stream=True,
        )

    def _model_for(self, request: Request) -> str:
        return request.model or self._model

    def _facts(self, request: Request, written: Prompt) -> CallFacts:
        return CallFacts(
            model=self._model_for(request),
            module_name=request.source.name,
            call_seconds=self._call_seconds,
            silence_seconds=self._silence_seconds,
            api_key=self._api_key,
            prompt=written.module + written.task,
        )


def _output_config(question_type: QuestionType, model: str) -> OutputConfigParam:
    config: OutputConfigParam = {
        "format": {"type": "json_schema", "schema": answer_schema.schema_of(question_type)},
    }
    price = prices.price_of(model)
    if price and price.effort:
        config["effort"] = price.effort
    return config


def _refuse_oversized(source: Source) -> None:
    if len(source.text) > MODULE_CHARACTERS_MAX:
        raise ProviderRejected(
            f'The module "{source.name}" has {len(source.text):,} characters, and the limit is '
            f"{MODULE_CHARACTERS_MAX:,}: split it into shorter ones."
        )


def _sendable(api_key: str) -> str:
    """The key as it fits into an HTTP header: a pasted one often brings a line end along."""
    stripped = api_key.strip()
    if not stripped.isascii() or not stripped.isprintable():
        raise SettingsInvalid("ANTHROPIC_API_KEY holds characters that no key has: copy it again.")
    return stripped
