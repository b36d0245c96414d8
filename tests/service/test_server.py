"""What the server does with clients that are slow or gone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from schemas.events import QuestionRejected
from service import server
from service.api import guard, watching
from service.store import events, generations
from tests.journeys.orders import module
from tests.system import WAIT_SECONDS, System
from tests.workbench import eventually

pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Sockets are the same over every database."""
    return sqlite_url


LIVEZ = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def port_of(system: System) -> int:
    return int(system.url.rpartition(":")[2])


@asynccontextmanager
async def connected(system: System) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(system))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            yield reader, writer
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server lets go."""
    try:
        return await reader.read(-1)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("beginning", [b"", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
async def test_a_client_that_does_not_finish_its_headers_is_cut(
    offline_system: System, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(server, "HEADERS_SECONDS_MAX", 0.1)
    async with connected(offline_system) as (reader, writer):
        writer.write(beginning)
        assert await ended(reader) == b""


async def test_also_the_next_request_of_a_connection_must_get_on_with_its_headers(
    offline_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(offline_system) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert await reader.readuntil(b'{"status":"ok"}')
        monkeypatch.setattr(server, "HEADERS_SECONDS_MAX", 0.1)
        writer.write(b"GET /livez HTTP/1.1\r\n")
        assert await ended(reader) == b""


@pytest.mark.parametrize("beginning", [b"Content-Length: 9\r\n\r\n", b"\r\n"])
@pytest.mark.parametrize("rest", [b"\r\n", b"x"])
async def test_a_connection_is_not_kept_for_bytes_that_begin_no_request(
    offline_system: System, monkeypatch: pytest.MonkeyPatch, beginning: bytes, rest: bytes
) -> None:
    async with connected(offline_system) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n" + beginning)
        assert await reader.readuntil(b'{"status":"ok"}')
        monkeypatch.setattr(server, "HEADERS_SECONDS_MAX", 0.1)
        writer.write(rest)
        await ended(reader)


async def test_headers_without_end_are_refused(offline_system: System) -> None:
    async with connected(offline_system) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * server.HEADERS_BYTES_MAX)
        assert (await ended(reader)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("more", [LIVEZ * (server.PIPELINED_MAX + 2), b"nonsense\r\n\r\n"])
async def test_what_is_sent_after_the_request_of_a_stream_is_not_answered_in_its_middle(
    offline_system: System, more: bytes
) -> None:
    ordered = await offline_system.order([module("Leaves", ("flashcard", 1))])
    async with connected(offline_system) as (reader, writer):
        writer.write(f"GET /api/generations/{ordered['id']}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await reader.readuntil(b"event: snapshot\n")
        writer.write(more)
        assert b"HTTP/1.1" not in await ended(reader)


async def test_a_client_that_leaves_with_requests_waiting_behind_its_stream_gives_its_seat_back(
    offline_system: System,
) -> None:
    ordered = await offline_system.order([module("Leaves", ("flashcard", 1))])
    streams = offline_system.app.state.backend.hub._streams
    async with connected(offline_system) as (reader, writer):
        writer.write(f"GET /api/generations/{ordered['id']}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await reader.readuntil(b"event: snapshot\n")
        writer.write(LIVEZ)
    await eventually(lambda: not streams)


async def test_requests_that_wait_for_their_turn_are_answered_in_turn(offline_system: System) -> None:
    async with connected(offline_system) as (reader, writer):
        writer.write(LIVEZ * server.PIPELINED_MAX)
        for _ in range(server.PIPELINED_MAX):
            assert await reader.readuntil(b'{"status":"ok"}')


async def test_a_body_that_stops_is_refused_and_its_connection_closed(
    offline_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS_MAX", 0.1)
    head = (
        b"POST /api/quizzes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    )
    async with connected(offline_system) as (reader, writer):
        writer.write(head + b'{"title":')
        answer = await ended(reader)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


async def test_a_request_in_time_is_not_cut(offline_system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADERS_SECONDS_MAX", 0.1)
    ordered = await offline_system.order([module("Leaves", ("flashcard", 1))])
    listening = asyncio.create_task(offline_system.listen(ordered["id"]))
    offline_system.add_worker()
    heard = await asyncio.wait_for(listening, WAIT_SECONDS)
    assert heard[-1].type == "generation.completed"


async def test_a_client_that_does_not_read_is_cut_and_costs_the_others_nothing(offline_system: System) -> None:
    ordered = await offline_system.order([module("Leaves", ("flashcard", 1))])
    generation_id, streams = UUID(ordered["id"]), offline_system.app.state.backend.hub._streams
    path = f"/api/generations/{generation_id}/events?from=0"
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with capture_logs() as logs, socket.create_connection(("127.0.0.1", port_of(offline_system))) as stalled:
        stalled.sendall(request)
        async with connected(offline_system) as (reader, reading):
            reading.write(request)
            await eventually(lambda: len(streams) == 2)
            last = 0
            while len(streams) == 2:
                last = await grow(offline_system, generation_id)
                await reader.readuntil(b"\nid: %d\n" % last)
            assert [entry["reason"] for entry in logs if entry["event"] == "a stream is cut"] == [
                "its client does not keep pace"
            ]
            assert last * 1000 < 2_000_000, "it is cut before much of it waits"
            last = await grow(offline_system, generation_id)
            await reader.readuntil(b"\nid: %d\n" % last)


async def test_a_client_that_catches_up_after_a_while_hears_the_stream_to_its_end(offline_system: System) -> None:
    ordered = await offline_system.order([module("Leaves", ("flashcard", 1))])
    generation_id, streams = UUID(ordered["id"]), offline_system.app.state.backend.hub._streams
    path = f"/api/generations/{generation_id}/events?from=0"
    async with connected(offline_system) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined] # a reader goes on by itself otherwise
        await eventually(lambda: len(streams) == 1)
        [stream] = streams
        while stream._backlog_bytes < 2 * server.SEND_BUFFER_BYTES:
            last = await grow(offline_system, generation_id)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        told = await chunks(reader, until=b"\nid: %d\n" % last)
        last = await grow(offline_system, generation_id)
        told += await chunks(reader, until=b"\nid: %d\n" % last)
    assert b"".join(told).count(b"\nid: ") == last


async def test_a_client_that_does_not_read_what_it_has_missed_is_cut(
    offline_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BLOCKED_SECONDS_MAX", 0.2)
    ordered = await offline_system.order([module("Leaves", ("flashcard", 1))])
    generation_id, streams = UUID(ordered["id"]), offline_system.app.state.backend.hub._streams
    while await grow(offline_system, generation_id) < 1200:
        pass
    path = f"/api/generations/{generation_id}/events?from=0"
    with capture_logs() as logs:
        async with connected(offline_system) as (reader, writer):
            reader._transport.pause_reading()  # type: ignore[attr-defined] # a reader goes on by itself otherwise
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            await eventually(lambda: len(streams) == 1)
            await eventually(lambda: not streams)
            await eventually(lambda: not offline_system._server.server_state.connections)
    assert "its client does not read what it has missed" in [entry.get("reason") for entry in logs]


async def chunks(reader: asyncio.StreamReader, *, until: bytes) -> list[bytes]:
    """The parts of a body. The part that ends it must not come before `until`."""
    parts = [b""]
    while until not in parts[-1]:
        size = int(await reader.readline(), 16)
        assert size, "the response has ended"
        parts.append(await reader.readexactly(size))
        assert await reader.readexactly(2) == b"\r\n"
    return parts


async def grow(system: System, generation_id: UUID) -> int:
    rejected = QuestionRejected(batch_id=generation_id, code="schema", message="x" * 700)
    async with system.database.write() as tx:
        await generations.lock(tx, generation_id)
        wakeup = await events.append(tx, generation_id, [rejected] * 40)
    await system.app.state.backend.broadcast.announce(wakeup)
    return wakeup.seq


async def test_what_a_client_has_not_read_takes_little_memory_of_the_system(offline_system: System) -> None:
    size = offline_system._listening.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert size <= 2 * server.SEND_BUFFER_BYTES
