"""Whatever becomes of wake-up calls, reads and connections, each client hears what comes after its place, in order."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis.asyncio import Redis
from structlog.testing import capture_logs

from schemas.events import TERMINAL_TYPES, Event, GenerationEnded, GenerationFailed, Happening, QuestionRejected
from schemas.plans import Wakeup
from service.api import feed as feeds
from service.api import frames
from service.api import hub as hubs
from service.api import tail as tails
from service.api.hub import Hub
from service.broadcast import Broadcast
from service.errors import Unavailable
from service.store import events, generations
from tests import factories
from tests.factories import Ordered
from tests.following import Follower
from tests.simulation.sqlite_inline import Disk, installed
from tests.simulation.world import directory, template
from tests.troubled import TroubledDatabase

HUBS = 2
GENERATIONS = 2
CLIENTS_MAX = 4
HEAL_TURNS = 500
TURNS_MAX = 5000
"""Of the loop, until all is heard; without a fault it takes a few dozen."""

FAILED: GenerationEnded = GenerationFailed(generated_count=0, requested_count=1, failed_batches=())
Found = TypeVar("Found")

picks = st.integers(min_value=0, max_value=20)
turns = st.integers(min_value=1, max_value=12)


POISON = (b"", b"\xff", b"{}", b"[1]", b'{"generation_id": 1, "seq": "x"}')


class Call(StrEnum):
    """What arrives. A large log's call has no events; one that is lost shows as a connection that was."""

    WITH_EVENTS = "with events"
    WITHOUT_EVENTS = "without events"
    MERGED = "merged with another"
    AHEAD = "of more than there is"
    OF_NOBODY = "of another generation"
    POISONED = "poisoned"
    LOST = "lost"


class Air(Broadcast):
    """What is sent is kept, and arrives at this hub when the test says so; None: the connection was lost meanwhile."""

    def __init__(self) -> None:
        super().__init__(Redis())
        self.sent: list[bytes] = []
        self._arriving: asyncio.Queue[bytes | None] = asyncio.Queue()

    def arrive(self, message: bytes | None) -> None:
        self._arriving.put_nowait(message)

    async def messages(self, channel: str) -> AsyncGenerator[bytes | None]:
        while True:
            yield await self._arriving.get()

    async def _publish(self, channel: str, messages: Sequence[str]) -> None:
        self.sent += [message.encode() for message in messages]


class Client(Follower):
    """Follows one log through as many connections as it takes, at each hub in turn. `wrong` must stay empty."""

    def __init__(self, generation_id: UUID, seq: int | None, hubs: Sequence[Hub], log: Sequence[Event]) -> None:
        super().__init__(generation_id, seq)
        self.wrong: list[str] = []
        self.has_ended = False
        self._may_start_again = seq is None or seq > len(log)
        self._hubs = hubs
        self._log = log
        self._at = 0
        self.task = asyncio.get_running_loop().create_task(self._stay())

    def take(self, blocks: bytes) -> None:
        super().take(blocks)
        for block in blocks.split(b"\n\n")[:-1]:
            name, *rest = [line for line in block.split(b"\n") if not line.startswith(b"retry: ")]
            if name in {b"event: snapshot", b"event: resync"}:
                self._start_at(int(rest[-1].removeprefix(b"id: ")), name)
            elif name not in {b"event: bye", b"event: heartbeat"}:
                self._hear(b"\n".join((name, *rest)))

    async def move(self) -> None:
        """Its connection is cut, and it comes back to the other hub."""
        await self.leave()
        self.task = asyncio.create_task(self._stay())

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    @property
    def is_content(self) -> bool:
        return self.has_ended or self.seq == len(self._log)

    async def _stay(self) -> None:
        while not self.has_ended:
            self._at = (self._at + 1) % len(self._hubs)
            self.is_full, self.on_room = False, None
            with suppress(Unavailable):  # the service says so, and it comes back
                await self.follow(self._hubs[self._at])
            await asyncio.sleep(0)

    def _start_at(self, seq: int, name: bytes) -> None:
        if not self._may_start_again:
            self.wrong.append(f"{name!r} with id {seq}, and it was at {self.seq}")
        self._may_start_again = False
        self.seq = seq

    def _hear(self, block: bytes) -> None:
        assert self.seq is not None, "a snapshot comes first"
        expected = self._log[self.seq] if self.seq < len(self._log) else None
        if expected is None or block != frames.block(expected).removesuffix(b"\n\n"):
            self.wrong.append(f"{block!r}, and it was at {self.seq}")
            return
        self.seq += 1
        self.has_ended = expected.type in TERMINAL_TYPES and self.seq == len(self._log)


