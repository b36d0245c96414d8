"""Reads a generation's log from its first entry on and says where it contradicts itself or the rows.

Each entry must be possible after those before it and carry the sums of its moment; what comes out at the end must be
what the rows say. Pure: log and rows are given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, ValidationError

from schemas.events import ENDINGS, TERMINAL_TYPES, Event, Totals
from schemas.plans import Tally
from schemas.states import BatchState, GenerationState, RequeueReason
from service.rules import lifecycle, progress

ENDED_AS = {ending.type: state for state, ending in ENDINGS.items()}
RETRIED = frozenset({GenerationState.PARTIAL, GenerationState.FAILED, GenerationState.PROCESSING})
"""The first batch of a retry finds the generation ended, the others find it at work."""

PROBLEMS_MAX = 20
"""After one entry that does not fit, many may not; the first ones tell what happened."""


class Entry(BaseModel):
    """What the reading needs of any entry's data."""

    type: str
    generation_id: UUID
    seq: int
    totals: Totals
    batch_id: UUID | None = None
    attempt: int = 0
    held_count: int = 0
    saved_count: int = 0
    target_count: int = 0
    reason: str = ""
    generated_count: int = 0
    requested_count: int = 0
    failed_batches: tuple[str, ...] = ()


class BatchRow(Tally):
    """A batch as its row says."""

    id: UUID
    attempts: int


class Impossible(Exception):
    """An entry that can't follow what came before it."""


def problems(
    log: Sequence[Event], generation_id: UUID, state: GenerationState, batches: Sequence[BatchRow]
) -> list[str]:
    """One sentence for each contradiction. `batches` come in their order. A log without its oldest entries can't be
    read; of such a one, only the last entry is compared.
    """
    entries, found = _read(log, generation_id)
    if entries:
        found += _last(entries[-1], state, batches)
    if entries and entries[0].seq == 1:
        reading = _Reading(batches, _targets(entries))
        for entry in entries:
            try:
                reading.take(entry)
            except Impossible as reason:
                found.append(f"event {entry.seq} ({entry.type}): {reason}")
        found += reading.differences(state, batches)
    return found[:PROBLEMS_MAX]


def _read(log: Sequence[Event], generation_id: UUID) -> tuple[list[Entry], list[str]]:
    entries, found = [], []
    for event in log:
        try:
            entry = Entry.model_validate_json(event.data)
        except ValidationError as error:
            found.append(f"event {event.seq} ({event.type}) can't be read: {error.errors()[0]['msg']}")
            continue
        if (entry.type, entry.seq, entry.generation_id) != (event.type, event.seq, generation_id):
            found.append(f"event {event.seq} ({event.type}) tells of event {entry.seq} ({entry.type})")
        entries.append(entry)
    return entries, found


def _last(last: Entry, state: GenerationState, batches: Sequence[Tally]) -> list[str]:
    found = []
    totals = progress.totals(batches)
    if last.totals != totals:
        found.append(f"its last event says {last.totals.model_dump()}, but the rows {totals.model_dump()}")
    if state.is_terminal != (last.type in TERMINAL_TYPES):
        found.append(f"it is {state}, but its last event is {last.type}")
    elif state.is_terminal and last.type != ENDINGS[state].type:
        found.append(f"it ended as {state}, but its log as {last.type}")
    return found


def _targets(entries: Sequence[Entry]) -> dict[UUID, int]:
    """The targets before any batch was accepted with less: only a failed batch can be, and its failure tells it."""
    return {entry.batch_id: entry.target_count for entry in entries if entry.type == "batch.failed" and entry.batch_id}


