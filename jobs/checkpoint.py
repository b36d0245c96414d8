"""Keeps each question from the moment it passes: whatever gathers while one transaction runs goes into the next."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from jobs import checks, spreading, tongues
from jobs.banks import Bank
from jobs.duplicates import Taken
from jobs.holding import Brought, Kept, hold
from jobs.providers.base import Source
from jobs.workshop import Workshop, outlasted
from schemas.calls import Call
from schemas.events import QuestionRejected
from schemas.holdings import Holding
from schemas.plans import Claim
from schemas.questions import Draft, SoundQuestion
from schemas.quizzes import ModuleText
from schemas.topics import Topic
from service import failpoints
from service.errors import LeaseLost
from service.failpoints import Place
from service.rules.fields import wording_of
from service.store import batches, modules, questions, topics
from service.store.database import Tx

REJECTION_CHARACTERS_MAX = 300

GATHER_SECONDS = 0.2
"""How long a question may wait in memory for others; a crash would lose it."""

LOOK_SECONDS = 1.0
"""How long a look is good for if nothing is written meanwhile. Who stops a batch tells its worker besides."""


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
        self._taken = Taken(beside=bank.taken)
        self._ear = tongues.Ear(source.language)
        self._sound: list[SoundQuestion] = []
        self._rejected: list[QuestionRejected] = []
        self._calls: list[Call] = []
        self._calls_count = 0
        self._writing: asyncio.Task[None] | None = None
        self._is_urgent = asyncio.Event()
        self._settling = 0
        self._written_at = -GATHER_SECONDS
        self._looked_at = time.monotonic()

    @classmethod
    async def open(cls, workshop: Workshop, claim: Claim) -> "Checkpoint":
        """Raises LeaseLost when the batch is someone else's, or its generation wants no work; Unavailable."""
        bank = workshop.banks.of(claim.quiz_id)
        begun = await workshop.look(_begun, _Look(claim, bank), about=claim.quiz_id)
        if begun is None:
            raise _stopped(claim)
        module = begun.module
        source = Source(module_id=module.id, name=module.name, text=module.text, language=claim.language)
        return cls(workshop, claim, source, bank, begun.topics)

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

    async def look_around(self) -> None:
        """Learn what other batches of the quiz have entered, for the next call, unless that was done a moment ago.

        Raises LeaseLost when none is wanted: the batch is someone else's, or its generation wants no work.
        """
        began = time.monotonic()
        if self._looked_at > max(self._written_at, began - LOOK_SECONDS):
            return
        claim = self.claim
        if not await self._workshop.look(_are_wanted, _Look(claim, self._bank), about=claim.quiz_id):
            raise _stopped(claim)
        self._looked_at = began

    def asked(self, *, module_id: UUID | None, most: int) -> tuple[str, ...]:
        """The newest questions of the batch's type about the module, or in all the quiz; the last one last."""
        return self._bank.previews(self.claim.question_type, module_id, most=most)

    def topics_for(self, lane: int, lanes: int) -> spreading.Share:
        """What the next call is to spread its questions over; nothing where no topics were identified."""
        module_id = self.claim.module_id
        # What this batch has brought may be in the bank by now as well.
        asked = {taken.hash: taken.start for taken in self._taken if taken.module_id == module_id}.values()
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
            holding = Holding(self.claim, tuple(self._sound), tuple(self._rejected), tuple(self._calls))
            failpoints.reach(Place.BEFORE_HOLD)
            kept = await self._hold(holding)
            failpoints.reach(Place.AFTER_HOLD)
            # Only now: what a transaction saw that did not commit, the next try of it must see again.
            self._bank.add(kept.entered)
            self.held_count = kept.held_count
            del self._sound[: len(holding.sound)]
            del self._rejected[: len(holding.rejected)]
            del self._calls[: len(holding.ended)]
            self._written_at = time.monotonic()
            if kept.is_paused:
                await self._workshop.broadcast.announce_stopped(self.claim.generation_id)
            await self._workshop.broadcast.announce(kept.wakeup)

    async def _hold(self, holding: Holding) -> Kept:
        brought = Brought(holding, self._bank, self._workshop.settings.lease_seconds)
        return await self._workshop.persist_together(hold, brought, about=self.claim.generation_id)

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


class Ending(Protocol):
    """A call, as far as the checkpoint knows of it (jobs/calls.py)."""

    def ended(self, number: int, error: BaseException | None) -> Call | None: ...


class _Look(NamedTuple):
    """Of a claim at what is written about it, and the bank that learns what has come since."""

    claim: Claim
    bank: Bank


class _Begun(NamedTuple):
    """What a batch is made from."""

    module: ModuleText
    topics: Sequence[Topic]


async def _begun(tx: Tx, looks: Sequence[_Look]) -> list[_Begun | None]:
    """All looks are at one quiz. None where no work is wanted any more."""
    module_ids = {look.claim.module_id for look in looks}
    texts = await modules.texts(tx, module_ids)
    found = await topics.of_modules(tx, module_ids)
    return [
        _Begun(texts[look.claim.module_id], found.get(look.claim.module_id, ())) if is_wanted else None
        for look, is_wanted in zip(looks, await _are_wanted(tx, looks), strict=True)
    ]


def _stopped(claim: Claim) -> LeaseLost:
    return LeaseLost(f"batch {claim.batch_id} was taken over or stopped")


async def _are_wanted(tx: Tx, looks: Sequence[_Look]) -> list[bool]:
    """Whether each claim still holds and its generation wants work. All looks are at one quiz."""
    valid = await batches.valid_claims(tx, looks[0].claim.worker)
    await _read_banks(tx, looks)
    return [(look.claim.batch_id, look.claim.fence) in valid for look in looks]


async def _read_banks(tx: Tx, looks: Sequence[_Look]) -> None:
    banks = [look.bank for look in looks]
    entered = await questions.entered(tx, looks[0].claim.quiz_id, after=min(bank.seen for bank in banks))
    for bank in banks:
        bank.add(entered)
