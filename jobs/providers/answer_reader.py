"""Turns the events of one streamed answer into drafts, what it cost, and how it ended."""

from collections.abc import Callable
from typing import Generic, TypeVar

from jobs.providers.answer_stream import AnswerStream
from jobs.providers.base import (
    AnswerMalformed,
    PictureRequest,
    PictureText,
    ProviderRejected,
    ProviderUnavailable,
    Request,
    TopicsRequest,
    Unreadable,
    Usage,
)
from jobs.providers.event_stream import Event
from service.rules import prices

Item = TypeVar("Item")

# A stream that breaks never says what it wrote; this is close enough to keep a budget honest.
CHARACTERS_PER_TOKEN = 4

# The others are not even decoded.
READ = frozenset({b"message_start", b"content_block_delta", b"message_delta"})
NUMBERS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_write": "cache_creation_input_tokens",
    "cache_read": "cache_read_input_tokens",
}


class AnswerReader(Generic[Item]):
    """Reads one call; `parse` reads one object of its answer. `end` raises what a complete stream means beyond them."""

    def __init__(
        self,
        request: Request | TopicsRequest | PictureRequest,
        model: str,
        parse: Callable[[str], Item | Unreadable],
    ) -> None:
        self._module_name = request.source.name
        self._noun = "topic" if isinstance(request, TopicsRequest) else "question"
        self._model = model
        self._parse = parse
        self._json = AnswerStream()
        self._tokens = prices.Tokens()
        self._characters = 0
        self._stop_reason: str | None = None

    def read(self, event: Event) -> list[Item | Unreadable]:
        """The objects that this event closes. Raises ProviderUnavailable where it can't be read."""
        if event.name not in READ:
            return []  # pings, block starts and stops: nothing of the answer
        match event.name, _fields(event):
            case b"content_block_delta", {"delta": {"type": "text_delta", "text": str(text)}}:
                self._characters += len(text)
                return [self._parse(raw) for raw in self._json.feed(text)]
            case b"message_start", {"message": {"usage": usage}}:
                self._count(usage)
            case b"message_delta", fields:
                self._end_with(fields)
            case _:
                pass  # thinking
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

    def _end_with(self, fields: object) -> None:
        match fields:
            case {"usage": usage}:
                self._count(usage)
        match fields:
            case {"delta": {"stop_reason": str(reason)}} if reason:
                self._stop_reason = reason

    def _count(self, usage: object) -> None:
        """Numbers are cumulative: later ones replace earlier ones; one that is missing or null changes nothing."""
        if not isinstance(usage, dict):
            return
        # Not every server that speaks this API sends every number.
        seen = {ours: usage.get(theirs) for ours, theirs in NUMBERS.items()}
        self._tokens = self._tokens.model_copy(
            update={ours: number for ours, number in seen.items() if isinstance(number, int)}
        )


class TextReader(AnswerReader[PictureText]):
    """Reads a call whose answer is text as it is."""

    def __init__(self, request: PictureRequest, model: str) -> None:
        super().__init__(request, model, lambda text: PictureText(text=text))

    def read(self, event: Event) -> list[PictureText | Unreadable]:
        if event.name == b"content_block_delta":
            match _fields(event):
                case {"delta": {"type": "text_delta", "text": str(text)}}:
                    self._characters += len(text)
                    return [PictureText(text=text)]
        return super().read(event)

    def end(self) -> None:
        match self._stop_reason:
            case None:
                raise ProviderUnavailable("The provider ended its answer before it was complete.")
            case "refusal":
                raise ProviderRejected(f'The model refused to read a picture of "{self._module_name}".')
            case "max_tokens" | "model_context_window_exceeded":
                raise ProviderRejected(f'A page of "{self._module_name}" holds more text than the model writes.')


def _fields(event: Event) -> object:
    try:
        return event.fields()
    except (ValueError, RecursionError):
        raise ProviderUnavailable("The provider sent a stream that can't be read.") from None
