"""Every SQL statement about questions. Held ones are invisible to readers; completing the batch saves them."""

import itertools
from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.holdings import Holding
from schemas.lists import Page
from schemas.plans import Claim
from schemas.questions import CONTENT_OF, Entered, Evidence, Fingerprint, Question, SoundQuestion, preview_of
from schemas.states import CognitiveLevel, Difficulty, QuestionState, QuestionType, Review
from service.rules import balance
from service.store import cursors
from service.store.database import Tx, db_now
from service.store.tables import batches, generations, modules, questions

BANK_PAGE = 20_000

# Every question comes through these: they are built once.
_INSERT = sa.insert(questions).values(generated_at=db_now())
_ENTERED = (
    sa.select(
        questions.c.number,
        questions.c.batch_id,
        questions.c.question_type,
        questions.c.content,
        questions.c.module_id,
        questions.c.evidence_start,
        questions.c.evidence_end,
        questions.c.fingerprint_text,
        questions.c.fingerprint_key,
        questions.c.fingerprint_hash,
    )
    .where(questions.c.quiz_id == sa.bindparam("quiz"), questions.c.number > sa.bindparam("after"))
    .order_by(questions.c.number)
    .limit(BANK_PAGE)
)
_OF_BATCHES = questions.c.batch_id.in_(sa.bindparam("batch_ids", expanding=True))
_SAVE = (
    sa.update(questions).where(_OF_BATCHES, questions.c.state == QuestionState.HELD).values(state=QuestionState.SAVED)
)
_WEIGHED = (
    sa.select(questions.c.id, questions.c.batch_id, questions.c.question_type, questions.c.content, questions.c.flaws)
    .where(_OF_BATCHES, questions.c.question_type.in_(balance.TYPES))
    .order_by(questions.c.batch_id)
)
_MARK = (
    sa.update(questions)
    .where(questions.c.id == sa.bindparam("question_id"))
    .values(flaws=sa.bindparam("flaws_now", type_=questions.c.flaws.type))
)


async def hold(tx: Tx, placed: Sequence[tuple[Holding, int]]) -> None:
    """Keep the checked questions of each holding in its batch's free slots, from the one that is named on."""
    rows = [
        _row(holding.claim, question, first_slot + offset)
        for holding, first_slot in placed
        for offset, question in enumerate(holding.sound)
    ]
    if rows:
        await tx.execute(_INSERT, rows)


def _row(claim: Claim, question: SoundQuestion, slot: int) -> dict[str, object]:
    return {
        "id": uuid4(),
        "quiz_id": claim.quiz_id,
        "generation_id": claim.generation_id,
        "batch_id": claim.batch_id,
        "module_id": claim.module_id,
        "slot": slot,
        "state": QuestionState.HELD,
        "question_type": claim.question_type,
        "difficulty": claim.difficulty,
        "content": question.content.model_dump(mode="json"),
        "evidence_quote": question.evidence.quote,
        "evidence_start": question.evidence.start,
        "evidence_end": question.evidence.end,
        "explanation": question.explanation,
        "cognitive_level": question.cognitive_level,
        "tags": list(question.tags),
        "flaws": list(question.flaws),
        "quality": question.quality,
        "fingerprint_text": question.fingerprint.text,
        "fingerprint_key": question.fingerprint.key,
        "fingerprint_hash": question.fingerprint.hash,
        "review": Review.UNREVIEWED,
        "version": 1,
        "fence": claim.fence,
    }


async def save(tx: Tx, batch_ids: Sequence[UUID]) -> int:
    """Turn what the batches hold into saved questions; returns how many. Only now is known how each is balanced."""
    await _mark_imbalance(tx, batch_ids)
    return (await tx.execute(_SAVE, {"batch_ids": batch_ids})).rowcount


async def _mark_imbalance(tx: Tx, batch_ids: Sequence[UUID]) -> None:
    rows = (await tx.execute(_WEIGHED, {"batch_ids": batch_ids})).all()
    marks = []
    for _, of_batch in itertools.groupby(rows, key=lambda row: row.batch_id):
        mates = list(of_batch)
        contents = [CONTENT_OF[QuestionType(row.question_type)].model_validate(row.content) for row in mates]
        marks += [
            {"question_id": row.id, "flaws_now": [*row.flaws, flaw]}
            for row, flaw in zip(mates, balance.flaws_of(contents), strict=True)
            if flaw and flaw not in row.flaws
        ]
    if marks:
        await tx.execute(_MARK, marks)


