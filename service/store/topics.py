"""Every SQL statement about topics: one row for each owner, text and language, shared by all modules that have it."""

from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from schemas.states import ErrorCode
from schemas.topics import (
    Identification,
    IdentificationClaim,
    IdentificationFailure,
    Topic,
    TopicsUsage,
    WantedIdentification,
)
from service.errors import LeaseLost
from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import modules, quizzes, topics

FRESH_SECONDS = 3600.0
METHOD = 1
"""How topics are found; raised with every change that makes others, so that the old ones don't count any more."""

_MODULES_TOPICS = (
    modules.join(quizzes, quizzes.c.id == modules.c.quiz_id),
    sa.and_(
        topics.c.owner == quizzes.c.owner,
        topics.c.content_hash == modules.c.content_hash,
        topics.c.language == quizzes.c.language,
        topics.c.method == METHOD,
    ),
)
"""A module's topics are those of its text, among its owner's only: nobody learns what others have uploaded."""

# Every claimed batch comes through it: it is built once.
_OF_MODULES = (
    sa.select(modules.c.id, topics.c.topics)
    .select_from(_MODULES_TOPICS[0].join(topics, _MODULES_TOPICS[1]))
    .where(modules.c.id.in_(sa.bindparam("module_ids", expanding=True)))
)

_IS_FRESH = sa.func.coalesce(topics.c.identified_at > seconds_from_now(-FRESH_SECONDS), sa.false())
_IS_FREE = sa.or_(topics.c.lease_until.is_(None), topics.c.lease_until < db_now())
_COSTS = (
    topics.c.llm_calls,
    topics.c.wasted_calls,
    topics.c.input_tokens,
    topics.c.output_tokens,
    topics.c.cache_read_tokens,
    topics.c.cost_usd,
)


async def want(tx: Tx, quiz_id: UUID) -> None:
    """Want the topics of each module that has no fresh ones, in the queue at once; what is wanted already stays so."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    rows = await tx.execute(
        sa.select(modules.c.id, modules.c.content_hash, quizzes.c.owner, quizzes.c.language)
        .join(quizzes, quizzes.c.id == modules.c.quiz_id)
        .where(modules.c.quiz_id == quiz_id, modules.c.content_hash.is_not(None))
        # Everyone locks rows in this order, or two could wait for each other.
        .order_by(modules.c.content_hash, modules.c.position)
    )
    wanted = [
        {
            "id": uuid4(),
            "owner": row.owner,
            "content_hash": row.content_hash,
            "language": row.language,
            "method": METHOD,
            "module_id": row.id,
        }
        for row in rows
    ]
    if not wanted:
        return
    statement = insert(topics).values(wanted_at=db_now())
    again = statement.on_conflict_do_update(
        index_elements=["owner", "content_hash", "language", "method"],
        set_={"wanted_at": db_now(), "tries": 0, "error_code": None, "error_message": None},
        where=sa.and_(topics.c.wanted_at.is_(None), sa.not_(_IS_FRESH)),
    )
    await tx.execute(again, wanted)


async def of_quiz(tx: Tx, quiz_id: UUID) -> list[Identification]:
    """Each module in its order."""
    rows = await tx.execute(
        sa.select(topics, _IS_FRESH.label("is_fresh"), modules.c.id.label("of_module"), modules.c.name.label("of_name"))
        .select_from(_MODULES_TOPICS[0].outerjoin(topics, _MODULES_TOPICS[1]))
        .where(modules.c.quiz_id == quiz_id)
        .order_by(modules.c.position)
    )
    return [
        Identification(
            identification_id=row.id,
            module_id=row.of_module,
            module_name=row.of_name,
            topics=_topics(row.topics),
            is_fresh=row.is_fresh,
            is_wanted=row.wanted_at is not None,
            failure=_failure(row.error_code, row.error_message),
            spent=TopicsUsage() if row.id is None else _spent(row),
        )
        for row in rows
    ]


async def of_modules(tx: Tx, module_ids: Collection[UUID]) -> dict[UUID, tuple[Topic, ...]]:
    """Fresh or not: the text has not changed since. Without modules for which nobody has asked."""
    rows = await tx.execute(_OF_MODULES, {"module_ids": list(module_ids)})
    return {row.id: _topics(row.topics) for row in rows}


async def names(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The names of each module's topics, fresh or not, by module; without modules that have none."""
    found = sa.select(modules.c.id, topics.c.topics).select_from(_MODULES_TOPICS[0].join(topics, _MODULES_TOPICS[1]))
    rows = await tx.execute(found.where(modules.c.quiz_id.in_(quiz_ids), topics.c.identified_at.is_not(None)))
    return {row.id: tuple(topic.name for topic in _topics(row.topics)) for row in rows}


