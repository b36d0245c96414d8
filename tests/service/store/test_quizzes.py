"""Quizzes as their owners read them."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from schemas.quizzes import Extraction, GenerationMetadata, Quiz
from schemas.states import FailureReason, QuizStatus, Review
from service.errors import BadRequest, NotFound
from service.store import materials, quizzes, tables
from service.store.database import Database, db_now
from tests import factories
from tests.factories import OWNER


async def load(database: Database, quiz_id: UUID) -> Quiz:
    async with database.read() as tx:
        return await quizzes.load(tx, OWNER, quiz_id)


async def backdate(database: Database, quiz_ids: list[UUID], seconds: float) -> None:
    """Make them of one age."""
    changed = sa.update(tables.quizzes).where(tables.quizzes.c.id.in_(quiz_ids))
    async with database.write() as tx:
        now: float = (await tx.execute(sa.select(sa.type_coerce(db_now(), sa.Double())))).scalar_one()
        await tx.execute(changed.values(created_at=sa.literal(now - seconds, sa.Double())))


async def test_a_new_quiz_has_nothing_but_its_modules(database: Database) -> None:
    quiz_id, module_ids = await factories.make_quiz(database, modules_count=2, title="Bäume")
    quiz = await load(database, quiz_id)
    assert (quiz.title, quiz.language, quiz.status, quiz.failure_reason) == ("Bäume", "en", QuizStatus.CREATED, None)
    assert [module.id for module in quiz.modules] == list(module_ids)
    assert (quiz.question_count, quiz.approved_count, quiz.extraction) == (0, 0, None)
    assert quiz.generation_metadata == GenerationMetadata()
    assert quiz.created_at.utcoffset() is not None


async def test_a_code_can_be_said_and_is_not_given_twice(database: Database) -> None:
    codes = [(await load(database, (await factories.make_quiz(database))[0])).code for _ in range(20)]
    assert len(set(codes)) == 20
    assert all(len(code) == 10 and set(code) <= set(quizzes.CODE_LETTERS) for code in codes)
    assert not set("il1o0") & set(quizzes.CODE_LETTERS), "no letters that look alike"


async def test_someone_elses_quiz_is_answered_like_an_unknown_one(database: Database) -> None:
    quiz_id, _ = await factories.make_quiz(database, owner="bob")
    async with database.read() as tx:
        for asked in (quiz_id, uuid4()):
            for ask in (quizzes.load, quizzes.require):
                with pytest.raises(NotFound, match=f"^there is no quiz {asked}$"):
                    await ask(tx, OWNER, asked)
        await quizzes.require(tx, "bob", quiz_id)


async def test_only_saved_questions_are_counted(database: Database) -> None:
    ordered = await factories.make_partial(database, saved=2, target=5, held=3)
    approved = sa.update(tables.questions).where(tables.questions.c.slot == 0).values(review=Review.APPROVED)
    async with database.write() as tx:
        await tx.execute(approved)
    quiz = await load(database, ordered.quiz_id)
    assert (quiz.question_count, quiz.approved_count) == (2, 1)
    assert quiz.status is QuizStatus.READY_FOR_REVIEW_PARTIAL


async def test_the_status_follows_the_orders(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    assert (await load(database, ordered.quiz_id)).status is QuizStatus.GENERATING_QUESTIONS
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    assert (await load(database, ordered.quiz_id)).status is QuizStatus.READY_FOR_REVIEW
    again = await factories.make_order(database, 3, on=ordered)
    assert (await load(database, ordered.quiz_id)).status is QuizStatus.GENERATING_QUESTIONS
    await factories.fail(database, await factories.claim(database, again.batch_ids[0]))
    assert (await load(database, ordered.quiz_id)).status is QuizStatus.READY_FOR_REVIEW_PARTIAL


async def test_a_quiz_whose_order_gave_nothing_has_failed(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    await factories.fail(database, await factories.claim(database, ordered.batch_ids[0]))
    quiz = await load(database, ordered.quiz_id)
    assert (quiz.status, quiz.failure_reason) == (QuizStatus.FAILED, FailureReason.LLM_GENERATION_ERROR)


async def test_while_files_are_read_the_quiz_says_which_and_how_far(database: Database) -> None:
    quiz_id, _ = await factories.make_quiz(database, modules_count=0)
    async with database.write() as tx:
        await materials.insert(tx, quiz_id, [("a.md", b"a"), ("b.md", b"b")])
        first, _ = await materials.waiting(tx, quiz_id, limit=10)
    assert (await load(database, quiz_id)).extraction == Extraction(file="a.md", page=0, pages=0)
    async with database.write() as tx:
        assert await materials.go_on(tx, first.id, tries=0, place=(3, 12), seconds_max=60)
    assert (await load(database, quiz_id)).extraction == Extraction(file="a.md", page=3, pages=12)
    async with database.write() as tx:
        await materials.mark_extracted(tx, first.id, tries=0)
    quiz = await load(database, quiz_id)
    assert quiz.extraction == Extraction(file="b.md", page=0, pages=0)
    assert quiz.status is QuizStatus.EXTRACTING_CONTENT


async def test_a_quiz_with_an_unreadable_file_has_failed(database: Database) -> None:
    quiz_id, _ = await factories.make_quiz(database, modules_count=0)
    async with database.write() as tx:
        await materials.insert(tx, quiz_id, [("a.md", b"a")])
        [material] = await materials.waiting(tx, quiz_id, limit=10)
        await materials.mark_failed(tx, quiz_id, material.id, FailureReason.EXTRACTION_FAILED, "no text", tries=0)
    quiz = await load(database, quiz_id)
    assert (quiz.status, quiz.failure_reason) == (QuizStatus.FAILED, FailureReason.EXTRACTION_FAILED)
    assert quiz.extraction is None


async def test_a_worker_can_ask_whose_quiz_it_is_and_in_which_language(database: Database) -> None:
    quiz_id, _ = await factories.make_quiz(database)
    async with database.read() as tx:
        assert await quizzes.origin(tx, quiz_id) == (OWNER, "en")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_following_the_cursors_shows_every_quiz_once_newest_first(database: Database, limit: int) -> None:
    made = [(await factories.make_quiz(database))[0] for _ in range(5)]
    await factories.make_quiz(database, owner="bob")
    await backdate(database, made[:1], 60)
    await backdate(database, made[1:4], 40)
    found: list[UUID] = []
    cursor = None
    for _ in range(6):
        async with database.read() as tx:
            page = await quizzes.page(tx, OWNER, limit=limit, cursor=cursor)
        found += [quiz.id for quiz in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    # Three are of one moment: then the id decides.
    assert found == [made[4], *sorted(made[1:4], reverse=True), made[0]]
    assert cursor is None


async def test_a_forged_cursor_is_refused(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(BadRequest):
            await quizzes.page(tx, OWNER, limit=2, cursor="forged")


async def test_titles_are_found_for_many_quizzes_at_once(database: Database) -> None:
    first, _ = await factories.make_quiz(database, title="Trees")
    second, _ = await factories.make_quiz(database, title="Shrubs")
    async with database.read() as tx:
        assert await quizzes.titles(tx, [first, second, uuid4()]) == {first: "Trees", second: "Shrubs"}
