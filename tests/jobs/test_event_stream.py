"""Server-sent events, however the network cuts them."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.providers.event_stream import Event, EventStream

DELTA = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "é ____ 🌱 \u2028 \x85 →"}}
LINES = [
    ": a comment",
    "event: ping",
    'data: {"type": "ping"}',
    "",
    "id: 7",
    "retry: 100",
    "",
    "",
    "data:first",
    "data",
    "data:  third",
    "event:named",
    "",
    "event: content_block_delta",
    f"data: {json.dumps(DELTA, ensure_ascii=False)}",
    "unknown: field",
    "",
]
EVENTS = [
    Event(b"ping", b'{"type": "ping"}'),
    Event(b"named", b"first\n\n third"),
    Event(b"content_block_delta", json.dumps(DELTA, ensure_ascii=False).encode()),
]
ENDS = ["\n", "\r\n", "\r"]


def read(*pieces: bytes) -> list[Event]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


def written(end: str) -> bytes:
    return "".join(line + end for line in LINES).encode()


@pytest.mark.parametrize("end", ENDS)
def test_where_the_bytes_are_cut_makes_no_difference(end: str) -> None:
    whole = written(end)
    for first in range(len(whole) + 1):
        assert read(whole[:first], whole[first:]) == EVENTS, first


@pytest.mark.parametrize("end", ENDS)
def test_one_byte_at_a_time_gives_the_same(end: str) -> None:
    assert read(*(bytes([byte]) for byte in written(end))) == EVENTS


@pytest.mark.parametrize("end", ENDS)
def test_an_event_is_handed_over_by_the_byte_that_ends_its_empty_line(end: str) -> None:
    stream = EventStream()
    assert stream.feed(f"event: a{end}data: 1{end}".encode()) == []
    assert stream.feed(end[:1].encode()) == [Event(b"a", b"1")]
    assert stream.feed(f"{end[1:]}event: b{end}{end}".encode()) == [Event(b"b", b"")]


@given(
    ends=st.lists(st.sampled_from(ENDS), min_size=len(LINES), max_size=len(LINES)),
    cuts=st.lists(st.integers(0, 400)),
)
def test_line_ends_may_be_mixed(ends: list[str], cuts: list[int]) -> None:
    # An LF after a CR would be no empty line but the rest of the line's end.
    kept = [end if line else end.replace("\n", "\r") for line, end in zip(LINES, ends, strict=True)]
    whole = "".join(line + end for line, end in zip(LINES, kept, strict=True)).encode()
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    assert read(*(whole[start:end] for start, end in pairwise(places))) == EVENTS


def test_only_line_ends_of_the_standard_end_a_line() -> None:
    [event] = read(f"event: a\ndata: {json.dumps(DELTA, ensure_ascii=False)}\n\n".encode())
    assert event.fields() == DELTA


def test_what_is_left_without_its_empty_line_is_no_event() -> None:
    assert read(b'event: message_stop\ndata: {"type": "message_stop"}\n') == []


@pytest.mark.parametrize("data", [b'{"type": "content_blo', b"\xff", b"", b"1" * 5_000])
def test_data_that_is_no_json_raises_when_it_is_read_and_not_before(data: bytes) -> None:
    bad, good = read(b"event: a\ndata: " + data + b"\n\nevent: b\ndata: 1\n\n")
    assert good.fields() == 1
    with pytest.raises(ValueError):  # noqa: PT011 # what json raises is its own business
        bad.fields()
