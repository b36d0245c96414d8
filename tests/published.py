"""A quiz with one saved question of every type, and its publications, for tests of what goes to Canvas."""

from uuid import UUID, uuid4

from schemas.holdings import Holding
from schemas.publications import NewPublication
from schemas.questions import Content
from schemas.quizzes import Quiz
from schemas.states import QuestionType, Review
from service.rules import canvas
from service.store import publications, questions, quizzes, steps
from service.store.database import Database
from tests import factories
from tests.canvas_api import TOKEN, CanvasApi, CanvasQuiz
from tests.factories import OWNER, Ordered
from tests.service.exports.contents import CONTENTS

__all__ = ["TOKEN", "CanvasApi"]

COURSE = 42
CARDS = {QuestionType.FLASHCARD, QuestionType.VOCABULARY}
SAYABLE = [question_type for question_type in CONTENTS if question_type not in CARDS]


async def make_quiz(database: Database, *contents: Content, types: list[QuestionType] | None = None) -> UUID:
    """With these contents of the named types, or one of every type, each in an order of its own."""
    ordered: Ordered | None = None
    for question_type, content in zip(types or CONTENTS, contents or CONTENTS.values(), strict=True):
        ordered = await factories.make_order(database, 1, question_type=question_type, on=ordered)
        claimed = await factories.claim(database, ordered.batch_ids[0])
        sound = factories.sound_question(claimed.module_id).model_copy(update={"content": content})
        async with database.write() as tx:
            await steps.enter(tx, claimed)
            await steps.hold(tx, [Holding(claimed, [sound], ())], lease_seconds=factories.LEASE_SECONDS)
        await factories.complete(database, claimed)
    assert ordered is not None, "a quiz has questions"
    return ordered.quiz_id


async def order(database: Database, quiz_id: UUID, canvas_url: str, *, review: Review | None = None) -> UUID:
    """As the interface does it, without a token."""
    publication_id = uuid4()
    async with database.write() as tx:
        saved = await questions.of_quiz(tx, quiz_id, review=None, limit=1000)
        question_ids, left_out = canvas.sorted_out(canvas.chosen(saved, review))
        new = NewPublication(
            id=publication_id,
            quiz_id=quiz_id,
            canvas_url=canvas_url,
            course_id=str(COURSE),
            question_ids=question_ids,
            left_out=left_out,
            saved_count=len(saved),
        )
        await publications.insert(tx, new)
    return publication_id


async def load(database: Database, quiz_id: UUID) -> Quiz:
    async with database.read() as tx:
        return await quizzes.load(tx, OWNER, quiz_id)


def types_in(quiz: CanvasQuiz) -> list[str]:
    return [question["question_type"].removesuffix("_question") for question in quiz.questions]


SAID = ["multiple_choice", "multiple_answers", "true_false", "short_answer", "short_answer", "matching", "numerical"]
"""What those of every type are in Canvas."""
