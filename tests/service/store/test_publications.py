"""Publications in both databases: one at a time, fenced, and what they make of a quiz's status."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from schemas.publications import LeftOut, NewPublication, Publication, PublicationClaim
from schemas.states import FailureReason, PublicationState, QuizStatus
from service.errors import LeaseLost, StateConflict
from service.store import publications, tables
from service.store.database import Database, db_now, seconds_from_now
from tests import factories, published

QUESTION_IDS = (UUID(int=1), UUID(int=2))
LEFT_OUT = (LeftOut(question_id=UUID(int=3), reason="no cards"),)


async def make_quiz(database: Database) -> UUID:
    """With two saved questions."""
    ordered = await factories.make_order(database, 2)
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    return ordered.quiz_id


async def order(database: Database, quiz_id: UUID, *, course_id: str = "42", saved_count: int = 2) -> UUID:
    new = NewPublication(
        id=uuid4(),
        quiz_id=quiz_id,
        canvas_url="https://school.example",
        course_id=course_id,
        question_ids=QUESTION_IDS,
        left_out=LEFT_OUT,
        saved_count=saved_count,
    )
    async with database.write() as tx:
        await publications.insert(tx, new)
    return new.id


async def claim(database: Database, publication_id: UUID, fence: int = 0, *, seconds: float = 60) -> PublicationClaim:
    async with database.write() as tx:
        claimed = await publications.claim(tx, publication_id, fence, lease_seconds=seconds)
    assert claimed is not None, "it can be claimed"
    return claimed


async def newest(database: Database, quiz_id: UUID) -> Publication:
    found = (await published.load(database, quiz_id)).publication
    assert found is not None, "there is one"
    return found


async def status(database: Database, quiz_id: UUID) -> tuple[QuizStatus, FailureReason | None]:
    quiz = await published.load(database, quiz_id)
    return quiz.status, quiz.failure_reason


async def complete(database: Database, claimed: PublicationClaim) -> None:
    async with database.write() as tx:
        await publications.enter(tx, claimed, 7)
        await publications.complete(tx, claimed)


async def fail(database: Database, claimed: PublicationClaim) -> None:
    async with database.write() as tx:
        await publications.fail(tx, claimed, "Canvas is closed")


async def test_a_quiz_without_any_has_none(database: Database) -> None:
    quiz = await published.load(database, await make_quiz(database))
    assert quiz.publication is None


async def test_a_claim_carries_all_that_its_worker_needs(database: Database) -> None:
    quiz_id = await make_quiz(database)
    claimed = await claim(database, await order(database, quiz_id))
    assert (claimed.fence, claimed.tries, claimed.canvas_quiz_id) == (1, 1, None)
    assert (claimed.quiz_id, claimed.title, claimed.course_id) == (quiz_id, "Plants", "42")
    assert claimed.question_ids == QUESTION_IDS


async def test_it_is_claimed_once_until_its_lease_is_over(database: Database) -> None:
    publication_id = await order(database, await make_quiz(database))
    await claim(database, publication_id, seconds=-1)
    async with database.write() as tx:
        assert await publications.claim(tx, publication_id, 0, lease_seconds=60) is None
    await claim(database, publication_id, fence=1)
    async with database.write() as tx:
        assert await publications.claim(tx, publication_id, 2, lease_seconds=60) is None


async def test_a_worker_whose_claim_is_over_writes_nothing(database: Database) -> None:
    quiz_id = await make_quiz(database)
    publication_id = await order(database, quiz_id)
    lost = await claim(database, publication_id, seconds=-1)
    await claim(database, publication_id, fence=1)
    for step in (
        lambda tx: publications.renew(tx, lost, lease_seconds=60),
        lambda tx: publications.enter(tx, lost, 7),
        lambda tx: publications.advance(tx, lost, 1),
        lambda tx: publications.complete(tx, lost),
        lambda tx: publications.fail(tx, lost, "no"),
        lambda tx: publications.release(tx, lost, in_seconds=0),
    ):
        with pytest.raises(LeaseLost, match="is in other hands"):
            async with database.write() as tx:
                await step(tx)
    assert (await newest(database, quiz_id)).status is PublicationState.EXPORTING


async def test_one_at_a_time_and_the_database_holds_it(database: Database) -> None:
    quiz_id = await make_quiz(database)
    await order(database, quiz_id)
    with pytest.raises(StateConflict, match="is being published already"):
        await order(database, quiz_id)
    other = await order(database, await make_quiz(database))
    moved = sa.update(tables.publications).where(tables.publications.c.id == other).values(quiz_id=quiz_id)
    async with database.write() as tx:
        with pytest.raises(sa.exc.IntegrityError):
            await tx.execute(moved)
        await tx.rollback()


async def test_what_was_sent_is_told_and_gives_it_all_its_tries_again(database: Database) -> None:
    quiz_id = await make_quiz(database)
    publication_id = await order(database, quiz_id)
    claimed = await claim(database, publication_id, seconds=-1)
    assert (await newest(database, quiz_id)).canvas_quiz_url is None
    async with database.write() as tx:
        await publications.enter(tx, claimed, 2**40)
        await publications.advance(tx, claimed, 1)
    found = await newest(database, quiz_id)
    assert found.canvas_quiz_url == f"https://school.example/courses/42/quizzes/{2**40}"
    assert (found.sent_count, found.question_count, found.left_out) == (1, 2, LEFT_OUT)
    again = await claim(database, publication_id, fence=1)
    assert (again.tries, again.canvas_quiz_id, again.marker) == (1, 2**40, claimed.marker)


async def test_the_status_of_the_quiz_follows_its_publications(database: Database) -> None:
    quiz_id = await make_quiz(database)
    claimed = await claim(database, await order(database, quiz_id))
    assert await status(database, quiz_id) == (QuizStatus.EXPORTING_TO_CANVAS, None)
    await fail(database, claimed)
    assert await status(database, quiz_id) == (QuizStatus.READY_FOR_REVIEW, FailureReason.CANVAS_ERROR)
    assert (await newest(database, quiz_id)).error == "Canvas is closed"
    await complete(database, await claim(database, await order(database, quiz_id)))
    assert await status(database, quiz_id) == (QuizStatus.PUBLISHED, None)
    await fail(database, await claim(database, await order(database, quiz_id)))
    assert await status(database, quiz_id) == (QuizStatus.PUBLISHED, FailureReason.CANVAS_ERROR)
    await complete(database, await claim(database, await order(database, quiz_id, saved_count=1)))
    assert await status(database, quiz_id) == (QuizStatus.READY_FOR_REVIEW, None)


async def test_after_a_failed_one_to_the_same_course_its_work_goes_on(database: Database) -> None:
    quiz_id = await make_quiz(database)
    first = await claim(database, await order(database, quiz_id))
    async with database.write() as tx:
        await publications.enter(tx, first, 7)
    await fail(database, first)
    second = await claim(database, await order(database, quiz_id))
    assert (second.marker, second.canvas_quiz_id) == (first.marker, 7)
    await fail(database, second)
    elsewhere = await claim(database, await order(database, quiz_id, course_id="43"))
    assert (elsewhere.marker == first.marker, elsewhere.canvas_quiz_id) == (False, None)
    await complete(database, elsewhere)
    anew = await claim(database, await order(database, quiz_id, course_id="43"))
    assert (anew.marker == elsewhere.marker, anew.canvas_quiz_id) == (False, None)


async def test_the_outbox_wants_what_nobody_works_on(database: Database) -> None:
    async def wanted() -> list[UUID]:
        async with database.read() as tx:
            return [one.publication_id for one in await publications.wanted(tx, limit=10)]

    publication_id = await order(database, await make_quiz(database))
    assert await wanted() == [publication_id]
    async with database.write() as tx:
        queued = await publications.wanted(tx, limit=10)
        await publications.look_again(tx, queued, in_seconds=60)
    assert await wanted() == []
    claimed = await claim(database, publication_id)
    async with database.write() as tx:
        due = sa.update(tables.publications).values(wanted_at=db_now())
        await tx.execute(due)
    assert await wanted() == []
    async with database.write() as tx:
        await publications.release(tx, claimed, in_seconds=-1)
    assert await wanted() == [publication_id]
    claimed = await claim(database, publication_id, fence=1)
    assert claimed.tries == 1
    async with database.write() as tx:
        gone = sa.update(tables.publications).values(lease_until=seconds_from_now(-1), wanted_at=db_now())
        await tx.execute(gone)
    assert await wanted() == [publication_id]
    await complete(database, claimed)
    assert await wanted() == []
