"""What the database itself refuses, whatever a statement asks for."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import sqlalchemy as sa

from schemas.calls import Call, CallOutcome
from schemas.states import BatchState, GenerationState, PublicationState
from service.store import calls, materials, tables, topics
from service.store.database import Database, db_now
from tests import factories
from tests.factories import OVERLOADED, WORKER, Ordered

LEASE = {"lease_owner": WORKER, "lease_until": db_now()}
NOT_WANTED = {"wanted_at": None}
ENDED = {"ended_at": db_now(), **NOT_WANTED}
FAILED = {"state": BatchState.FAILED, "error_code": OVERLOADED.code, **NOT_WANTED}


@dataclass(frozen=True)
class Refusal:
    """Values that one row of a table can't take on; `setup`: what it is brought to before."""

    constraint: str
    table: sa.Table
    values: dict[str, Any]
    setup: dict[str, Any] = field(default_factory=dict)


REFUSALS = [
    Refusal("ck_batches_state_known", tables.batches, {"state": "paused", **NOT_WANTED}),
    Refusal(
        "ck_batches_completed_is_whole",
        tables.batches,
        {"state": BatchState.COMPLETED, "saved_count": 1, **NOT_WANTED},
    ),
    Refusal("ck_batches_saved_is_completed", tables.batches, {"saved_count": 1}),
    Refusal("ck_batches_counts_fit", tables.batches, {"held_count": 3}),
    Refusal("ck_batches_counts_fit", tables.batches, {"held_count": -1}),
    Refusal(
        "ck_batches_counts_fit",
        tables.batches,
        {"held_count": 1},
        {"state": BatchState.COMPLETED, "saved_count": 2, **NOT_WANTED},
    ),
    Refusal("ck_batches_leased_when_processing", tables.batches, {"state": BatchState.PROCESSING, **NOT_WANTED}),
    Refusal("ck_batches_leased_when_processing", tables.batches, LEASE),
    Refusal(
        "ck_batches_lease_has_end",
        tables.batches,
        {"lease_until": None},
        {"state": BatchState.PROCESSING, **LEASE, **NOT_WANTED},
    ),
    Refusal("ck_batches_lease_has_end", tables.batches, {"lease_until": db_now()}),
    Refusal("ck_batches_wanted_is_pending", tables.batches, {"wanted_at": db_now()}, FAILED),
    Refusal("ck_batches_failed_has_reason", tables.batches, {"state": BatchState.FAILED, **NOT_WANTED}),
    Refusal("ck_batches_failed_has_reason", tables.batches, {"error_code": OVERLOADED.code}),
    Refusal("ck_generations_state_known", tables.generations, {"state": "finished"}),
    Refusal("ck_generations_ended_when_terminal", tables.generations, {"state": GenerationState.COMPLETED}),
    Refusal("ck_generations_ended_when_terminal", tables.generations, {"completed_at": db_now()}),
    Refusal("ck_questions_state_known", tables.questions, {"state": "visible"}),
    Refusal("ck_questions_review_known", tables.questions, {"review": "liked"}),
    Refusal("ck_questions_slot_counts_from_zero", tables.questions, {"slot": -1}),
    Refusal("ck_events_seq_counts_from_one", tables.events, {"seq": 0}),
    Refusal("ck_calls_outcome_known", tables.calls, {"outcome": "fine"}),
    Refusal("ck_calls_accepted_is_no_waste", tables.calls, {"accepted_count": 1}),
    Refusal("ck_calls_cost_is_no_gain", tables.calls, {"cost_usd": -0.01}),
    Refusal("ck_calls_number_counts_from_one", tables.calls, {"number": 0}),
    Refusal("ck_materials_state_known", tables.materials, {"state": "lost"}),
    Refusal("ck_topics_identified_has_time", tables.topics, {"topics": []}),
    Refusal("ck_topics_identified_has_time", tables.topics, {"identified_at": db_now()}),
    Refusal("ck_topics_leased_is_wanted", tables.topics, {"lease_until": db_now(), "wanted_at": None}),
    Refusal("ck_topics_wanted_has_not_failed", tables.topics, {"error_code": OVERLOADED.code, "error_message": "no"}),
    Refusal("ck_topics_failed_has_message", tables.topics, {"error_code": OVERLOADED.code, "wanted_at": None}),
    Refusal("ck_publications_state_known", tables.publications, {"state": "lost", **ENDED}),
    Refusal("ck_publications_ended_has_time", tables.publications, {"ended_at": db_now()}),
    Refusal("ck_publications_exporting_is_wanted", tables.publications, NOT_WANTED),
    Refusal(
        "ck_publications_leased_is_wanted",
        tables.publications,
        {"state": PublicationState.PUBLISHED, "canvas_quiz_id": 1, "lease_until": db_now(), **ENDED},
    ),
    Refusal("ck_publications_failed_has_message", tables.publications, {"error_message": "no"}),
    Refusal(
        "ck_publications_published_is_in_canvas", tables.publications, {"state": PublicationState.PUBLISHED, **ENDED}
    ),
]


async def update(database: Database, table: sa.Table, values: dict[str, Any], row_id: UUID | None = None) -> None:
    changed = sa.update(table).values(**values)
    async with database.write() as tx:
        await tx.execute(changed.where(table.c.id == row_id) if row_id else changed)


