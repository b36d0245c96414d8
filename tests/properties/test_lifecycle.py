"""Any sequence of steps, legal or not, keeps the rows true; a step that is refused changes nothing."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.events import BatchRetrying, QuestionRejected
from schemas.generations import BatchError
from schemas.holdings import Holding
from schemas.plans import Claim, Place
from schemas.states import BatchState, ErrorCode, GenerationState
from service.errors import Invalid, LeaseLost, StateConflict
from service.rules import lifecycle, progress
from service.store import control, steps, verification
from service.store.database import Database, Tx, seconds_from_now
from service.store.tables import attempts, events, questions
from service.store.tables import batches as batch_rows
from service.store.tables import generations as generation_rows
from tests import factories
from tests.factories import OWNER
from tests.simulation.sqlite_inline import Disk, installed
from tests.simulation.world import directory, template

LEASE_SECONDS = 60.0
REFUSALS = (StateConflict, LeaseLost, Invalid)
OVERLOADED = BatchError(code=ErrorCode.PROVIDER_OVERLOADED, message="the provider is overloaded")
ORDERS_MAX = 2
TABLES = (generation_rows, batch_rows, questions, attempts, events)

picks = st.integers(min_value=0, max_value=20)
counts = st.integers(min_value=1, max_value=4)


class Lifecycle(RuleBasedStateMachine):
    """Claims are kept when they are void: using one later is what a frozen worker does."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp(dir=directory())) / "quizmill.db"
        self.path.write_bytes(template())
        self.now = time.time()
        self.loop = asyncio.new_event_loop()
        # Without threads a step costs a tenth.
        # The same steps have to do the same again, so the database's clock moves with the steps only.
        self.inline = installed(Disk(str(self.path), pause=_pass, clock=lambda: self.now))
        self.inline.__enter__()
        self.database = Database(f"sqlite+aiosqlite:///{self.path}")
        self.claims: list[Claim] = []
        self.orders: list[factories.Ordered] = []
        self.fences: dict[UUID, int] = {}
        self.kept: dict[UUID, tuple[UUID, int]] = {}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.inline.__exit__(None, None, None)
        self.loop.close()
        shutil.rmtree(self.path.parent)

    # What can be done, and by whom.

    @initialize(sizes=st.lists(counts, min_size=1, max_size=3))
    def begin(self, sizes: list[int]) -> None:
        self._order(sizes)

    @precondition(lambda self: len(self.orders) < ORDERS_MAX)
    @rule(sizes=st.lists(counts, min_size=1, max_size=2))
    def order(self, sizes: list[int]) -> None:
        self._order(sizes)

    @rule(pick=picks, worker=st.sampled_from(["one", "one", "two"]), stale=st.sampled_from([False, False, False, True]))
    def claim(self, pick: int, worker: str, stale: bool) -> None:
        batch = self._batch(pick)
        fence = batch.fence - stale
        generation = self.states[batch.generation_id]

        async def step(tx: Tx) -> Claim | None:
            taken, _ = await steps.claim(tx, [Place(batch.id, fence)], worker=worker, lease_seconds=LEASE_SECONDS)
            return taken[0] if taken else None

        taken = self._do(step)
        may = batch.state == BatchState.PENDING and generation in lifecycle.CLAIMABLE and not stale
        if taken is None:
            assert not may or batch.not_before is not None, "a pending, due batch can be claimed"
            return
        assert may, "only a pending batch of a generation that wants work can be claimed"
        assert taken.fence > fence
        self.claims.append(taken)

    @precondition(lambda self: self.claims)
    @rule(pick=picks, count=counts)
    def hold(self, pick: int, count: int) -> None:
        claim = self._claim(pick)
        count = min(count, claim.target_count - self._row(claim.batch_id).held_count)
        sound = factories.sound_questions(claim.module_id, max(count, 0))

        async def step(tx: Tx) -> None:
            await steps.enter(tx, claim)
            await steps.hold(tx, [Holding(claim, sound, ())], lease_seconds=LEASE_SECONDS)

        self._by_worker(claim, step)

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def complete(self, pick: int) -> None:
        claim = self._claim(pick)
        row = self._row(claim.batch_id)
        is_whole = row.held_count == row.target_count
        self._by_worker(claim, lambda tx: steps.complete(tx, [(claim, ())]), may=is_whole)

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def fail(self, pick: int) -> None:
        claim = self._claim(pick)
        self._by_worker(claim, lambda tx: steps.fail(tx, claim, OVERLOADED))

    @precondition(lambda self: self.claims)
    @rule(pick=picks, seconds=st.sampled_from([0.0, 0.0, 60.0]))
    def delay(self, pick: int, seconds: float) -> None:
        claim = self._claim(pick)
        self._by_worker(claim, lambda tx: steps.delay(tx, claim, OVERLOADED, delay_seconds=seconds))

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def release(self, pick: int) -> None:
        claim = self._claim(pick)
        self._by_worker(claim, lambda tx: steps.release(tx, claim))

    @precondition(lambda self: self.claims)
    @rule(pick=picks, is_expired=st.booleans())
    def crash(self, pick: int, is_expired: bool) -> None:
        """The worker is silent: its lease runs out, or it has not yet."""
        claim = self._claim(pick)
        is_held = self._is_held(claim)
        if is_expired and is_held:
            self._do(lambda tx: _end_lease(tx, claim.batch_id))
        self._expect(lambda tx: steps.take_back(tx, claim, only_expired=True), may=is_expired and is_held)

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def come_back_too_late(self, pick: int) -> None:
        """The worker stood still for so long that its batch was taken back; then it has claimed it once more."""
        claim = self._claim(pick)
        if not self._is_held(claim) or self.states[claim.generation_id] not in lifecycle.CLAIMABLE:
            return

        self._do(lambda tx: steps.take_back(tx, claim, only_expired=False))
        self._look()
        fence = self._row(claim.batch_id).fence

        async def claim_again(tx: Tx) -> Claim | None:
            place = Place(claim.batch_id, fence)
            taken, _ = await steps.claim(tx, [place], worker=claim.worker, lease_seconds=LEASE_SECONDS)
            return taken[0] if taken else None

        if again := self._do(claim_again):
            self.claims.append(again)
        self._look()
        self._expect(lambda tx: steps.release(tx, claim), may=False)

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def wait(self, pick: int) -> None:
        """At a rate limit, with the batch in hand."""
        claim = self._claim(pick)
        waiting = BatchRetrying(batch_id=claim.batch_id, code=ErrorCode.PROVIDER_RATE_LIMITED, delay_seconds=5)
        self._by_worker(claim, lambda tx: steps.wait(tx, claim, waiting, lease_seconds=LEASE_SECONDS))

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def reject(self, pick: int) -> None:
        claim = self._claim(pick)
        rejected = (QuestionRejected(batch_id=claim.batch_id, code="schema", message="no stem"),)

        async def step(tx: Tx) -> None:
            await steps.enter(tx, claim)
            await steps.hold(tx, [Holding(claim, (), rejected)], lease_seconds=LEASE_SECONDS)

        self._by_worker(claim, step)

    @rule(pick=picks)
    def expire(self, pick: int) -> None:
        """The generation has worked for too long; one that has ended or is paused has not."""
        generation_id = self._batch(pick).generation_id
        before = self._everything()
        ended = self._do(lambda tx: steps.expire(tx, generation_id, minutes=1))
        assert (ended is not None) == (self.states[generation_id] in lifecycle.CLAIMABLE)
        assert ended is not None or self._everything() == before, "what is not open has changed"

    @rule(pick=picks)
    def come_due(self, pick: int) -> None:
        """Time passes."""
        self._do(lambda tx: _end_delay(tx, self._batch(pick).id))

    @rule(pick=picks, one=st.booleans())
    def retry(self, pick: int, one: bool) -> None:
        batch = self._batch(pick)
        state = self.states[batch.generation_id]
        failed = [row for row in self.rows if row.state == BatchState.FAILED]
        may = state in {GenerationState.PARTIAL, GenerationState.FAILED}
        may = may and (batch.state == BatchState.FAILED or not one)
        may = may and any(row.generation_id == batch.generation_id for row in failed)

        async def step(tx: Tx) -> None:
            names = [batch.id] if one else None
            await steps.retry(tx, batch.generation_id, names, model=None, dry_run=False)

        self._expect(step, may=may)

    @rule(pick=picks)
    def accept(self, pick: int) -> None:
        batch = self._batch(pick)
        may = batch.state == BatchState.FAILED and batch.held_count > 0
        self._expect(lambda tx: control.accept(tx, OWNER, batch.id), may=may)

    @rule(pick=picks)
    def pause(self, pick: int) -> None:
        generation_id = self._batch(pick).generation_id
        may = self.states[generation_id] in {*lifecycle.CLAIMABLE, GenerationState.PAUSED}
        self._expect(lambda tx: control.pause(tx, generation_id), may=may)

    @rule(pick=picks)
    def resume(self, pick: int) -> None:
        generation_id = self._batch(pick).generation_id
        may = self.states[generation_id] is GenerationState.PAUSED
        self._expect(lambda tx: control.resume(tx, generation_id), may=may)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        generation_id = self._batch(pick).generation_id
        may = self.states[generation_id] in {
            *lifecycle.CLAIMABLE,
            GenerationState.PAUSED,
            GenerationState.CANCELLED,
        }
        self._expect(lambda tx: steps.cancel(tx, generation_id), may=may)

    # What must be true after every step.

    @invariant()
    def everything_agrees(self) -> None:
        if not self.orders:
            return
        self._look()
        assert self.findings == ()
        assert self.violations == []
        for row in self.rows:
            assert row.fence >= self.fences.get(row.id, 0), "a fence went back"
            self.fences[row.id] = row.fence
        assert self.kept.items() <= self.there.items(), "a question was lost or moved"
        self.kept = self.there
        for generation_id, state in self.states.items():
            is_open = any(row.state in progress.OPEN for row in self.rows if row.generation_id == generation_id)
            assert state.is_terminal != is_open, "a generation ends when, and only when, nothing is open"

    # How it is done.

    def _order(self, sizes: list[int]) -> None:
        self.orders.append(self.loop.run_until_complete(factories.make_order(self.database, *sizes)))

    def _by_worker(self, claim: Claim, step: Callable[[Tx], Awaitable[object]], *, may: bool = True) -> None:
        """A step that needs the lease, and a generation that has not ended."""
        self._expect(step, may=may and self._is_held(claim))

    def _is_held(self, claim: Claim) -> bool:
        row = self._row(claim.batch_id)
        return bool(row.fence == claim.fence and row.state == BatchState.PROCESSING)

    def _expect(self, step: Callable[[Tx], Awaitable[object]], *, may: bool) -> None:
        """It is done if it may be, else refused; then every table is as it was."""
        before = None if may else self._everything()
        try:
            self._do(step)
        except REFUSALS:
            assert not may, "a legal step is refused"
            assert self._everything() == before, "a refused step left something behind"
        else:
            assert may, "an illegal step was done"

    def _do(self, step: Callable[[Tx], Awaitable[Any]]) -> Any:
        self.now += 1

        async def write() -> Any:
            async with self.database.write() as tx:
                return await step(tx)

        return self.loop.run_until_complete(write())

    def _read(self, look: Callable[[Tx], Awaitable[Any]]) -> Any:
        async def read() -> Any:
            async with self.database.read() as tx:
                return await look(tx)

        return self.loop.run_until_complete(read())

    def _everything(self) -> list[Any]:
        async def everything(tx: Tx) -> list[Any]:
            return [await _all(tx, sa.select(table).order_by(*table.primary_key)) for table in TABLES]

        found: list[Any] = self._read(everything)
        return found

    def _look(self) -> None:
        """One look at all that the rules and the invariant need."""

        async def look(tx: Tx) -> None:
            self.findings = (await verification.verify(tx, None)).findings
            self.violations = await _all(tx, sa.select(sa.text("what FROM violations")))
            orders = [order.generation_id for order in self.orders]
            self.rows = sorted(
                await _all(tx, sa.select(batch_rows)), key=lambda row: (orders.index(row.generation_id), row.position)
            )
            found = await _all(tx, sa.select(questions.c.id, questions.c.batch_id, questions.c.slot))
            self.there = {row.id: (row.batch_id, row.slot) for row in found}
            found = await _all(tx, sa.select(generation_rows.c.id, generation_rows.c.state))
            self.states = {row.id: GenerationState(row.state) for row in found}

        self._read(look)

    def _batch(self, pick: int) -> Any:
        return self.rows[pick % len(self.rows)]

    def _row(self, batch_id: UUID) -> Any:
        return next(row for row in self.rows if row.id == batch_id)

    def _claim(self, pick: int) -> Claim:
        return self.claims[-1 - pick % len(self.claims)]


async def _all(tx: Tx, statement: sa.Select[Any]) -> list[Any]:
    return list((await tx.execute(statement)).all())


async def _end_lease(tx: Tx, batch_id: UUID) -> None:
    ended = sa.update(batch_rows).where(batch_rows.c.id == batch_id)
    await tx.execute(ended.values(lease_until=seconds_from_now(-1)))


async def _end_delay(tx: Tx, batch_id: UUID) -> None:
    due = sa.update(batch_rows).where(batch_rows.c.id == batch_id, batch_rows.c.not_before.is_not(None))
    await tx.execute(due.values(not_before=None))


async def _pass(_place: str) -> None:
    """Nothing happens here."""


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=2000 if os.environ.get("QUIZMILL_SOAK") else 100,
    stateful_step_count=30,
    deadline=None,
    # The same sequences each time, so that a change is judged by the change; the soak looks for new ones.
    derandomize=not os.environ.get("QUIZMILL_SOAK"),
    suppress_health_check=[HealthCheck.too_slow],
    # The mutants need no smallest example.
    phases=[Phase.generate] if os.environ.get("QUIZMILL_MUTANT") else list(Phase),
)
