"""Builds what tests start from: sound questions, quizzes, orders, claims, and batches brought to any end."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from schemas.calls import Call, CallOutcome
from schemas.events import QuestionRejected
from schemas.generations import BatchError, Generation
from schemas.holdings import Holding
from schemas.orders import BatchOrder, OrderOptions
from schemas.plans import BatchPlan, Claim, Place
from schemas.questions import Evidence, Fingerprint, MultipleChoice, Question, SoundQuestion
from schemas.quizzes import Quiz
from schemas.reports import Finding
from schemas.states import CognitiveLevel, ErrorCode, GenerationState, Priority, QuestionType
from service.rules import planning
from service.store import events, generations, modules, questions, quizzes, steps, verification
from service.store.database import Database, db_now
from service.store.tables import batches as batch_rows
from service.store.tables import generations as generation_rows

OWNER = "ann"
WORKER = "worker-1"
LEASE_SECONDS = 60.0
OVERLOADED = BatchError(code=ErrorCode.PROVIDER_OVERLOADED, message="the provider is overloaded")
SPENT = (
    Call(
        number=1,
        model="m",
        input_tokens=300,
        output_tokens=40,
        cost_usd=0.1,
        seconds=2,
        accepted_count=4,
        outcome=CallOutcome.ACCEPTED,
    ),
    Call(number=2, model="m", input_tokens=300, output_tokens=30, cost_usd=0.1, seconds=2, outcome=CallOutcome.EMPTY),
    Call(
        number=3,
        model="m",
        input_tokens=300,
        output_tokens=10,
        cache_read_tokens=40,
        cost_usd=0.05,
        seconds=1,
        accepted_count=1,
        outcome=CallOutcome.ACCEPTED,
    ),
)
"""What an attempt may have asked: three calls, one of them in vain."""
TEXT = "Leaves turn light into sugar. Roots take up water. Bark keeps the trunk from drying out."

_numbers = count(1)


@dataclass(frozen=True)
class Ordered:
    """A generation just ordered: one batch per module, in this order."""

    quiz_id: UUID
    module_ids: tuple[UUID, ...]
    generation_id: UUID
    batch_ids: tuple[UUID, ...]


def sound_question(module_id: UUID) -> SoundQuestion:
    """One that no other is like."""
    number = next(_numbers)
    text = f"what is fact {number} key {number}"
    content = MultipleChoice(stem=f"What is fact {number}?", options=("light", "water", "bark"), answer=number % 3)
    return SoundQuestion(
        content=content,
        evidence=Evidence(quote="Leaves turn light into sugar.", module_id=module_id, start=0, end=29),
        explanation="The first sentence says so.",
        cognitive_level=CognitiveLevel.UNDERSTAND,
        tags=("botany",),
        flaws=("key_is_longest",),
        quality=0.75,
        fingerprint=Fingerprint(
            text=text,
            key=f"key {number}",
            module_id=module_id,
            start=0,
            end=29,
            hash=hashlib.sha256(text.encode()).hexdigest(),
        ),
    )


def sound_questions(module_id: UUID, how_many: int) -> list[SoundQuestion]:
    return [sound_question(module_id) for _ in range(how_many)]


async def make_quiz(
    database: Database, *, modules_count: int = 1, owner: str = OWNER, title: str = "Plants"
) -> tuple[UUID, tuple[UUID, ...]]:
    """A quiz with modules; returns their ids."""
    async with database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=owner, title=title, language="en")
        named = [(f"Module {number}", TEXT) for number in range(1, modules_count + 1)]
        return quiz_id, tuple(await modules.insert(tx, quiz_id, named) if named else ())


async def make_order(
    database: Database,
    *targets: int,
    owner: str = OWNER,
    question_type: QuestionType = QuestionType.MULTIPLE_CHOICE,
    priority: Priority = Priority.NORMAL,
    on: Ordered | None = None,
) -> Ordered:
    """A pending generation with a batch of each target size; `on`: another one of that quiz."""
    if on:
        quiz_id, module_ids = on.quiz_id, on.module_ids
    else:
        quiz_id, module_ids = await make_quiz(database, modules_count=len(targets), owner=owner)
    plans = []
    for module_id, target in zip(module_ids, targets, strict=True):
        wanted = BatchOrder(question_type=question_type, target_count=target)
        key = planning.batch_key(module_id, wanted)
        plans.append(BatchPlan(module_id=module_id, batch_key=key, **wanted.model_dump()))
    async with database.write() as tx:
        generation_id = await steps.order(tx, quiz_id, owner, plans, OrderOptions(priority=priority))
        batches = (await generations.load(tx, owner, generation_id)).batches
    return Ordered(quiz_id, module_ids, generation_id, tuple(batch.id for batch in batches))


async def try_to_claim(
    database: Database, batch_id: UUID, fence: int, *, worker: str = WORKER, lease_seconds: float = LEASE_SECONDS
) -> Claim | None:
    async with database.write() as tx:
        taken, _ = await steps.claim(tx, [Place(batch_id, fence)], worker=worker, lease_seconds=lease_seconds)
    return taken[0] if taken else None


async def claim(
    database: Database, batch_id: UUID, *, worker: str = WORKER, lease_seconds: float = LEASE_SECONDS
) -> Claim:
    """Claim a batch under whatever fence it has. A negative lease has run out already."""
    fence = (await batch_row(database, batch_id)).fence
    taken = await try_to_claim(database, batch_id, fence, worker=worker, lease_seconds=lease_seconds)
    assert taken is not None, "the batch can be claimed"
    return taken


async def hold(
    database: Database, claimed: Claim, how_many: int, *, rejected: Sequence[QuestionRejected] = ()
) -> list[SoundQuestion]:
    """Hold new questions; returns them."""
    sound = sound_questions(claimed.module_id, how_many)
    async with database.write() as tx:
        await steps.enter(tx, claimed)
        await steps.hold(tx, [Holding(claimed, sound, rejected)], lease_seconds=LEASE_SECONDS)
    return sound


async def complete(database: Database, claimed: Claim, *, spent: Sequence[Call] = SPENT) -> None:
    """Hold what is missing and save the batch."""
    held = (await batch_row(database, claimed.batch_id)).held_count
    if held < claimed.target_count:
        await hold(database, claimed, claimed.target_count - held)
    async with database.write() as tx:
        await steps.complete(tx, [(claimed, spent)])


async def fail(
    database: Database, claimed: Claim, *, error: BatchError = OVERLOADED, spent: Sequence[Call] = SPENT
) -> None:
    async with database.write() as tx:
        await steps.fail(tx, claimed, error, spent)


async def make_partial(database: Database, *, saved: int = 2, target: int = 5, held: int = 3) -> Ordered:
    """A generation of two batches that ended: the first is completed, the second failed with what it holds."""
    ordered = await make_order(database, saved, target)
    await complete(database, await claim(database, ordered.batch_ids[0]))
    failing = await claim(database, ordered.batch_ids[1])
    await hold(database, failing, held)
    await fail(database, failing)
    return ordered


async def load(database: Database, ordered: Ordered, *, owner: str = OWNER) -> Generation:
    async with database.read() as tx:
        return await generations.load(tx, owner, ordered.generation_id)


async def load_quiz(database: Database, ordered: Ordered, *, owner: str = OWNER) -> Quiz:
    async with database.read() as tx:
        return await quizzes.load(tx, owner, ordered.quiz_id)


async def log(database: Database, ordered: Ordered) -> list[dict[str, Any]]:
    """Every event's data."""
    async with database.read() as tx:
        return [json.loads(event.data) for event in await events.since(tx, ordered.generation_id, 0, limit=10_000)]


