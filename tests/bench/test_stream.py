"""The benchmark of the event stream: small runs, in which counts are looked at, and what its load client notices."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import stream
from bench.streaming import load, results, runs, servers
from bench.streaming.load import Seen
from bench.streaming.results import Entry, Target
from bench.streaming.scene import Contender, Pace

OURS = Contender("ours", servers.ours)
NAIVE = Contender("naive", servers.naive)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = b"event: snapshot\ndata: {}\nid: 4\n\n"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load.compiled(tmp_path_factory.mktemp("load"))


@pytest.mark.parametrize("pace", [Pace("8 in flight", 8), Pace("1 in flight", 1), Pace("40 a second", 0, 40.0)])
async def test_every_client_of_ours_gets_every_event_once_and_in_order(program: Path, pace: Pace) -> None:
    figures = await runs.fanout(OURS, program, 12, pace, 10)
    assert (figures["deliveries"], figures["faults"]) == (12 * 10, 0)
    assert 0 < figures["p50 ms"] <= figures["p99 ms"]
    assert figures["per CPU s"] > 0


@pytest.mark.parametrize(("contender", "is_watched"), [(OURS, True), (OURS, False), (NAIVE, False)])
async def test_who_comes_back_gets_what_was_missed(program: Path, contender: Contender, is_watched: bool) -> None:
    figures = await runs.storm(contender, program, 8, 20, is_watched=is_watched)
    assert (figures["deliveries"], figures["faults"]) == (8 * 20, 0)
    assert figures["CPU s"] > 0


async def test_a_client_that_stops_reading_is_cut_and_the_others_miss_nothing(program: Path) -> None:
    figures = await runs.stall(OURS, program, 3, 800, cut_seconds_max=25.0)
    assert (figures["deliveries"], figures["faults"], figures["cut"]) == (3 * 800, 0, 1)
    assert 0 < figures["cut MB"] < 800 * 0.002


async def heard(program: Path, directory: Path, *parts: bytes, last: int, head: bytes = HEAD) -> Seen:
    """What the load client says of a made-up stream, of which it expects the events from 5 to `last`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        for part in parts:
            writer.write(b"%x\r\n%b\r\n" % (len(part), part) if b"chunked" in head else part)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        options = {"port": listening.sockets[0].getsockname()[1], "clients": 2, "after": 4, "last": last, "ids": 1}
        async with load.clients(program, directory / "received", options, progress=None) as clients:
            await clients.ready()
            return await clients.ended()


def event(seq: int, *, told_id: int | None = None) -> bytes:
    return b'event: e\ndata: {"seq":%d,"x":1}\nid: %d\n\n' % (seq, seq if told_id is None else told_id)


async def test_the_load_client_finds_no_fault_with_a_sound_stream(program: Path, tmp_path: Path) -> None:
    told = await heard(program, tmp_path, HELLO, event(5), b": comment\n\n", event(6) + event(7), last=7)
    assert (told.deliveries, told.least, told.most, told.faults) == (6, 3, 3, 0)


async def test_the_load_client_reads_events_that_are_cut_anywhere(program: Path, tmp_path: Path) -> None:
    whole = (HELLO + event(5) + event(6)).replace(b"\n", b"\r\n")
    bytewise = [whole[place : place + 1] for place in range(len(whole))]
    assert (await heard(program, tmp_path, *bytewise, last=6)).faults == 0
    plain = HEAD.replace(b"Transfer-Encoding: chunked\r\n", b"")
    assert (await heard(program, tmp_path, *bytewise, last=6, head=plain)).faults == 0


@pytest.mark.parametrize(
    ("fault", "events"),
    [
        ("missing", [event(5), event(7)]),
        ("duplicates", [event(5), event(6), event(6), event(7)]),
        ("reordered", [event(6), event(5), event(7)]),
        ("unexpected", [event(4), event(5), event(6), event(7)]),
        ("wrong_ids", [event(5), event(6, told_id=7), event(7)]),
        ("closed_early", [event(5), event(6)]),
    ],
)
async def test_the_load_client_notices(program: Path, tmp_path: Path, fault: str, events: Sequence[bytes]) -> None:
    told = await heard(program, tmp_path, HELLO, *events, last=7)
    assert getattr(told, fault) == 2, "one for each of the two clients"


async def test_the_load_client_counts_who_was_refused(program: Path, tmp_path: Path) -> None:
    told = await heard(program, tmp_path, head=b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", last=5)
    assert (told.refused, told.deliveries) == (2, 0)


def entry(contender: str, repeat: int, **figures: float) -> Entry:
    return Entry(cell="few", contender=contender, repeat=repeat, load_average=0, figures={**figures, "faults": repeat})


def test_a_target_compares_what_was_measured_in_the_same_repeat() -> None:
    measured = [entry("ours", 0, x=2), entry("nchan", 0, x=4), entry("ours", 1, x=9), entry("nchan", 1, x=3)]
    assert list(Target("few", "x", "nchan", 1.0, 2.0).values(measured)) == [0.5, 3.0]
    assert list(Target("few", "x", None, 1.0, 2.0).values(measured)) == [2, 9]
    assert list(Target("many", "x", "nchan", 1.0, 2.0).values(measured)) == []


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "missed"), (1.0, "met"), (1.9, "met"), (2.0, "met, with the stretch")]
)
def test_a_target_is_met_from_its_bound_on(value: float, verdict: str) -> None:
    assert Target("few", "x", "nchan", 1.0, 2.0).verdict(value) == verdict
    below = Target("few", "x", "nchan", -1.0, -2.0, is_floor=False)
    assert below.verdict(-value) == verdict


def test_the_verdicts_tell_of_faults() -> None:
    *_, last = results.verdicts([entry("ours", 0, x=2), entry("ours", 3, x=2), entry("nchan", 1, x=4)])
    assert "ours 3, nchan 1" in last


def test_every_target_is_about_something_that_is_done() -> None:
    cells = {cell.name: cell.contenders for cell in stream.cells(stream.arguments([]), stream.FULL)}
    for target in results.TARGETS:
        assert {"ours", target.against or "ours"} <= set(cells[target.cell]), target


def test_every_contender_begins_in_turn() -> None:
    assert [stream.turned(["a", "b"], repeat) for repeat in range(3)] == [["a", "b"], ["b", "a"], ["a", "b"]]