async def claim(tx: Tx, identification_id: UUID, fence: int, *, lease_seconds: float) -> IdentificationClaim | None:
    """Take one that is wanted and whose fence is still `fence`. None: someone else has it, or had it."""
    taken = sa.update(topics).where(
        topics.c.id == identification_id,
        topics.c.fence == fence,
        topics.c.wanted_at.is_not(None),
        _IS_FREE,
    )
    taken = taken.values(
        fence=topics.c.fence + 1, tries=topics.c.tries + 1, lease_until=seconds_from_now(lease_seconds)
    )
    if (await tx.execute(taken)).rowcount != 1:
        return None
    found = sa.select(topics, modules.c.name, modules.c.text).join(modules, modules.c.id == topics.c.module_id)
    row = (await tx.execute(found.where(topics.c.id == identification_id))).one()
    return IdentificationClaim(
        identification_id=row.id,
        fence=row.fence,
        tries=row.tries,
        owner=row.owner,
        module_id=row.module_id,
        module_name=row.name,
        text=row.text,
        language=row.language,
    )


async def renew(tx: Tx, claim: IdentificationClaim, *, lease_seconds: float) -> None:
    """The heartbeat. Raises LeaseLost."""
    await _one(tx, _mine(claim).values(lease_until=seconds_from_now(lease_seconds)), claim)


async def keep(tx: Tx, claim: IdentificationClaim, found: Sequence[Topic], spent: TopicsUsage) -> None:
    """The module's topics, fresh from now on. Raises LeaseLost."""
    lines = [topic.model_dump() for topic in found]
    kept = _ended(claim, spent).values(topics=lines, identified_at=db_now())
    await _one(tx, kept, claim)


async def fail(tx: Tx, claim: IdentificationClaim, failure: IdentificationFailure, spent: TopicsUsage) -> None:
    """Topics from before stay, but are no fresher. Raises LeaseLost."""
    failed = _ended(claim, spent).values(error_code=failure.code, error_message=failure.message)
    await _one(tx, failed, claim)


async def release(tx: Tx, claim: IdentificationClaim, spent: TopicsUsage) -> None:
    """Give it back, wanted in the queue at once. Raises LeaseLost."""
    back = _mine(claim).values(wanted_at=db_now(), lease_until=None, tries=topics.c.tries - 1, **_more(spent))
    await _one(tx, back, claim)


async def wanted(tx: Tx, *, limit: int) -> list[WantedIdentification]:
    """The outbox: what must be in the queue by now. What a worker has leased is not."""
    found = sa.select(topics.c.id, topics.c.fence).where(topics.c.wanted_at <= db_now(), _IS_FREE)
    rows = await tx.execute(found.order_by(topics.c.wanted_at).limit(limit))
    return [WantedIdentification(identification_id=row.id, fence=row.fence) for row in rows]


async def look_again(tx: Tx, queued: Sequence[WantedIdentification], *, in_seconds: float) -> None:
    """They were just put into the queue: want them there again only when nobody has claimed them after a while."""
    ids = [one.identification_id for one in queued]
    moved = sa.update(topics).where(topics.c.id.in_(ids), topics.c.wanted_at <= db_now())
    await tx.execute(moved.values(wanted_at=seconds_from_now(in_seconds)))


def _mine(claim: IdentificationClaim) -> sa.Update:
    return sa.update(topics).where(
        topics.c.id == claim.identification_id, topics.c.fence == claim.fence, topics.c.lease_until.is_not(None)
    )


def _ended(claim: IdentificationClaim, spent: TopicsUsage) -> sa.Update:
    return _mine(claim).values(wanted_at=None, lease_until=None, tries=0, **_more(spent))


async def _one(tx: Tx, change: sa.Update, claim: IdentificationClaim) -> None:
    if (await tx.execute(change)).rowcount != 1:
        raise LeaseLost(f'the topics of the module "{claim.module_name}" are in other hands')


def _more(spent: TopicsUsage) -> dict[str, sa.ColumnElement[float]]:
    return {column.name: column + getattr(spent, column.name) for column in _COSTS}


def _spent(row: sa.Row[*tuple[object, ...]]) -> TopicsUsage:
    return TopicsUsage.model_validate({column.name: row._mapping[column.name] for column in _COSTS})  # noqa: SLF001 # as in batches


def _topics(lines: Sequence[object] | None) -> tuple[Topic, ...]:
    return tuple(Topic.model_validate(line) for line in lines or ())


def _failure(code: str | None, message: str | None) -> IdentificationFailure | None:
    return IdentificationFailure(code=ErrorCode(code), message=message) if code and message else None
