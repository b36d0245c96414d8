"""The embedded Valkey: started, kept alive, taken over, shut down, and never in the way."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from service import valkey as valkeys
from service.errors import SettingsInvalid
from service.valkey import EmbeddedValkey
from tests.processes import gone, parent_of
from tests.workbench import WAIT_SECONDS, eventually

SETTLE_SECONDS = 10.0


def pid_of(server: EmbeddedValkey) -> int:
    assert server._process is not None, "it was started by us"
    return server._process.pid


def path_of(server: EmbeddedValkey) -> Path:
    return Path(server.url.removeprefix("unix://"))


@asynccontextmanager
async def connected(server: EmbeddedValkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as redis:
        yield redis


@asynccontextmanager
async def started(directory: Path) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(directory)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def kept(server: EmbeddedValkey) -> AsyncIterator[None]:
    keeping = asyncio.create_task(server.keep())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def answers_as_new_process(server: EmbeddedValkey, old: int) -> None:
    async def is_back() -> bool:
        return pid_of(server) != old and await server._answers()

    await eventually(is_back)


async def test_it_listens_on_a_private_socket_and_on_no_port(tmp_path: Path) -> None:
    async with started(tmp_path) as server, connected(server) as redis:
        assert await redis.ping()
        assert path_of(server).stat().st_mode & 0o777 == 0o700
        assert (await redis.config_get("port"))["port"] == "0"


async def test_it_makes_its_directory_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "data"
    async with started(directory) as server, connected(server) as redis:
        await redis.set("key", "value")
    assert list(directory.iterdir()) == []


async def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        pid = pid_of(server)
        assert parent_of(pid) is not None
    assert parent_of(pid) is None


async def test_stopping_what_is_gone_already_is_fine(tmp_path: Path) -> None:
    async with started(tmp_path) as server:
        os.kill(pid_of(server), signal.SIGKILL)
        await server.stop()
    await EmbeddedValkey(tmp_path / "never started").stop()
    assert parent_of(pid_of(server)) is None


async def test_one_that_still_runs_is_taken_over_with_what_it_holds(tmp_path: Path) -> None:
    first = EmbeddedValkey(tmp_path)
    await first.start()
    async with connected(first) as redis:
        await redis.set("key", "value")
    second = EmbeddedValkey(tmp_path)
    with capture_logs() as logs:
        await second.start()
    assert [entry["event"] for entry in logs] == ["took over a running valkey"]
    assert second.url == first.url
    async with connected(second) as redis:
        assert await redis.get("key") == b"value"
    pid = pid_of(first)
    await second.stop()
    await gone(pid, within_seconds=SETTLE_SECONDS)


async def test_it_starts_where_a_killed_one_left_its_socket(tmp_path: Path) -> None:
    async with started(tmp_path) as dead:
        os.kill(pid_of(dead), signal.SIGKILL)
        await gone(pid_of(dead), within_seconds=SETTLE_SECONDS)
        assert path_of(dead).exists()
        async with started(tmp_path) as server, connected(server) as redis:
            assert await redis.ping()


async def test_it_is_started_again_when_it_dies(tmp_path: Path) -> None:
    async with started(tmp_path) as server, kept(server):
        for _ in range(2):
            old = pid_of(server)
            with capture_logs() as logs:
                os.kill(old, signal.SIGKILL)
                await answers_as_new_process(server, old)
            assert "valkey ended; starting it again" in {entry["event"] for entry in logs}


async def test_one_that_was_taken_over_is_kept_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It is no child of ours, so it is only looked at from time to time.
    monkeypatch.setattr(valkeys, "LOOK_SECONDS", 0.02)
    async with started(tmp_path) as first:
        second = EmbeddedValkey(tmp_path)
        with capture_logs():
            await second.start()
            async with kept(second):
                os.kill(pid_of(first), signal.SIGKILL)

                async def is_back() -> bool:
                    return second._process is not None and await second._answers()

                await eventually(is_back)
            await second.stop()


async def test_keeping_goes_on_when_it_can_not_start_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkeys, "RESTART_SECONDS", 0.01)
    server = EmbeddedValkey(tmp_path)
    path_of(server).mkdir()
    with capture_logs() as logs:
        async with kept(server):
            await eventually(lambda: any(entry["event"] == "valkey does not start" for entry in logs))
            path_of(server).rmdir()
            await eventually(server._answers)
    await server.stop()


async def test_one_that_has_only_just_begun_is_stopped_as_well(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    starting = asyncio.create_task(server.start())
    await eventually(lambda: server._process is not None)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    async with asyncio.timeout(WAIT_SECONDS):
        await server.stop()
    assert not await server._answers()


async def test_one_that_can_not_start_says_so(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    path_of(server).mkdir()
    with pytest.raises(SettingsInvalid, match="valkey ended at once with code"):
        await server.start()


async def test_a_long_data_directory_is_no_obstacle(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100) / ("ä" * 60)
    async with started(directory) as server, connected(server) as redis:
        assert await redis.ping()
        assert not path_of(server).is_relative_to(directory)
        assert EmbeddedValkey(directory).url == server.url, "the next one finds it"
        assert EmbeddedValkey(tmp_path / ("d" * 100) / ("ö" * 60)).url != server.url


async def test_two_directories_have_two_servers(tmp_path: Path) -> None:
    async with started(tmp_path / "a") as one, started(tmp_path / "b") as other, connected(one) as redis:
        await redis.set("key", "value")
        async with connected(other) as elsewhere:
            assert await elsewhere.get("key") is None


async def test_a_socket_that_nobody_serves_is_no_server(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path_of(server)))
    async with started(tmp_path) as again, connected(again) as redis:
        assert await redis.ping()


async def test_a_server_that_hangs_is_killed_instead_of_waited_for(tmp_path: Path) -> None:
    async with asyncio.timeout(WAIT_SECONDS), started(tmp_path) as server:
        pid = pid_of(server)
        os.kill(pid, signal.SIGSTOP)
        await server.stop()
        assert parent_of(pid) is None
        await server.start()


async def test_a_hanging_server_of_an_earlier_life_makes_room_for_a_new_one(tmp_path: Path) -> None:
    async with asyncio.timeout(WAIT_SECONDS), started(tmp_path) as earlier:
        pid = pid_of(earlier)
        os.kill(pid, signal.SIGSTOP)
        async with started(tmp_path) as later:
            assert pid_of(later) != pid
            await gone(pid, within_seconds=SETTLE_SECONDS)
            async with connected(later) as redis:
                assert await redis.ping()


async def test_a_number_that_is_another_process_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "valkey.pid").write_text(str(os.getpid()))
    async with started(tmp_path) as server, connected(server) as redis:
        assert await redis.ping(), "and we are still here"