async def insert_copy(database: Database, table: sa.Table, **changes: object) -> None:
    """The table's first row once more, with changes."""
    async with database.write() as tx:
        row = (await tx.execute(sa.select(table).limit(1))).one()
        await tx.execute(sa.insert(table).values(**{**row._mapping, **changes}))


async def count(database: Database, table: sa.Table) -> int:
    async with database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


@pytest_asyncio.fixture(loop_scope="session")
async def ordered(database: Database) -> Ordered:
    """One row in every table: a batch of two in work that holds one question, and a material."""
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await factories.hold(database, claimed, 1)
    async with database.write() as tx:
        await calls.insert(tx, [(claimed, [Call(number=1, model="m", outcome=CallOutcome.EMPTY)])])
        await materials.insert(tx, ordered.quiz_id, [("a.md", b"a")])
        await topics.want(tx, ordered.quiz_id)
        await tx.execute(
            sa.insert(tables.publications).values(
                id=uuid4(),
                quiz_id=ordered.quiz_id,
                state=PublicationState.EXPORTING,
                canvas_url="https://school.example",
                course_id="1",
                marker=uuid4(),
                question_ids=[],
                left_out=[],
                wanted_at=db_now(),
                requested_at=db_now(),
            )
        )
        await tx.execute(sa.delete(tables.events).where(tables.events.c.seq > 1))
        pending = {"state": BatchState.PENDING, "held_count": 0, "lease_owner": None, "lease_until": None}
        await tx.execute(sa.update(tables.batches).values(**pending, wanted_at=db_now()))
    return ordered


def test_every_check_of_the_tables_is_tried() -> None:
    checks = {
        str(constraint.name)
        for table in tables.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    assert {refusal.constraint for refusal in REFUSALS} == checks


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.constraint}-{'-'.join(refusal.values)}")
async def test_a_row_that_breaks_a_rule_is_refused(database: Database, refusal: Refusal) -> None:
    if refusal.setup:
        await update(database, refusal.table, refusal.setup)
    with pytest.raises(sa.exc.IntegrityError, match=refusal.constraint):
        await update(database, refusal.table, refusal.values)


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(
    ("table", "changes"),
    [
        (tables.questions, {"fingerprint_hash": "another"}),
        (tables.questions, {"slot": 1}),
        (tables.batches, {"position": 7}),
        (tables.batches, {"batch_key": "another"}),
        (tables.attempts, {"number": 7}),
        (tables.modules, {"name": "another"}),
        (tables.materials, {"name": "another"}),
        (tables.topics, {"tries": 7}),
        (tables.publications, {"tries": 7}),
    ],
    ids=[
        "slot",
        "fingerprint",
        "batch_key",
        "batch_position",
        "attempt_fence",
        "module_position",
        "material_position",
        "topics",
        "publication_under_way",
    ],
)
async def test_nothing_takes_the_place_of_another(
    database: Database, table: sa.Table, changes: dict[str, object]
) -> None:
    numbered = {"number": 10_000} if table is tables.questions else {}
    with pytest.raises(sa.exc.IntegrityError, match=r"(?i)unique"):
        await insert_copy(database, table, id=uuid4(), **{**numbered, **changes})


@pytest.mark.usefixtures("ordered")
async def test_an_event_number_is_given_once(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=r"(?i)unique"):
        await insert_copy(database, tables.events)


@pytest.mark.usefixtures("ordered")
async def test_a_quiz_code_is_given_once(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=r"(?i)unique"):
        await insert_copy(database, tables.quizzes, id=uuid4())


@pytest.mark.usefixtures("ordered")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        (tables.modules, "quiz_id"),
        (tables.batches, "generation_id"),
        (tables.batches, "module_id"),
        (tables.questions, "batch_id"),
        (tables.events, "generation_id"),
        (tables.attempts, "batch_id"),
        (tables.materials, "quiz_id"),
        (tables.generations, "quiz_id"),
    ],
    ids=str,
)
async def test_nothing_hangs_on_what_is_not_there(database: Database, table: sa.Table, column: str) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=r"(?i)foreign key"):
        await update(database, table, {column: uuid4()})


async def test_a_deleted_quiz_takes_everything_with_it(database: Database, ordered: Ordered) -> None:
    other = await factories.make_partial(database)
    owned = [table for table in tables.metadata.tables.values() if table is not tables.chores]
    assert all([await count(database, table) > 0 for table in owned]), "there is something to take"
    async with database.write() as tx:
        await tx.execute(sa.delete(tables.quizzes).where(tables.quizzes.c.id == ordered.quiz_id))
    assert await count(database, tables.materials) == 0
    assert await count(database, tables.generations) == 1
    assert len(await factories.saved_questions(database, other)) == 2
    async with database.write() as tx:
        await tx.execute(sa.delete(tables.quizzes))
    assert [await count(database, table) for table in owned] == [0] * len(owned)


async def test_states_are_written_as_users_read_them(database: Database, ordered: Ordered) -> None:
    async with database.read() as tx:
        [state] = (await tx.execute(sa.select(tables.questions.c.state))).scalars()
    assert state == "held"
    assert (await factories.batch_row(database, ordered.batch_ids[0])).state == "pending"
