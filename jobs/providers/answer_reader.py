"""Turns the events of one streamed answer into drafts, what it cost, and how it ended."""

from collections.abc import Callable
from typing import Generic, TypeVar

from anthropic.types import (
    RawContentBlockDeltaEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStreamEvent,
    TextDelta,
)

from jobs.providers.answer_stream import AnswerStream
from jobs.providers.base import (
    AnswerMalformed,
    ProviderRejected,
    ProviderUnavailable,
    Request,
    TopicsRequest,
    Unreadable,
    Usage,
)
from service.rules import prices

Item = TypeVar("Item")

# A stream that breaks never says what it wrote; this is close enough to keep a budget honest.
CHARACTERS_PER_TOKEN = 4


class AnswerReader(Generic[Item]):
    """Reads one call; `parse` reads one object of its answer. `end` raises what a complete stream means beyond them."""

    def __init__(self, request: Request | TopicsRequest, model: str, parse: Callable[[str], Item | Unreadable]) -> None:
        self._module_name = request.source.name
        self._noun = "topic" if isinstance(request, TopicsRequest) else "question"
        self._model = model
        self._parse = parse
        self._json = AnswerStream()
        self._tokens = prices.Tokens()
        self._characters = 0
        self._stop_reason: str | None = None

    def read(self, event: RawMessageStreamEvent) -> list[Item | Unreadable]:
        match event:
            case RawMessageStartEvent():
                self._count(event.message.usage)
            case RawMessageDeltaEvent():
                self._count(event.usage)
                self._stop_reason = event.delta.stop_reason or self._stop_reason
            case RawContentBlockDeltaEvent(delta=TextDelta(text=text)):
                self._characters += len(text)
                return [self._parse(raw) for raw in self._json.feed(text)]
            case _:
                pass  # block starts and stops, and thinking: nothing of the answer
        return []

    def usage(self) -> Usage:
        tokens = self._tokens
        if self._stop_reason is None:
            written = self._characters // CHARACTERS_PER_TOKEN
            tokens = tokens.model_copy(update={"output": max(tokens.output, written)})
        return Usage(
            model=self._model,
            input_tokens=tokens.input + tokens.cache_write,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cache_read,
            cache_write_tokens=tokens.cache_write,
            cost_usd=prices.cost_usd(self._model, tokens),
        )

    def end(self) -> None:
        """To be called when the stream has ended by itself."""
        count = self._json.question_count
        match self._stop_reason:
            case None:
                raise ProviderUnavailable("The provider ended its answer before it was complete.")
            case "refusal":
                raise ProviderRejected(
                    f'The model refused to write {self._noun}s about the module "{self._module_name}": '
                    "change its text or choose another model."
                )
            case "model_context_window_exceeded" if not count:
                raise ProviderRejected(
                    f'The module "{self._module_name}" is too long for the model {self._model}: '
                    "split it into shorter ones."
                )
            case "max_tokens" | "model_context_window_exceeded" if count:
                return  # what was closed counts; the rest is asked for again
        if not count and self._stop_reason == "max_tokens":
            raise AnswerMalformed(
                f"The answer was cut off at the token limit before its first {self._noun} was complete."
            )
        if not count:
            raise AnswerMalformed(f"The answer holds no {self._noun} object.")
        if not self._json.is_complete:
            raise AnswerMalformed(f"The answer's JSON is broken after {count} {self._noun} objects.")

    def _count(self, usage: object) -> None:
        """Numbers are cumulative: later ones replace earlier ones; one that is missing or null changes nothing."""
        names = {
            "input": "input_tokens",
            "output": "output_tokens",
            "cache_write": "cache_creation_input_tokens",
            "cache_read": "cache_read_input_tokens",
        }
        # The SDK checks no types here, and not every server that speaks this API sends every number.
        seen = {ours: getattr(usage, theirs, None) for ours, theirs in names.items()}
        self._tokens = self._tokens.model_copy(
            update={ours: number for ours, number in seen.items() if isinstance(number, int)}
        )
