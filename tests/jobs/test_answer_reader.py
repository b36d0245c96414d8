"""What the events of a streamed answer are taken for."""

import json
from functools import partial
from uuid import uuid4

import pytest

from jobs.providers import answer_schema
from jobs.providers.answer_reader import AnswerReader
from jobs.providers.base import AnswerMalformed, ProviderRejected, ProviderUnavailable, Request, Source
from jobs.providers.event_stream import Event
from schemas.questions import Draft
from schemas.states import QuestionType

QUESTION = json.dumps({"quote": "Water boils.", "stem": "Water boils.", "answer": True})


def reader() -> AnswerReader[Draft]:
    source = Source(module_id=uuid4(), name="Heat", text="Water boils.", language="en")
    request = Request(source=source, question_type=QuestionType.TRUE_FALSE, difficulty=None, count=1)
    return AnswerReader(request, "claude-sonnet-5-5", partial(answer_schema.parse, request.question_type))


def event(name: str, **fields: object) -> Event:
    return Event(name.encode(), json.dumps({"type": name, **fields}).encode())


def text(words: str) -> Event:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": words})


def stop(reason: object, **usage: object) -> Event:
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)


def test_an_object_comes_with_the_event_that_closes_it() -> None:
    read = reader()
    assert read.read(text(f'{{"questions": [{QUESTION[:-1]}')) == []
    [draft] = read.read(text("}, "))
    assert isinstance(draft, Draft)
    assert len(read.read(text(f"{QUESTION}, {QUESTION}"))) == 2


@pytest.mark.parametrize(
    "passed_over",
    [
        event("ping"),
        event("message_stop"),
        event("brand_new_event", delta={"type": "text_delta", "text": QUESTION}),
        event("content_block_delta", delta={"type": "thinking_delta", "thinking": f"[{QUESTION}]"}),
        event("content_block_delta", delta={"type": "text_delta", "text": None}),
        event("content_block_delta"),
        event("message_start", message={"id": "x"}),
        event("message_start", message={"usage": None}),
        event("message_delta"),
        event("message_delta", delta=None, usage=[1]),
        Event(b"message_delta", b"[1]"),
        Event(b"", b"not of this API"),
        Event(b"content_block_start", b"{broken"),
    ],
)
def test_events_that_say_nothing_are_passed_over(passed_over: Event) -> None:
    read = reader()
    assert read.read(passed_over) == []
    assert read.usage().output_tokens == 0
    with pytest.raises(ProviderUnavailable, match="before it was complete"):
        read.end()


@pytest.mark.parametrize("name", [b"message_start", b"content_block_delta", b"message_delta"])
@pytest.mark.parametrize("data", [b'{"type": "content_blo', b"\xff", b"", b"1" * 5_000, b"[" * 100_000])
def test_an_event_of_the_answer_that_is_no_json_is_a_failure_of_the_provider(name: bytes, data: bytes) -> None:
    with pytest.raises(ProviderUnavailable, match="can't be read") as caught:
        reader().read(Event(name, data))
    assert caught.value.__suppress_context__, "the text of the answer gets into no log"


def test_numbers_are_cumulative_and_a_missing_one_changes_nothing() -> None:
    read = reader()
    first = {"input_tokens": 7, "cache_creation_input_tokens": 2, "cache_read_input_tokens": None, "output_tokens": 1}
    read.read(event("message_start", message={"usage": first}))
    read.read(stop(None, output_tokens=40, input_tokens="many"))
    read.read(stop("end_turn", output_tokens=50))
    usage = read.usage()
    assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_read_tokens) == (9, 2, 0)
    assert usage.output_tokens == 50


def test_as_long_as_the_answer_is_not_complete_its_text_is_counted() -> None:
    read = reader()
    read.read(text("x" * 400))
    assert read.usage().output_tokens == 100
    read.read(stop("end_turn", output_tokens=90))
    assert read.usage().output_tokens == 90


@pytest.mark.parametrize(
    ("answer", "reason", "expected"),
    [
        (f"[{QUESTION}]", "end_turn", None),
        (f"[{QUESTION}, {{", "max_tokens", None),
        (f"[{QUESTION}, {{", "end_turn", AnswerMalformed),
        ("[{", "max_tokens", AnswerMalformed),
        ("Sorry.", "end_turn", AnswerMalformed),
        ("[{", "model_context_window_exceeded", ProviderRejected),
        (f"[{QUESTION}]", "refusal", ProviderRejected),
        (f"[{QUESTION}]", None, ProviderUnavailable),
        (f"[{QUESTION}]", "", ProviderUnavailable),
    ],
)
def test_the_stop_reason_says_what_the_end_means(
    answer: str, reason: str | None, expected: type[Exception] | None
) -> None:
    read = reader()
    read.read(text(answer))
    read.read(stop(reason))
    read.read(stop(None))
    if expected is None:
        read.end()
        return
    with pytest.raises(expected):
        read.end()
