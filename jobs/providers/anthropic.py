"""The provider that asks Claude, or any server that speaks the Messages API, in streamed calls."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import httpx2
from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient, omit
from anthropic.types import ImageBlockParam, OutputConfigParam, RawMessageStreamEvent, TextBlockParam

from jobs.prompts import prompt
from jobs.prompts.prompt import Prompt
from jobs.providers import answer_schema, rate_limits, topics_schema
from jobs.providers.answer_reader import AnswerReader, TextReader
from jobs.providers.anthropic_errors import CallFacts, in_our_words, midway
from jobs.providers.base import (
    Eyes,
    Part,
    PicturePart,
    PictureRequest,
    ProviderError,
    ProviderRejected,
    RateLimits,
    Request,
    Source,
    TopicPart,
    TopicsRequest,
    Unreadable,
    Usage,
    Weight,
)
from jobs.providers.event_stream import Event, EventStream
from jobs.providers.patience import Patience
from service.errors import SettingsInvalid
from service.rules import prices

AnyRequest = Request | TopicsRequest | PictureRequest
Item = TypeVar("Item")

CONNECT_SECONDS = 10.0
MODULE_CHARACTERS_MAX = 600_000
# Most models think before they answer, and what they think counts too.
THINKING_TOKENS = 16_000
TOKENS_PER_QUESTION = 1_200
TOKENS_OF_TOPICS = 2_000
TOKENS_OF_A_PAGE = 8_000
ANSWER_TOKENS_MAX = 32_000
# For what a call will take of the rate limits; what it has really taken replaces it at its end.
CHARACTERS_PER_TOKEN = 4
FRAME_TOKENS = 1_200
ANSWER_TOKENS_PER_QUESTION = 250


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
        self.account = hashlib.sha256(f"{base_url}\n{self._api_key}".encode()).hexdigest()[:16]
        self._model = model
        self._call_seconds = llm_timeout_seconds
        self._silence_seconds = silence_seconds
        connect_seconds = min(CONNECT_SECONDS, llm_timeout_seconds)
        # The connection knows better what it waits for, and is to be the one that gives up. But aiohttp forgets to do
        # so when a broken proxy garbles the lengths of a chunked answer.
        self._patience = Patience(connect_seconds + silence_seconds)
        # Bytes count as life, so a provider that sends pings while it thinks is not cut.
        timeout = httpx2.Timeout(silence_seconds, connect=connect_seconds)
        self._client = AsyncAnthropic(
            api_key=self._api_key,
            base_url=base_url,
            # The SDK's retries would multiply with the batch's, and hide.
            max_retries=0,
            timeout=timeout,
            # The default looks at every connection at the start and at the end of each call.
            http_client=DefaultAioHttpClient(timeout=timeout),
        )

    def weigh(self, source: Source, count: int) -> Weight:
        """About what the call will take of the rate limits, its module counted as not cached yet."""
        return Weight(
            input_tokens=FRAME_TOKENS + len(source.text) // CHARACTERS_PER_TOKEN,
            output_tokens=ANSWER_TOKENS_PER_QUESTION * count,
        )

    def ask(self, request: Request) -> AsyncGenerator[Part]:
        parse = partial(answer_schema.parse, request.question_type)
        reader = AnswerReader(request, self._model_for(request), parse)
        request.meter.attach(reader.usage)
        return self._call(request, reader)

    def topics(self, request: TopicsRequest) -> AsyncGenerator[TopicPart]:
        return self._call(request, AnswerReader(request, self._model_for(request), topics_schema.parse))

    @property
    def eyes(self) -> Eyes:
        return self

    def look(self, request: PictureRequest) -> AsyncGenerator[PicturePart]:
        return self._call(request, TextReader(request, self._model_for(request)))

    async def _call(
        self, request: AnyRequest, reader: AnswerReader[Item]
    ) -> AsyncGenerator[Item | Unreadable | RateLimits | Usage]:
        _refuse_oversized(request.source)
        try:
            async with aclosing(self._events(request)) as events:
                async for event in events:
                    if isinstance(event, RateLimits):
                        yield event
                        continue
                    for item in reader.read(event):
                        yield item
            reader.end()
        except ProviderError:
            yield reader.usage()
            raise
        yield reader.usage()

    async def close(self) -> None:
        await self._client.close()

    async def _events(self, request: AnyRequest) -> AsyncGenerator[RateLimits | Event]:
        """What the headers say and the events of one call. Leaving the generator in any way closes the connection."""
        written = prompt.for_request(request)
        facts = self._facts(request, written)
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        # A timeout must not enclose a yield: it would strike whoever is running at that moment.
        with in_our_words(facts):
            async with self._patience.wait(deadline):
                stream = await self._open(request, written)
        response = stream.response
        # The SDK sends the request, but an object that it builds of every event would cost a fifth of a call's CPU.
        events = EventStream()
        async with stream, aclosing(response.aiter_bytes()) as pieces:
            yield rate_limits.told_by(response.headers)
            while piece := await self._next(pieces, deadline, facts):
                for event in events.feed(piece):
                    if event.name == b"error":
                        raise midway(event.data, response, facts)
                    yield event
            self._patience.learn()

    async def _next(self, pieces: AsyncGenerator[bytes], deadline: float, facts: CallFacts) -> bytes | None:
        with in_our_words(facts):
            async with self._patience.wait(deadline):
                return await anext(pieces, None)

    async def _open(self, request: AnyRequest, written: Prompt) -> AsyncStream[RawMessageStreamEvent]:
        model = self._model_for(request)
        if isinstance(request, PictureRequest):
            return await self._open_picture(request, written)
        return await self._client.messages.create(
            model=model,
            max_tokens=_tokens_max(request),
            # What is the same for every call about a module comes first and is cached.
            system=[
                {"type": "text", "text": written.frame},
                {"type": "text", "text": written.module, "cache_control": {"type": "ephemeral"}},
            ],
            messages=[{"role": "user", "content": written.task}],
            output_config=_output_config(request, model),
            stream=True,
        )

    async def _open_picture(self, request: PictureRequest, written: Prompt) -> AsyncStream[RawMessageStreamEvent]:
        model = self._model_for(request)
        picture: ImageBlockParam = {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/jpeg",
                "data": base64.b64encode(request.content).decode(),
            },
        }
        task: TextBlockParam = {"type": "text", "text": written.task}
        return await self._client.messages.create(
            model=model,
            max_tokens=_tokens_max(request),
            system=[{"type": "text", "text": written.frame}],
            messages=[{"role": "user", "content": [picture, task]}],
            output_config=_effort(model) or omit,
            stream=True,
        )

    def _model_for(self, request: AnyRequest) -> str:
        return request.model or self._model

    def _facts(self, request: AnyRequest, written: Prompt) -> CallFacts:
        return CallFacts(
            model=self._model_for(request),
            module_name=request.source.name,
            call_seconds=self._call_seconds,
            silence_seconds=self._silence_seconds,
            api_key=self._api_key,
            prompt=written.module + written.task,
        )


def _tokens_max(request: AnyRequest) -> int:
    match request:
        case Request():
            answer = TOKENS_PER_QUESTION * request.count
        case TopicsRequest():
            answer = TOKENS_OF_TOPICS
        case PictureRequest():
            answer = TOKENS_OF_A_PAGE
    return min(THINKING_TOKENS + answer, ANSWER_TOKENS_MAX)


def _output_config(request: Request | TopicsRequest, model: str) -> OutputConfigParam:
    match request:
        case Request():
            schema = answer_schema.schema_of(request.question_type)
        case TopicsRequest():
            schema = topics_schema.schema()
    return {"format": {"type": "json_schema", "schema": schema}, **_effort(model)}


def _effort(model: str) -> OutputConfigParam:
    price = prices.price_of(model)
    return {"effort": price.effort} if price and price.effort else {}


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
