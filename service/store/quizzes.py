"""Every SQL statement about quizzes."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.lists import Page
from schemas.quizzes import Extraction, GenerationMetadata, Quiz
from schemas.states import BatchState, ErrorCode, FailureReason, GenerationState, MaterialState, QuestionState, Review
from service.errors import NotFound
from service.rules import quizzes as rules
from service.store import cursors, history, modules, publications
from service.store.database import Tx, db_now
from service.store.tables import batches, generations, materials, questions, quizzes

CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""

# Every hold comes through it: it is built once.
_LOCK = sa.select(quizzes.c.id).where(quizzes.c.id == sa.bindparam("quiz")).with_for_update()


async def insert(tx: Tx, *, owner: str, title: str, language: str) -> UUID:
    quiz_id = uuid4()
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    await tx.execute(
        sa.insert(quizzes).values(
            id=quiz_id, owner=owner, code=code, title=title, language=language, created_at=db_now()
        )
    )
    return quiz_id


async def lock(tx: Tx, quiz_id: UUID) -> None:
    """Lock the quiz: what is entered into it is compared with all that is there. (SQLite's BEGIN locks already.)"""
    await tx.execute(_LOCK, {"quiz": quiz_id})


async def require(tx: Tx, owner: str, quiz_id: UUID) -> None:
    """Raises NotFound for an unknown id and for another owner's."""
    found = sa.select(quizzes.c.id).where(quizzes.c.id == quiz_id, quizzes.c.owner == owner)
    if (await tx.execute(found)).first() is None:
        raise NotFound(f"there is no quiz {quiz_id}")


async def origin(tx: Tx, quiz_id: UUID) -> tuple[str, str]:
    """Its owner and its language, for a worker."""
    row = (await tx.execute(sa.select(quizzes.c.owner, quizzes.c.language).where(quizzes.c.id == quiz_id))).one()
    return row.owner, row.language


async def load(tx: Tx, owner: str, quiz_id: UUID) -> Quiz:
    """Raises NotFound."""
    found = sa.select(quizzes).where(quizzes.c.id == quiz_id, quizzes.c.owner == owner)
    row = (await tx.execute(found)).first()
    if row is None:
        raise NotFound(f"there is no quiz {quiz_id}")
    return (await _whole(tx, [row]))[0]


async def page(tx: Tx, owner: str, *, limit: int, cursor: str | None) -> Page[Quiz]:
    """Newest first. Raises BadRequest for a forged cursor."""
    found = sa.select(quizzes).where(quizzes.c.owner == owner)
    if cursor:
        at, row_id = cursors.decode(cursor)
        place = sa.tuple_(sa.literal(at, quizzes.c.created_at.type), sa.literal(row_id, sa.Uuid()))
        found = found.where(sa.tuple_(quizzes.c.created_at, quizzes.c.id) < place)
    newest = found.order_by(quizzes.c.created_at.desc(), quizzes.c.id.desc()).limit(limit + 1)
    rows = (await tx.execute(newest)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    more = cursors.encode(last.created_at, last.id) if last else None
    return Page[Quiz](items=tuple(await _whole(tx, rows[:limit])), next_cursor=more)


async def titles(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, str]:
    rows = await tx.execute(sa.select(quizzes.c.id, quizzes.c.title).where(quizzes.c.id.in_(quiz_ids)))
    return {row.id: row.title for row in rows}


async def _whole(tx: Tx, rows: Sequence[sa.Row[*tuple[object, ...]]]) -> list[Quiz]:
    ids = [row.id for row in rows]
    parts = await modules.of_quizzes(tx, ids)
    orders = await _orders(tx, ids)
    counts = await _question_counts(tx, ids)
    extractions = await _extractions(tx, ids)
    metadata = await history.of_quizzes(tx, ids)
    published = await publications.of_quizzes(tx, ids)
    newest = await publications.newest(tx, ids)
    quizzes_found = []
    for row in rows:
        saved, approved = counts.get(row.id, (0, 0))
        extraction = extractions.get(row.id)
        status, reason = rules.status(
            is_extracting=extraction is not None,
            failure_reason=FailureReason(row.failure_reason) if row.failure_reason else None,
            has_modules=bool(parts[row.id]),
            orders=orders.get(row.id, rules.Orders()),
            saved=saved,
            publications=published.get(row.id, rules.NEVER_PUBLISHED),
        )
        quizzes_found.append(
            Quiz(
                id=row.id,
                code=row.code,
                title=row.title,
                language=row.language,
                status=status,
                failure_reason=reason,
                modules=tuple(parts[row.id]),
                generation_metadata=metadata.get(row.id, GenerationMetadata()),
                question_count=saved,
                approved_count=approved,
                extraction=extraction,
                publication=newest.get(row.id),
                created_at=row.created_at,
            )
        )
    return quizzes_found


async def _orders(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, rules.Orders]:
    found = sa.select(generations.c.id, generations.c.quiz_id, generations.c.state, batches.c.error_code)
    failed = sa.and_(batches.c.generation_id == generations.c.id, batches.c.state == BatchState.FAILED)
    rows = await tx.execute(
        found.outerjoin(batches, failed)
        .where(
            generations.c.quiz_id.in_(quiz_ids),
            # Making a question again does not make a quiz of another state.
            generations.c.replaces_id.is_(None),
        )
        .distinct()
    )
    states: dict[UUID, dict[UUID, GenerationState]] = defaultdict(dict)
    codes: dict[UUID, set[ErrorCode]] = defaultdict(set)
    for row in rows:
        states[row.quiz_id][row.id] = GenerationState(row.state)
        if row.error_code:
            codes[row.quiz_id].add(ErrorCode(row.error_code))
    return {
        quiz_id: rules.Orders(states=tuple(of_quiz.values()), failed_with=frozenset(codes[quiz_id]))
        for quiz_id, of_quiz in states.items()
    }


async def _question_counts(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    approved = sa.func.sum(sa.case((questions.c.review == Review.APPROVED, 1), else_=0))
    rows = await tx.execute(
        sa.select(questions.c.quiz_id, sa.func.count().label("saved"), approved.label("approved"))
        .where(questions.c.quiz_id.in_(quiz_ids), questions.c.state == QuestionState.SAVED)
        .where(questions.c.replaced_by.is_(None))
        .group_by(questions.c.quiz_id)
    )
    return {row.quiz_id: (row.saved, row.approved) for row in rows}


async def _extractions(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, Extraction]:
    """Per quiz the first file that still waits."""
    rows = await tx.execute(
        sa.select(materials.c.quiz_id, materials.c.name, materials.c.page, materials.c.pages)
        .where(materials.c.quiz_id.in_(quiz_ids), materials.c.state == MaterialState.WAITING)
        .order_by(materials.c.quiz_id, materials.c.position)
    )
    found: dict[UUID, Extraction] = {}
    for row in rows:
        found.setdefault(row.quiz_id, Extraction(file=row.name, page=row.page, pages=row.pages))
    return found
