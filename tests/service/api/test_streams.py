"""One client's stream: at once where it reads, later where it does not, never without a bound."""

import asyncio
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from service.api import frames
from service.api import stream as streams
from service.api.stream import BACKLOG_BYTES_MAX, Stream
from tests.following import Follower
from tests.workbench import WAIT_SECONDS

BLOCK = b"event: a\ndata: {}\nid: 1\n\n"
FIRST = b"event: a\nretry: 1000\ndata: {}\nid: 1\n\n"


@pytest.fixture
def client() -> Follower:
    return Follower(UUID(int=1))


async def test_what_is_written_goes_out_at_once_and_only_the_first_block_tells_when_to_return(client: Follower) -> None:
    stream = Stream(client, logs=1)
    stream.write(BLOCK)
    stream.write(BLOCK)
    assert client.blocks == [FIRST, BLOCK]


async def test_what_a_client_does_not_read_waits_in_order_and_goes_out_in_one(client: Follower) -> None:
    stream = Stream(client, logs=1)
    client.is_full = True
    for number in b"123":
        stream.write(b"data: %d\n\n" % number)
    assert client.blocks == []
    client.read_again()
    stream.write(b"data: 9\n\n")
    assert client.blocks == [b"data: 49\nretry: 1000\n\ndata: 50\n\ndata: 51\n\n", b"data: 9\n\n"]


async def test_a_client_that_lets_too_much_wait_is_cut_and_nothing_of_it_stays(client: Follower) -> None:
    stream = Stream(client, logs=1)
    client.is_full = True
    with capture_logs() as logs:
        for _ in range(BACKLOG_BYTES_MAX // 1024 + 1):
            stream.write(b"x" * 1024)
    assert client.is_aborted
    assert [entry["event"] for entry in logs] == ["a stream is cut"]
    await asyncio.wait_for(stream.over(), WAIT_SECONDS)
    assert not stream.is_whole
    stream.write(BLOCK)
    assert client.on_room is None
    assert client.blocks == []


async def test_a_client_that_does_not_read_for_too_long_is_cut(
    client: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BLOCKED_SECONDS_MAX", -1.0)
    stream = Stream(client, logs=1)
    stream.beat()
    assert not client.is_aborted, "it has nothing to read"
    client.is_full = True
    stream.write(BLOCK)
    with capture_logs():
        stream.beat()
    assert client.is_aborted


async def test_a_client_that_reads_again_in_time_is_not_cut(client: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BLOCKED_SECONDS_MAX", -1.0)
    stream = Stream(client, logs=1)
    client.is_full = True
    stream.write(BLOCK)
    client.read_again()
    stream.beat()
    assert not client.is_aborted


async def test_a_heartbeat_comes_when_it_is_due(client: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(client, logs=1)
    stream.write(BLOCK)
    stream.beat()
    assert client.blocks == [FIRST]
    monkeypatch.setattr(frames, "HEARTBEAT_SECONDS", 0)
    stream = Stream(client, logs=1)
    stream.beat()
    assert client.blocks[1:] == [b"event: heartbeat\nretry: 1000\ndata: {}\n\n"]


async def test_it_is_over_when_the_last_of_its_logs_has_ended_and_all_has_gone_out(client: Follower) -> None:
    stream = Stream(client, logs=2)
    client.is_full = True
    stream.write(BLOCK)
    stream.end_log()
    assert not stream.is_over.is_set()
    stream.end_log()
    ending = asyncio.create_task(stream.over())
    await asyncio.sleep(0)
    assert not ending.done(), "its client has not read it yet"
    client.read_again()
    await asyncio.wait_for(ending, WAIT_SECONDS)
    assert stream.is_whole
    assert client.blocks == [FIRST]


async def test_a_client_that_has_gone_ends_its_stream(client: Follower) -> None:
    stream = Stream(client, logs=1)
    client.is_full = True
    stream.write(BLOCK)
    assert client.on_lost is not None
    client.on_lost()
    await asyncio.wait_for(stream.over(), WAIT_SECONDS)
    assert not stream.is_whole
    stream.write(BLOCK)
    assert client.blocks == []
    assert client.on_lost is None


async def test_clients_that_come_back_together_share_the_memory_of_what_they_missed() -> None:
    blocks = BLOCK * 1000
    one, other = (Stream(Follower(UUID(int=1)), logs=1).opening(blocks) for _ in range(2))
    assert one is other
