"""What reviewers can do to saved questions, for the HTTP interface and the pages alike."""

from collections.abc import Collection, Sequence
from uuid import UUID

from schemas.generations import Generation
from schemas.orders import ModuleBatchOrder, OrderOptions
from schemas.questions import Question
from schemas.reviews import QuestionEdit, Regeneration
from schemas.states import Review
from service import outbox
from service.api import orders
from service.api.backend import Backend
from service.errors import Stale
from service.rules import reviews as rules
from service.store import generations, quizzes, reviews, steps


async def load(backend: Backend, owner: str, question_id: UUID) -> Question:
    """Raises NotFound."""
    async with backend.database.read() as tx:
        return await reviews.load(tx, owner, question_id)


async def edit(
    backend: Backend, owner: str, question_id: UUID, wanted: QuestionEdit, *, versions: Collection[int]
) -> Question:
    """`versions`: one of them must be the present one; none = any. Raises NotFound, Stale, Invalid."""
    async with backend.database.write() as tx:
        question = await reviews.enter(tx, owner, question_id)
        _require(question, versions)
        edited = rules.edited(question, wanted)
        await reviews.edit(tx, edited)
    return edited


async def decide(
    backend: Backend, owner: str, question_id: UUID, review: Review, *, versions: Collection[int] | None = None
) -> Question:
    """Raises NotFound, Stale."""
    async with backend.database.write() as tx:
        question = await reviews.enter(tx, owner, question_id)
        _require(question, versions or ())
        await reviews.decide(tx, question.quiz_id, [question_id], review)
    return question.model_copy(update={"review": review})


async def decide_many(
    backend: Backend, owner: str, quiz_id: UUID, question_ids: Sequence[UUID] | None, review: Review
) -> int:
    """The questions that are named, or all that are not reviewed. Returns how many changed. Raises NotFound."""
    async with backend.database.write() as tx:
        await quizzes.require(tx, owner, quiz_id)
        return await reviews.decide(tx, quiz_id, question_ids, review)


async def regenerate(backend: Backend, owner: str, question_id: UUID, wanted: Regeneration) -> Generation:
    """Order another question in its place; it stays until that one has passed every check.

    Raises NotFound, StateConflict.
    """
    async with backend.database.write() as tx:
        question = await reviews.enter(tx, owner, question_id)
        await reviews.require_unreplaced(tx, question)
        batch = ModuleBatchOrder(
            module_id=question.module_id,
            question_type=question.question_type,
            difficulty=question.difficulty,
            target_count=1,
        )
        options = OrderOptions(instructions=wanted.instructions)
        plans = orders.planned(backend, [batch], [question.module_id], options)
        generation_id = await steps.order(tx, question.quiz_id, owner, plans, options)
        await reviews.intend(tx, generation_id, question)
        generation = await generations.load(tx, owner, generation_id)
    await outbox.try_to_carry(backend.database, backend.queue, generation_id=generation_id)
    return generation


def _require(question: Question, versions: Collection[int]) -> None:
    if versions and question.version not in versions:
        raise Stale(f"question {question.id} is at version {question.version}: look at it again before you change it")