class Hearing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp(dir=directory())) / "quizmill.db"
        self.path.write_bytes(template())
        self.loop = asyncio.new_event_loop()
        self.slow_turns = 0
        self.inline = installed(Disk(str(self.path), pause=self._pause, clock=time.time))
        self.inline.__enter__()
        self.quiet = capture_logs()
        self.quiet.__enter__()
        self.small = pytest.MonkeyPatch()
        self.small.setattr(hubs, "HEAL_SECONDS", 3600.0)
        # So that a log of a dozen events is longer than memory and pages.
        self.small.setattr(tails, "EVENTS_MAX", 5)
        self.small.setattr(feeds, "EVENTS_MAX", 5)
        self.small.setattr(feeds, "PAGE_EVENTS_MAX", 3)
        self.database = TroubledDatabase(f"sqlite+aiosqlite:///{self.path}")
        self.airs = [Air() for _ in range(HUBS)]
        self.hubs = [Hub(self.database, air) for air in self.airs]
        self.clients: list[Client] = []
        self.wakeups: list[Wakeup] = []
        self.logs: dict[UUID, list[Event]] = {}

    def teardown(self) -> None:
        try:
            self.run(self._calm())
            for client in self.clients:
                assert client.wrong == []
                assert client.is_content, f"{client.generation_id} from {client.seq} of {len(self._log_of(client))}"
        finally:
            self.run(self._end())
            self.small.undo()
            self.quiet.__exit__(None, None, None)
            self.inline.__exit__(None, None, None)
            self.loop.close()
            shutil.rmtree(self.path.parent)

    # What can happen.

    @initialize()
    def begin(self) -> None:
        async def start() -> list[Ordered]:
            for hub in self.hubs:
                hub.start()
            return [await factories.make_order(self.database, 1) for _ in range(GENERATIONS)]

        self.orders = self.run(start())
        self.logs.update({ordered.generation_id: [] for ordered in self.orders})

    @rule(
        pick=picks,
        count=st.integers(min_value=1, max_value=4),
        ends=st.sampled_from([False] * 9 + [True]),
        called=st.sets(st.integers(min_value=0, max_value=HUBS - 1)),
        turns=turns,
    )
    def grow(self, pick: int, count: int, ends: bool, called: set[int], turns: int) -> None:
        """Some hubs are called at once, others perhaps later. What comes after an end is what a retry brings."""
        wakeup = self._grown(pick, count, ends=ends)
        for hub in called:
            self.airs[hub].arrive(self._message(wakeup))
        self.run(_turn(turns))

    @precondition(lambda self: self.wakeups)
    @rule(pick=picks, other=picks, hub=picks, kind=st.sampled_from(Call))
    def call(self, pick: int, other: int, hub: int, kind: Call) -> None:
        """At any time, as often as it likes, for one hub only."""
        air = self.airs[hub % HUBS]
        wakeup = self.wakeups[-1 - pick % len(self.wakeups)]
        alike = [known for known in self.wakeups if known.generation_id == wakeup.generation_id]
        match kind:
            case Call.WITH_EVENTS:
                air.arrive(self._message(wakeup))
            case Call.WITHOUT_EVENTS:
                air.arrive(self._message(wakeup.model_copy(update={"events": ()})))
            case Call.MERGED:
                air.arrive(self._message(wakeup.merged(alike[other % len(alike)])))
            case Call.AHEAD:
                air.arrive(self._message(Wakeup(generation_id=wakeup.generation_id, seq=10**other)))
            case Call.OF_NOBODY:
                air.arrive(self._message(wakeup.model_copy(update={"generation_id": uuid4()})))
            case Call.POISONED:
                air.arrive(POISON[other % len(POISON)])
            case Call.LOST:
                air.arrive(None)

    @precondition(lambda self: len(self.clients) < CLIENTS_MAX)
    @rule(pick=picks, seq=picks, is_new=st.sampled_from([False, False, True]), turns=turns, grows=st.booleans())
    def come(self, pick: int, seq: int, is_new: bool, turns: int, grows: bool) -> None:
        """From anywhere in the log, or from just ahead of it; `grows`: in the same moment as a call comes."""
        generation_id = self.orders[pick % GENERATIONS].generation_id
        log = self.logs[generation_id]
        messages = [self._message(self._grown(pick, 1))] if grows else []

        async def start() -> None:
            for air, message in product(self.airs, messages):
                air.arrive(message)
            place = None if is_new else seq % (len(log) + 2)
            self.clients.append(Client(generation_id, place, self.hubs, log))
            await _turn(turns)

        self.run(start())

    @precondition(lambda self: self.clients)
    @rule(pick=picks)
    def go(self, pick: int) -> None:
        self.run(self.clients.pop(pick % len(self.clients)).leave())

    @precondition(lambda self: self.clients)
    @rule(pick=picks)
    def move(self, pick: int) -> None:
        self.run(self.clients[pick % len(self.clients)].move())

    @precondition(lambda self: self.clients)
    @rule(pick=picks, reads=st.booleans())
    def read(self, pick: int, reads: bool) -> None:
        client = self.clients[pick % len(self.clients)]
        if reads:
            client.read_again()
        else:
            client.is_full = True

    @rule(is_away=st.sampled_from([False, False, True]), slow_turns=st.sampled_from([0, 0, 1, 5]))
    def trouble_the_database(self, is_away: bool, slow_turns: int) -> None:
        self.database.is_away = is_away
        self.slow_turns = slow_turns

    @rule(turns=turns)
    def wait(self, turns: int) -> None:
        self.run(_turn(turns))

    # What must hold.

    @invariant()
    def nobody_has_heard_anything_wrong(self) -> None:
        for client in self.clients:
            assert client.wrong == []

    # How.

    def run(self, step: Coroutine[Any, Any, Found]) -> Found:
        return self.loop.run_until_complete(step)

    def _log_of(self, client: Client) -> list[Event]:
        return self.logs[client.generation_id]

    def _message(self, wakeup: Wakeup) -> bytes:
        """As it is published."""
        self.run(self.airs[0].announce_all([wakeup]))
        return self.airs[0].sent.pop()

    def _grown(self, pick: int, count: int, *, ends: bool = False) -> Wakeup:
        ordered = self.orders[pick % GENERATIONS]
        rejected = QuestionRejected(batch_id=ordered.batch_ids[0], code="schema", message="bad")
        happenings: list[Happening] = [*[rejected] * count, *([FAILED] if ends else [])]
        self.wakeups.append(self.run(self._append(ordered.generation_id, happenings)))
        return self.wakeups[-1]

    async def _append(self, generation_id: UUID, happenings: Sequence[Happening]) -> Wakeup:
        self.database.is_away, was_away = False, self.database.is_away
        async with self.database.write() as tx:
            await generations.lock(tx, generation_id)
            wakeup = await events.append(tx, generation_id, happenings)
        self.database.is_away = was_away
        self.logs[generation_id] += wakeup.events
        return wakeup

    async def _pause(self, _place: str) -> None:
        await _turn(self.slow_turns)

    async def _calm(self) -> None:
        """All faults are over, and each hub looks at everything now and then, as it does every other second."""
        self.database.is_away = False
        self.slow_turns = 0
        for client in self.clients:
            client.read_again()
        for turn in range(TURNS_MAX):
            if all(client.is_content or client.wrong for client in self.clients):
                return
            for air in self.airs if turn % HEAL_TURNS == 0 else ():
                air.arrive(None)
            await asyncio.sleep(0)

    async def _end(self) -> None:
        for client in self.clients:
            await client.leave()
        for hub in self.hubs:
            await hub.stop()
        await self.database.close()


async def _turn(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


TestHearing = Hearing.TestCase
TestHearing.settings = settings(
    max_examples=2000 if os.environ.get("QUIZMILL_SOAK") else 100,
    stateful_step_count=40,
    deadline=None,
    # The same sequences each time, so that a change is judged by the change; the soak looks for new ones.
    derandomize=not os.environ.get("QUIZMILL_SOAK"),
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate] if os.environ.get("QUIZMILL_MUTANT") else list(Phase),
)