async def types(database: Database, ordered: Ordered) -> list[str]:
    return [event["type"] for event in await log(database, ordered)]


async def saved_questions(database: Database, ordered: Ordered) -> tuple[Question, ...]:
    async with database.read() as tx:
        page = await questions.page(tx, ordered.generation_id, batch_id=None, review=None, limit=1000, cursor=None)
    return page.items


async def batch_row(database: Database, batch_id: UUID) -> Any:
    """The batch as the table has it."""
    async with database.read() as tx:
        return (await tx.execute(sa.select(batch_rows).where(batch_rows.c.id == batch_id))).one()


async def change_batch(database: Database, batch_id: UUID, **values: object) -> None:
    """What no step does: another past, or damage."""
    async with database.write() as tx:
        await tx.execute(sa.update(batch_rows).where(batch_rows.c.id == batch_id).values(**values))


async def change_generation(database: Database, ordered: Ordered, *, state: GenerationState) -> None:
    """Put it into a state that no step here leads to."""
    changed = sa.update(generation_rows).where(generation_rows.c.id == ordered.generation_id)
    async with database.write() as tx:
        await tx.execute(changed.values(state=state, completed_at=db_now() if state.is_terminal else None))


async def backdate(database: Database, ordered: Ordered, seconds: float) -> None:
    """Make it that much older."""
    past: sa.ColumnElement[float] = sa.type_coerce(db_now(), sa.Double()) - seconds
    changed = sa.update(generation_rows).where(generation_rows.c.id == ordered.generation_id)
    async with database.write() as tx:
        await tx.execute(changed.values(requested_at=past, active_since=past))


async def findings(database: Database, ordered: Ordered | None = None) -> tuple[Finding, ...]:
    """What does not agree with itself: in one generation, or anywhere."""
    async with database.read() as tx:
        report = await verification.verify(tx, ordered.generation_id if ordered else None)
    return report.findings
