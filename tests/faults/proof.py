"""What must be true when the faults are over: of the rows, of what clients heard, of what the model was asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from schemas.questions import CONTENT_OF, preview_of
from schemas.states import BatchState, QuestionState, QuestionType
from service.store import verification
from service.store.database import Database, Tx
from service.store.steps import PREVIEW_CHARACTERS_MAX
from service.store.tables import attempts, batches, generations, questions
from tests.faults.witness import Accepted, Witness
from tests.messages_prompt import Asked
from tests.system import TERMINAL


@dataclass(frozen=True)
class Proof:
    """Numbers for a report; `problems` must be empty."""

    generations: int
    batches: int
    failed_batches: int
    questions: int
    acknowledged: int
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    calls: int
    wasted_calls: int
    questions_paid: int
    others: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self.lost, *self.duplicated, *self.others)


async def examine(
    database: Database, witnesses: Sequence[Witness], requests: Sequence[Asked], targets: Mapping[str, int] | None
) -> Proof:
    """`targets`: how many questions of each type every order asked for, in one batch each; None: in several."""
    async with database.read() as tx:
        report = await verification.verify(tx, None)
        places = await _previews(tx)
        saved = await _saved(tx)
        states = Counter((await tx.execute(sa.select(batches.c.state))).scalars())
        ended = (await tx.execute(sa.select(generations.c.id, generations.c.state))).all()
    acknowledged = [accepted for witness in witnesses for accepted in witness.accepted]
    made = sum(states[state] for state in BatchState)
    return Proof(
        generations=report.generations,
        batches=made,
        failed_batches=states[BatchState.FAILED],
        questions=len(places),
        acknowledged=len(acknowledged) + sum(len(witness.saved) for witness in witnesses),
        lost=(*_lost(acknowledged, places), *_lost_saved(witnesses, saved)),
        duplicated=tuple(_duplicated(witnesses, places)),
        calls=len(requests),
        wasted_calls=len(requests) - made,
        questions_paid=sum(asked.questions_sent for asked in requests),
        others=(
            *(f"verify: {finding.subject}: {finding.message}" for finding in report.findings),
            *(f"generation {row.id} is still {row.state}" for row in ended if row.state not in TERMINAL),
            *(f"stream: {surprise}" for witness in witnesses for surprise in witness.surprises),
            *(_asked_amiss(requests, targets) if targets else ()),
        ),
    )


async def _previews(tx: Tx) -> dict[tuple[str, int], str]:
    """How the question in each slot of each batch begins, as the stream told it."""
    found = sa.select(questions.c.batch_id, questions.c.slot, questions.c.question_type, questions.c.content)
    return {
        (str(row.batch_id), row.slot): preview_of(
            CONTENT_OF[QuestionType(row.question_type)].model_validate(row.content)
        )[:PREVIEW_CHARACTERS_MAX]
        for row in await tx.execute(found)
    }


async def _saved(tx: Tx) -> dict[str, dict[str, object]]:
    """The contents of what readers can see, by id."""
    found = sa.select(questions.c.id, questions.c.content).where(questions.c.state == QuestionState.SAVED)
    return {str(row.id): row.content for row in await tx.execute(found)}


def _lost_saved(witnesses: Iterable[Witness], saved: Mapping[str, dict[str, object]]) -> Iterable[str]:
    for witness in witnesses:
        yield from (f"lost or changed: {key}" for key, content in witness.saved.items() if saved.get(key) != content)


def _lost(acknowledged: Iterable[Accepted], places: Mapping[tuple[str, int], str]) -> Iterable[str]:
    for accepted in acknowledged:
        if places.get((accepted.batch_id, accepted.slot)) != accepted.preview:
            yield f"lost: {accepted}"


def _duplicated(witnesses: Iterable[Witness], places: Mapping[tuple[str, int], str]) -> Iterable[str]:
    previews = Counter((batch_id, preview) for (batch_id, _), preview in places.items())
    yield from (f"question twice: {place}" for place, count in previews.items() if count > 1)
    for witness in witnesses:
        slots = Counter((accepted.batch_id, accepted.slot) for accepted in witness.accepted)
        yield from (f"accepted twice: {slot}" for slot, count in slots.items() if count > 1)
        done = Counter(event["batch_id"] for event in witness.events if event["type"] == "batch.completed")
        yield from (f"completed twice: {batch_id}" for batch_id, count in done.items() if count > 1)


def _asked_amiss(requests: Iterable[Asked], targets: Mapping[str, int]) -> Iterable[str]:
    """Each call asks for exactly the target less what was held then: that is what it is told not to ask again."""
    for asked in requests:
        held = len(asked.avoid)
        if asked.count != targets[asked.question_type] - held:
            yield f"asked for {asked.count} of {targets[asked.question_type]} {asked.question_type} with {held} held"


Stale = dict[tuple[UUID, int], tuple[object, ...]]


async def stale(database: Database) -> Stale:
    """All that was written under fences that are void: nothing may be added to it."""
    async with database.read() as tx:
        kept = sa.select(questions.c.batch_id, questions.c.fence, questions.c.id).order_by(questions.c.number)
        held: dict[tuple[UUID, int], list[UUID]] = {}
        for row in await tx.execute(kept):
            held.setdefault((row.batch_id, row.fence), []).append(row.id)
        tried = sa.select(attempts).join(batches, batches.c.id == attempts.c.batch_id)
        rows = (await tx.execute(tried.where(attempts.c.fence < batches.c.fence))).all()
    return {(row.batch_id, row.fence): (*row, *held.get((row.batch_id, row.fence), ())) for row in rows}
