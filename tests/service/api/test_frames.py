"""Events as bytes that every client's parser reads (CONTRACT 5)."""

import json
from uuid import UUID

import pytest
from pydantic import ValidationError

from schemas.events import Event
from schemas.states import GenerationState
from service.api import frames
from tests.web import samples

GENERATION = UUID(int=7)


def event(seq: int, data: str = "{}", kind: str = "batch.started") -> Event:
    return Event(generation_id=GENERATION, seq=seq, type=kind, data=data)


def test_a_block_names_the_event_then_its_data_and_its_id_last() -> None:
    assert frames.block(event(7, '{"seq":7}')) == b'event: batch.started\ndata: {"seq":7}\nid: 7\n\n'


def test_the_first_block_tells_how_soon_to_come_back_within_itself() -> None:
    blocks = frames.block(event(1)) + frames.block(event(2))
    assert frames.with_retry(blocks) == (
        b"event: batch.started\nretry: 1000\ndata: {}\nid: 1\n\nevent: batch.started\ndata: {}\nid: 2\n\n"
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [("batch.started\ndata: x", "{}"), ("", "{}"), ("batch.started", "{\n}"), ("batch.started", "é"), ("a", "\x7f")],
)
def test_what_would_break_a_block_is_no_event(kind: str, data: str) -> None:
    with pytest.raises(ValidationError):
        event(1, data, kind)


@pytest.mark.parametrize("name", ["snapshot", "resync"])
def test_a_state_is_the_whole_generation_with_the_id_to_go_on_from(name: str) -> None:
    generation = samples.partial()
    lines = frames.state(name, generation).decode("ascii").split("\n")
    assert lines[0] == f"event: {name}"
    assert json.loads(lines[1].removeprefix("data: ")) == json.loads(generation.model_dump_json())
    assert lines[2:] == [f"id: {generation.last_event_id}", "", ""]


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb", "\u2028", "\u2029", "\x85", "é", "🍃", 'a"b', "data: x"])
def test_no_text_breaks_a_block_into_lines(text: str) -> None:
    generation = samples.generation(GenerationState.PARTIAL, samples.batch(name=text), message=text)
    written = frames.state("snapshot", generation)
    assert written.isascii()
    assert b"\r" not in written
    assert written.count(b"\n") == 4
    data = json.loads(written.split(b"\n")[1].removeprefix(b"data: "))
    assert data["message"] == text
    assert data["batches"][0]["module_name"] == text


def test_a_heartbeat_is_an_event_that_a_page_can_see_without_an_id() -> None:
    assert frames.HEARTBEAT == b"event: heartbeat\ndata: {}\n\n"


def test_a_farewell_is_an_event_with_a_time_to_come_back_and_without_an_id() -> None:
    assert frames.farewell(retry_milliseconds=1234) == b'event: bye\nretry: 1234\ndata: {"retry_milliseconds":1234}\n\n'
