"""Every SQL statement about the review of saved questions: edits, decisions, replacements."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.questions import Question
from schemas.states import QuestionState, Review
from service.errors import Invalid, NotFound, StateConflict
from service.rules.likeness import fingerprint_of
from service.rules.quizzes import ACTIVE
from service.store import quizzes
from service.store.database import Tx
from service.store.questions import question_of, visible
from service.store.tables import generations, questions
from service.store.tables import quizzes as quiz_rows

_NEW = sa.select(questions.c.id).where(questions.c.generation_id == sa.bindparam("generation")).limit(1)
_ORDER = sa.select(generations.c.replaces_id, generations.c.replaces_version).where(
    generations.c.id == sa.bindparam("generation")
)
_REPLACE = (
    sa.update(questions)
    .where(
        questions.c.id == sa.bindparam("old"),
        questions.c.version == sa.bindparam("old_version"),
        questions.c.replaced_by.is_(None),
    )
    .values(replaced_by=_NEW.scalar_subquery())
)


async def load(tx: Tx, owner: str, question_id: UUID) -> Question:
    """Raises NotFound."""
    mine = sa.exists().where(quiz_rows.c.id == questions.c.quiz_id, quiz_rows.c.owner == owner)
    row = (await tx.execute(visible().where(questions.c.id == question_id, mine))).first()
    if row is None:
        raise NotFound(f"there is no question {question_id}")
    return question_of(row)


async def enter(tx: Tx, owner: str, question_id: UUID) -> Question:
    """The question, which nobody else can change before this transaction ends. Raises NotFound."""
    question = await load(tx, owner, question_id)
    # What a question asks is compared with all of its quiz, so it is the quiz that is locked.
    await quizzes.lock(tx, question.quiz_id)
    return await load(tx, owner, question_id)


async def edit(tx: Tx, edited: Question) -> None:
    """Write the next version of a question that was entered. Raises Invalid when the quiz asks the same already."""
    fingerprint = fingerprint_of(edited.content, edited.evidence)
    twin = sa.select(questions.c.id).where(
        questions.c.quiz_id == edited.quiz_id,
        questions.c.fingerprint_hash == fingerprint.hash,
        questions.c.id != edited.id,
    )
    if (await tx.execute(twin.limit(1))).first():
        raise Invalid.field("content", "this quiz asks the same already")
    await tx.execute(
        sa.update(questions)
        .where(questions.c.id == edited.id)
        .values(
            content=edited.content.model_dump(mode="json"),
            explanation=edited.explanation,
            difficulty=edited.difficulty,
            tags=list(edited.tags),
            flaws=list(edited.flaws),
            quality=edited.quality,
            review=edited.review,
            version=edited.version,
            fingerprint_text=fingerprint.text,
            fingerprint_key=fingerprint.key,
            fingerprint_hash=fingerprint.hash,
        )
    )


async def decide(tx: Tx, quiz_id: UUID, question_ids: Sequence[UUID] | None, review: Review) -> int:
    """Approve or reject visible questions: those named, or all that are not reviewed. Returns how many changed."""
    decided = sa.update(questions).where(
        questions.c.quiz_id == quiz_id,
        questions.c.state == QuestionState.SAVED,
        questions.c.replaced_by.is_(None),
        questions.c.review != review,
    )
    if question_ids is None:
        decided = decided.where(questions.c.review == Review.UNREVIEWED)
    else:
        decided = decided.where(questions.c.id.in_(question_ids))
    return (await tx.execute(decided.values(review=review))).rowcount


async def require_unreplaced(tx: Tx, question: Question) -> None:
    """Raises StateConflict while another one is being made in its place."""
    active = sa.select(generations.c.id).where(
        generations.c.quiz_id == question.quiz_id,
        generations.c.replaces_id == question.id,
        generations.c.state.in_(ACTIVE),
    )
    if (await tx.execute(active.limit(1))).first():
        raise StateConflict("this question is being made again already")


async def intend(tx: Tx, generation_id: UUID, question: Question) -> None:
    """What the generation makes is to take the place of this version of the question."""
    ordered = sa.update(generations).where(generations.c.id == generation_id)
    await tx.execute(ordered.values(replaces_id=question.id, replaces_version=question.version))


async def replace(tx: Tx, generation_id: UUID) -> None:
    """What the generation has saved takes the place it was ordered for, unless someone has edited what stands there."""
    order = (await tx.execute(_ORDER, {"generation": generation_id})).one()
    if order.replaces_id is not None:
        place = {"old": order.replaces_id, "old_version": order.replaces_version, "generation": generation_id}
        await tx.execute(_REPLACE, place)
