"""Keeps each question from the moment it passes: whatever gathers while one transaction runs goes into the next."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

from jobs import checks, spreading, tongues
from jobs.banks import Bank
from jobs.fields import wording_of
from jobs.providers.base import Source
from jobs.workshop import Workshop, outlasted
from schemas.calls import Call
from schemas.events import QuestionRejected
from schemas.plans import Claim, Wakeup
from schemas.questions import Draft, Entered, Fingerprint, SoundQuestion
from schemas.topics import Topic
from service import failpoints
from service.failpoints import Place
from service.store import budget, modules, questions, quizzes, steps, topics
from service.store.database import Tx

REJECTION_CHARACTERS_MAX = 300

GATHER_SECONDS = 0.2
"""How long a question may wait in memory for others; a crash would lose it."""


class Checkpoint:
    """The questions that a claimed batch holds, and the door to it.

    `offer` judges and returns at once; a task of its own writes. `settle` waits for the writing. Both raise what went
    wrong with the writing: LeaseLost, Unavailable.
    """

    def __init__(
        self, workshop: Workshop, claim: Claim, source: Source, bank: Bank, module_topics: Sequence[Topic]
    ) -> None:
        self.claim = claim
        self.source = source
        self.held_count = claim.held_count
        self._topics = module_topics
        self._workshop = workshop
        self._bank = bank
        self._taken: list[Fingerprint] = [entered.fingerprint for entered in bank.since(0)]
        self._seen = bank.seen
        self._ear = tongues.Ear(source.language)
        self._sound: list[SoundQuestion] = []
        self._rejected: list[QuestionRejected] = []
        self._calls: list[Call] = []
        self._calls_count = 0
        self._writing: asyncio.Task[None] | None = None
        self._is_urgent = asyncio.Event()
        self._settling = 0
        self._written_at = -GATHER_SECONDS

    @classmethod
    async def open(cls, workshop: Workshop, claim: Claim) -> "Checkpoint":
        bank = workshop.banks.of(claim.quiz_id)
        async with workshop.database.read() as tx:
            module = await modules.text(tx, claim.module_id)
            bank.add(await questions.entered(tx, claim.quiz_id, after=bank.seen))
            found = await topics.of_module(tx, claim.module_id)
        source = Source(module_id=module.id, name=module.name, text=module.text, language=claim.language)
        return cls(workshop, claim, source, bank, found)

    @property
    def missing_count(self) -> int:
        """What is still to be asked for; what is on its way into the database counts as held."""
        return self.claim.target_count - self.held_count - len(self._sound)

    def offer(self, draft: Draft) -> checks.Rejection | None:
        """Judge a draft; keep it, or say what is wrong with it."""
        verdict = self._judge(draft)
        if isinstance(verdict, checks.Rejection):
            self.reject(verdict.code, verdict.message)
            return verdict
        self._taken.append(verdict.fingerprint)
        self._sound.append(self._tagged(verdict))
        self._write_soon()
        return None

    async def look_around(self, tx: Tx) -> None:
        """Learn what other batches of the quiz have entered, for the next call."""
        self._bank.add(await questions.entered(tx, self.claim.quiz_id, after=self._bank.seen))

    def asked(self, *, most: int) -> tuple[str, ...]:
        """The newest questions of the batch's type in the quiz, the last one last."""
        kind = self.claim.question_type
        return tuple(entered.preview for entered in self._bank.since(0) if entered.question_type is kind)[-most:]

    def topics_for(self, lane: int, lanes: int) -> spreading.Share:
        """What the next call is to spread its questions over; nothing where no topics were identified."""
        asked = (taken.start for taken in self._taken if taken.module_id == self.claim.module_id)
        return spreading.in_turn(self._topics, asked, self.claim.question_type, lane, lanes)

    def reject(self, code: str, message: str) -> None:
        """Tell watchers of something that can't be kept."""
        event = QuestionRejected(batch_id=self.claim.batch_id, code=code, message=message[:REJECTION_CHARACTERS_MAX])
        self._rejected.append(event)
        self._write_soon()

    def record(self, call: "Ending", error: BaseException | None) -> None:
        """Write down a call that has ended, in whatever way. Raises nothing: `settle` tells of trouble."""
        ended = call.ended(self._calls_count + 1, error)
        if ended is None:
            return
        self._calls_count += 1
        self._calls.append(ended)
        if not self._has_failed():
            self._write_soon()

    @property
    def unwritten_calls(self) -> tuple[Call, ...]:
        """Those that could not be written: the attempt's end takes them along."""
        return tuple(self._calls)

    async def settle(self) -> None:
        if self._writing is None:
            return
        self._settling += 1
        self._is_urgent.set()
        try:
            await outlasted(self._writing)
        finally:
            self._settling -= 1
            if not self._settling:
                self._is_urgent.clear()

    def _judge(self, draft: Draft) -> SoundQuestion | checks.Rejection:
        verdict = checks.judge(draft, self.source, self._taken)
        if isinstance(verdict, checks.Rejection):
            return verdict
        if self._ear.hears_foreign(f"{wording_of(verdict.content)}\n{verdict.explanation}"):
            return checks.in_wrong_language(self.source.language)
        return verdict

    def _tagged(self, question: SoundQuestion) -> SoundQuestion:
        """With the topic that its evidence belongs to as its first tag."""
        if not self._topics:
            return question
        name = spreading.topic_at(self._topics, question.evidence.start).name
        others = (tag for tag in question.tags if tag.casefold() != name.casefold())
        return question.model_copy(update={"tags": (name, *others)})

    def _write_soon(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        elif self._writing.done():
            self._writing.result()
            self._writing = asyncio.create_task(self._write())

    def _has_failed(self) -> bool:
        writing = self._writing
        return writing is not None and writing.done() and (writing.cancelled() or writing.exception() is not None)

    async def _write(self) -> None:
        while self._sound or self._rejected or self._calls:
            await self._gather()
            sound, rejected, ended = tuple(self._sound), tuple(self._rejected), tuple(self._calls)
            failpoints.reach(Place.BEFORE_HOLD)
            kept = await self._workshop.persist(
                partial(self._hold, sound=sound, rejected=rejected, ended=ended), about=self.claim.generation_id
            )
            failpoints.reach(Place.AFTER_HOLD)
            # Only now: what a transaction saw that did not commit, the next try of it must see again.
            self._bank.add(kept.entered)
            self._seen = max(self._seen, kept.seen)
            self.held_count = kept.held_count
            del self._sound[: len(sound)]
            del self._rejected[: len(rejected)]
            del self._calls[: len(ended)]
            self._written_at = time.monotonic()
            self._compare(kept.others)
            if kept.is_paused:
                await self._workshop.broadcast.announce_stopped(self.claim.generation_id)
            await self._workshop.broadcast.announce(kept.wakeup)

    async def _gather(self) -> None:
        """The first question is written at once; those that follow soon after share a transaction."""
        left_seconds = self._written_at + GATHER_SECONDS - time.monotonic()
        if left_seconds <= 0:
            return
        try:
            async with asyncio.timeout(left_seconds):
                await self._is_urgent.wait()
        except TimeoutError:
            return

    def _compare(self, others: Sequence[Fingerprint]) -> None:
        """Other batches have entered these: what was offered since the transaction looked did not know of them."""
        self._taken.extend(others)
        late = self._sound
        self._sound = [question for question in late if checks.duplicate_of(question.fingerprint, others) is None]
        self._rejected += self._clashes(len(late) - len(self._sound))

    def _clashes(self, count: int) -> list[QuestionRejected]:
        message = "another batch of the quiz was faster with the same question"
        clash = QuestionRejected(batch_id=self.claim.batch_id, code="near_duplicate", message=message)
        return [clash] * count

    async def _hold(
        self,
        tx: Tx,
        *,
        sound: Sequence[SoundQuestion],
        rejected: Sequence[QuestionRejected],
        ended: Sequence[Call],
    ) -> "_Kept":
        """One transaction. What other batches of the quiz have entered meanwhile is compared under the lock."""
        await steps.enter(tx, self.claim)
        await quizzes.lock(tx, self.claim.quiz_id)
        latest = await questions.entered(tx, self.claim.quiz_id, after=self._bank.seen)
        since = [*self._bank.since(self._seen), *latest]
        own = {entered.fingerprint.hash for entered in since if entered.batch_id == self.claim.batch_id}
        others = [entered.fingerprint for entered in since if entered.batch_id != self.claim.batch_id]
        fresh = [question for question in sound if question.fingerprint.hash not in own]
        kept = [question for question in fresh if checks.duplicate_of(question.fingerprint, others) is None]
        clashes = self._clashes(len(fresh) - len(kept))
        held, wakeup = await steps.hold(
            tx, self.claim, kept, [*rejected, *clashes], lease_seconds=self._workshop.settings.lease_seconds
        )
        paused = await budget.charge(tx, self.claim, ended)
        wakeup = paused or wakeup
        failpoints.reach(Place.INSIDE_HOLD)
        seen = since[-1].number if since else self._seen
        return _Kept(held, others, latest, seen, wakeup, is_paused=paused is not None)


class Ending(Protocol):
    """A call, as far as the checkpoint knows of it (jobs/calls.py)."""

    def ended(self, number: int, error: BaseException | None) -> Call | None: ...


class _Kept(NamedTuple):
    """What one transaction held, and what it saw of other batches."""

    held_count: int
    others: Sequence[Fingerprint]
    entered: Sequence[Entered]
    seen: int
    wakeup: Wakeup | None
    is_paused: bool
