"""A stream over as many connections as it takes: no event twice, none missed, and nobody is pestered meanwhile."""

import json

import pytest

from schemas.states import GenerationState
from service.cli import stream
from service.cli.client import Client
from service.cli.refusals import ServiceRefused
from service.cli.stream import StreamEvent
from tests.canned import HEAD, NO_MORE, ask, response, serving
from tests.web import samples

GENERATION = samples.partial()
AWAY = ""
"""The connection ends without an answer."""


def event(seq: int, kind: str = "batch.started", *, retry: int | None = None) -> str:
    asked = "" if retry is None else f"retry: {retry}\n"
    return f'event: {kind}\n{asked}data: {{"seq":{seq}}}\nid: {seq}\n\n'


def snapshot(seq: int, state: GenerationState) -> str:
    return f'event: snapshot\nretry: 1000\ndata: {{"status":"{state}"}}\nid: {seq}\n\n'


END = HEAD + event(9, "generation.completed")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have slept each time."""
    seconds: list[float] = []
    monkeypatch.setattr(stream.time, "sleep", seconds.append)
    return seconds


async def watch(url: str, *, from_start: bool = False, said: list[str] | None = None) -> list[tuple[int, str]]:
    sentences = [] if said is None else said

    def watched(client: Client) -> list[tuple[int, str]]:
        events = client.watch(GENERATION.id, say=sentences.append, from_start=from_start)
        return [(heard.id, heard.type) for heard in events]

    return await ask(url, watched)


async def test_a_stream_is_heard_until_its_terminal_event(waits: list[float]) -> None:
    told = HEAD + event(1) + "event: heartbeat\ndata: {}\n\n" + event(2, "generation.completed")
    async with serving(told) as (service, url):
        assert await watch(url) == [(1, "batch.started"), (2, "generation.completed")]
    assert service.requests[0].startswith(f"GET /api/generations/{GENERATION.id}/events ")
    assert service.header(0, "last-event-id") is None
    assert service.header(0, "accept") == "text/event-stream"
    assert waits == []


async def test_a_log_is_replayed_from_its_start_when_asked_for(waits: list[float]) -> None:
    async with serving(HEAD + event(1, "generation.failed")) as (service, url):
        assert await watch(url, from_start=True) == [(1, "generation.failed")]
    assert service.header(0, "last-event-id") == "0"


@pytest.mark.parametrize("state", [state for state in GenerationState if state.is_terminal])
async def test_the_snapshot_of_what_has_ended_is_all(waits: list[float], state: GenerationState) -> None:
    async with serving(HEAD + snapshot(7, state)) as (_, url):
        assert await watch(url) == [(7, "snapshot")]


async def test_an_end_in_the_middle_of_a_log_is_none(waits: list[float]) -> None:
    told = HEAD + event(1, "generation.partial") + event(2, "batch.requeued") + event(3, "generation.completed")
    async with serving(told) as (_, url):
        assert [seq for seq, _ in await watch(url, from_start=True)] == [1, 2, 3]


@pytest.mark.parametrize("broken", ["event: batch.requeued\nda", "event: bye\nretry: 500\ndata: {}\n\n"])
async def test_after_an_end_that_broke_off_the_service_says_whether_it_was_one(waits: list[float], broken: str) -> None:
    length = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
    for rest, seqs in ((NO_MORE, [1]), (HEAD + event(2, "generation.completed"), [1, 2])):
        async with serving(length + event(1, "generation.partial") + broken, rest) as (service, url):
            assert [seq for seq, _ in await watch(url, from_start=True)] == seqs
        assert service.header(1, "last-event-id") == "1"


async def test_a_stream_that_is_cut_goes_on_where_it_was(waits: list[float]) -> None:
    cut = HEAD + event(1) + event(2) + 'event: batch.started\ndata: {"se'
    rest = HEAD + event(3) + event(4, "generation.partial")
    said: list[str] = []
    async with serving(cut, AWAY, rest) as (service, url):
        assert [seq for seq, _ in await watch(url, said=said)] == [1, 2, 3, 4]
    assert [service.header(position, "last-event-id") for position in range(3)] == [None, "2", "2"]
    assert said == [], "a line that broke is no reason to speak"


async def test_a_service_that_says_goodbye_is_come_back_to_when_it_asks(waits: list[float]) -> None:
    leaving = HEAD + event(1, retry=1000) + "event: bye\nretry: 2500\ndata: {}\n\n"
    async with serving(leaving, HEAD + event(2, "generation.cancelled")) as (service, url):
        assert await watch(url) == [(1, "batch.started"), (2, "generation.cancelled")]
    assert service.header(1, "last-event-id") == "1"
    assert waits == [2.5]


@pytest.mark.parametrize(("asked", "seconds"), [(0, 0.1), (1500, 1.5), (10**9, 60.0)])
async def test_no_service_can_make_it_spin_or_wait_for_ever(waits: list[float], asked: int, seconds: float) -> None:
    async with serving(HEAD + event(1, retry=asked), END) as (_, url):
        await watch(url)
    assert waits == [seconds]


@pytest.mark.parametrize(
    "nothing",
    [
        AWAY,
        response("502 Bad Gateway", "<p>proxy</p>", "text/html"),
        response("503 Service Unavailable", "{}"),
        response("429 Too Many Requests", "{}"),
        response("200 OK", "<p>starting</p>", "text/html"),
        HEAD + "event: bye\nretry: 1000\ndata: {}\n\n",
    ],
)
async def test_while_nothing_comes_it_waits_longer_each_time_and_says_so_once(waits: list[float], nothing: str) -> None:
    said: list[str] = []
    async with serving(HEAD + event(1), *[nothing] * 6, HEAD + event(2), *[nothing] * 2, END) as (_, url):
        assert [seq for seq, _ in await watch(url, said=said)] == [1, 2, 9]
    assert waits == [1, 1, 2, 4, 8, 15, 15, 1, 1, 2]
    assert said == [f"{url} is away or full: waiting until it is back."] * 2, "once each time"


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found"])
async def test_a_stream_that_is_refused_says_why(waits: list[float], status: str) -> None:
    refusal = response(status, json.dumps({"detail": "there is no generation"}), "application/problem+json")
    async with serving(HEAD + event(1), refusal) as (_, url):
        with pytest.raises(ServiceRefused, match=f"{status[:3]}: there is no generation"):
            await watch(url)


@pytest.mark.parametrize(
    ("kind", "data", "state", "is_last"),
    [
        ("snapshot", {"status": "processing"}, GenerationState.PROCESSING, False),
        ("resync", {"status": "partial"}, GenerationState.PARTIAL, True),
        ("generation.completed", {}, GenerationState.COMPLETED, True),
        ("generation.paused", {}, GenerationState.PAUSED, False),
        ("generation.started", {}, None, False),
        ("batch.completed", {}, None, False),
    ],
)
def test_an_event_tells_the_state_of_its_generation(
    kind: str, data: dict[str, object], state: GenerationState | None, is_last: bool
) -> None:
    told = StreamEvent(id=1, type=kind, data=data)
    assert (told.state, told.is_last) == (state, is_last)