@dataclass
class _Batch:
    """A batch as the log says so far. Where the log leaves its state open, several are possible (all of them open)."""

    key: str
    target: int
    states: frozenset[BatchState] = frozenset({BatchState.PENDING})
    held: int = 0
    saved: int = 0
    attempts: int = 0

    def tally(self) -> Tally:
        return Tally(
            batch_key=self.key,
            state=min(self.states),
            target_count=self.target,
            saved_count=self.saved,
            held_count=self.held,
        )

    def figures(self) -> tuple[int, ...]:
        """What it adds to the totals."""
        completed, failed = BatchState.COMPLETED in self.states, BatchState.FAILED in self.states
        return (self.target, self.saved, self.held, 1, completed, failed)

    def counts(self) -> str:
        return f"target {self.target}, {self.saved} saved, {self.held} held, {self.attempts} attempts"

    def become(self, *states: BatchState, after: frozenset[BatchState]) -> None:
        """What the log says is believed even where it can't be, so that one mistake is not told again and again."""
        before, self.states = self.states, frozenset(states)
        if not before & after:
            raise Impossible(f"the batch was {' or '.join(sorted(before))}")


class _Reading:
    """Generation and batches as the entries taken so far leave them."""

    def __init__(self, rows: Sequence[BatchRow], targets: Mapping[UUID, int]) -> None:
        self.state = GenerationState.PENDING
        self._has_started = False
        self._is_ending_due = False
        self._batches = {row.id: _Batch(row.batch_key, targets.get(row.id, row.target_count)) for row in rows}
        self._sums = [
            sum(column) for column in zip(*(batch.figures() for batch in self._batches.values()), strict=True)
        ]

    def take(self, entry: Entry) -> None:
        """Raises Impossible."""
        batch = self._batches.get(entry.batch_id) if entry.batch_id else None
        if batch:
            self._take_for(batch, entry)
        elif step := _STEPS.get(entry.type):
            step(self, entry)
        else:
            raise Impossible(f"there is no batch {entry.batch_id}" if entry.batch_id else "there is no such event")
        totals = Totals(**dict(zip(Totals.model_fields, self._sums, strict=True)))
        if entry.totals != totals:
            raise Impossible(f"it says {entry.totals.model_dump()}, but so far it is {totals.model_dump()}")

    def differences(self, state: GenerationState, rows: Sequence[BatchRow]) -> list[str]:
        """What came out against the rows."""
        found = [] if state is self.state else [f"it is {state}, but its log leads to {self.state}"]
        for row in rows:
            batch = self._batches[row.id]
            told = batch.counts()
            has = _Batch("", row.target_count, frozenset(), row.held_count, row.saved_count, row.attempts).counts()
            if row.state not in batch.states or told != has:
                states = " or ".join(sorted(batch.states))
                found.append(f"batch {row.id} is {row.state} ({has}), but the log leads to {states} ({told})")
        return found

    def _take_for(self, batch: _Batch, entry: Entry) -> None:
        before = batch.figures()
        try:
            if step := _STEPS_OF_BATCH.get(entry.type):
                step(self, batch, entry)
            else:
                raise Impossible("there is no such event of a batch")
        finally:
            changes = zip(self._sums, before, batch.figures(), strict=True)
            self._sums = [total - old + new for total, old, new in changes]

    def _become(self, state: GenerationState, *, after: frozenset[GenerationState]) -> None:
        before, self.state = self.state, state
        if before not in after:
            raise Impossible(f"the generation was {before}")

    def _require_open(self) -> None:
        if self.state.is_terminal:
            raise Impossible(f"the generation had ended as {self.state}")

    def start(self, _entry: Entry) -> None:
        self._has_started = True
        self._become(GenerationState.PROCESSING, after=frozenset({GenerationState.PENDING}))

    def pause(self, _entry: Entry) -> None:
        self._become(GenerationState.PAUSED, after=lifecycle.CLAIMABLE)

    def resume(self, _entry: Entry) -> None:
        state = GenerationState.PROCESSING if self._has_started else GenerationState.PENDING
        self._become(state, after=frozenset({GenerationState.PAUSED}))

    def end(self, entry: Entry) -> None:
        ended, was_ended = ENDED_AS[entry.type], self.state.is_terminal
        if ended is GenerationState.CANCELLED:
            for batch in self._batches.values():
                if batch.states & progress.OPEN:
                    batch.states = frozenset({BatchState.CANCELLED})
        self._become(ended, after=lifecycle.generation_sources(ended))
        if was_ended and not self._is_ending_due:
            raise Impossible("the generation had ended before, and nothing was retried or accepted since")
        self._is_ending_due = False
        tallies = [batch.tally() for batch in self._batches.values()]
        if ended not in {progress.ending(tallies), GenerationState.CANCELLED}:
            raise Impossible(f"its batches lead to {progress.ending(tallies) or 'no end'}")
        totals = progress.totals(tallies)
        failed = tuple(tally.batch_key for tally in tallies if tally.state is BatchState.FAILED)
        counts = (entry.generated_count, entry.requested_count, entry.failed_batches)
        if counts != (totals.saved, totals.target, failed):
            raise Impossible(f"{totals.saved} of {totals.target} are saved and {len(failed)} batches failed")

    def claim(self, batch: _Batch, entry: Entry) -> None:
        batch.attempts += 1
        batch.become(BatchState.PROCESSING, after=frozenset({BatchState.PENDING}))
        if self.state is not GenerationState.PROCESSING:
            raise Impossible(f"the generation was {self.state}")
        if entry.attempt != batch.attempts:
            raise Impossible(f"it says attempt {entry.attempt}, but it is attempt {batch.attempts}")

    def hold(self, batch: _Batch, entry: Entry) -> None:
        batch.held += 1
        self.work(batch, entry)
        if (entry.held_count, entry.target_count) != (batch.held, batch.target) or batch.held > batch.target:
            raise Impossible(f"it says {entry.held_count} of {entry.target_count}, but it is {batch.counts()}")

    def work(self, batch: _Batch, _entry: Entry) -> None:
        self._require_open()
        batch.become(BatchState.PROCESSING, after=frozenset({BatchState.PROCESSING}))

    def wait(self, batch: _Batch, _entry: Entry) -> None:
        """It waits in its worker's hands, or was given back for a later attempt."""
        self._require_open()
        batch.become(BatchState.PROCESSING, BatchState.PENDING, after=frozenset({BatchState.PROCESSING}))

    def complete(self, batch: _Batch, entry: Entry) -> None:
        if BatchState.FAILED in batch.states:
            # Accepted with what it holds, maybe while others are at work.
            batch.target = batch.held
            self._is_ending_due = self._is_ending_due or self.state.is_terminal
        else:
            self._require_open()
        is_whole = batch.held == batch.target > 0
        batch.saved, batch.held = batch.held, 0
        batch.become(BatchState.COMPLETED, after=lifecycle.batch_sources(BatchState.COMPLETED))
        if not is_whole or (entry.saved_count, entry.target_count) != (batch.saved, batch.target):
            raise Impossible(f"it says {entry.saved_count} of {entry.target_count}, but it is {batch.counts()}")

    def fail(self, batch: _Batch, entry: Entry) -> None:
        self._require_open()
        batch.become(BatchState.FAILED, after=progress.OPEN)
        if (entry.held_count, entry.target_count) != (batch.held, batch.target):
            raise Impossible(f"it says {entry.held_count} of {entry.target_count}, but it is {batch.counts()}")

    def requeue(self, batch: _Batch, entry: Entry) -> None:
        if entry.reason == RequeueReason.RETRY:
            self._has_started = True
            batch.become(BatchState.PENDING, after=frozenset({BatchState.FAILED}))
            self._become(GenerationState.PROCESSING, after=RETRIED)
        else:
            self._require_open()
            batch.become(BatchState.PENDING, after=frozenset({BatchState.PROCESSING}))


_STEPS: dict[str, Callable[[_Reading, Entry], None]] = {
    "generation.started": _Reading.start,
    "generation.paused": _Reading.pause,
    "generation.resumed": _Reading.resume,
    **dict.fromkeys(ENDED_AS, _Reading.end),
}
_STEPS_OF_BATCH: dict[str, Callable[[_Reading, _Batch, Entry], None]] = {
    "batch.started": _Reading.claim,
    "question.accepted": _Reading.hold,
    "question.rejected": _Reading.work,
    "batch.retrying": _Reading.wait,
    "batch.completed": _Reading.complete,
    "batch.failed": _Reading.fail,
    "batch.requeued": _Reading.requeue,
}