async def entered(tx: Tx, quiz_id: UUID, *, after: int) -> list[Entered]:
    """What the quiz already asks, held or saved, beyond the number `after`, in order."""
    rows: list[sa.Row[*tuple[object, ...]]] = []
    while page := (await tx.execute(_ENTERED, {"quiz": quiz_id, "after": rows[-1].number if rows else after})).all():
        rows += page
        if len(page) < BANK_PAGE:
            break
    return [_entered(row) for row in rows]


async def page(
    tx: Tx, generation_id: UUID, *, batch_id: UUID | None, review: Review | None, limit: int, cursor: str | None
) -> Page[Question]:
    """Saved questions of a generation, in the order of its batches. Raises BadRequest for a forged cursor."""
    found = visible().where(questions.c.generation_id == generation_id)
    if batch_id:
        found = found.where(questions.c.batch_id == batch_id)
    if review:
        found = found.where(questions.c.review == review)
    if cursor:
        place = sa.tuple_(*map(sa.literal, cursors.decode_places(cursor, 2)))
        found = found.where(sa.tuple_(batches.c.position, questions.c.slot) > place)
    rows = (await tx.execute(found.order_by(batches.c.position, questions.c.slot).limit(limit + 1))).all()
    more = cursors.encode_places(rows[limit - 1].position, rows[limit - 1].slot) if len(rows) > limit else None
    return Page[Question](items=tuple(question_of(row) for row in rows[:limit]), next_cursor=more)


async def of_quiz(tx: Tx, quiz_id: UUID, *, review: Review | None, limit: int) -> list[Question]:
    """Saved questions of a quiz: generation by generation, batch by batch."""
    found = visible().join(generations, generations.c.id == questions.c.generation_id)
    found = found.where(questions.c.quiz_id == quiz_id)
    if review:
        found = found.where(questions.c.review == review)
    place = (generations.c.requested_at, generations.c.id, batches.c.position, questions.c.slot)
    return [question_of(row) for row in await tx.execute(found.order_by(*place).limit(limit))]


def visible() -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(questions, batches.c.batch_key, batches.c.position, modules.c.name.label("module_name"))
        .join(batches, batches.c.id == questions.c.batch_id)
        .join(modules, modules.c.id == questions.c.module_id)
        .where(questions.c.state == QuestionState.SAVED, questions.c.replaced_by.is_(None))
    )


def _entered(row: sa.Row[*tuple[object, ...]]) -> Entered:
    question_type = QuestionType(row.question_type)
    preview = preview_of(CONTENT_OF[question_type].model_validate(row.content))
    return Entered(row.number, row.batch_id, question_type, preview, _fingerprint(row))


def _fingerprint(row: sa.Row[*tuple[object, ...]]) -> Fingerprint:
    return Fingerprint(
        text=row.fingerprint_text,
        key=row.fingerprint_key,
        module_id=row.module_id,
        start=row.evidence_start,
        end=row.evidence_end,
        hash=row.fingerprint_hash,
    )


def question_of(row: sa.Row[*tuple[object, ...]]) -> Question:
    question_type = QuestionType(row.question_type)
    return Question(
        id=row.id,
        quiz_id=row.quiz_id,
        generation_id=row.generation_id,
        batch_id=row.batch_id,
        batch_key=row.batch_key,
        module_id=row.module_id,
        module_name=row.module_name,
        question_type=question_type,
        difficulty=Difficulty(row.difficulty) if row.difficulty else None,
        content=CONTENT_OF[question_type].model_validate(row.content),
        evidence=Evidence(
            quote=row.evidence_quote, module_id=row.module_id, start=row.evidence_start, end=row.evidence_end
        ),
        explanation=row.explanation,
        cognitive_level=CognitiveLevel(row.cognitive_level),
        tags=tuple(row.tags),
        flaws=tuple(row.flaws),
        quality=row.quality,
        review=Review(row.review),
        version=row.version,
        generated_at=row.generated_at,
    )
