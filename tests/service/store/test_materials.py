"""Uploaded files on their way to becoming modules."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa

from schemas.states import FailureReason, MaterialState
from service.store import materials, modules, quizzes, tables
from service.store.database import Database, Tx
from tests import factories

FILES = (("notes.md", b"\x00\xff raw"), ("chapter.html", b"<p>text</p>"))


async def upload(database: Database, files: tuple[tuple[str, bytes], ...] = FILES) -> UUID:
    quiz_id, _ = await factories.make_quiz(database, modules_count=0)
    async with database.write() as tx:
        await materials.insert(tx, quiz_id, files)
    return quiz_id


async def waiting_ids(database: Database, quiz_id: UUID) -> list[UUID]:
    async with database.read() as tx:
        return [material.id for material in await materials.waiting(tx, quiz_id, limit=10)]


async def wanted(database: Database) -> list[UUID]:
    async with database.read() as tx:
        return await materials.wanted(tx, limit=10)


async def test_files_wait_in_the_order_of_their_upload(database: Database) -> None:
    quiz_id = await upload(database)
    async with database.write() as tx:
        await materials.insert(tx, quiz_id, [("late.txt", b"late")])
        found = await materials.waiting(tx, quiz_id, limit=10)
        assert len(await materials.waiting(tx, quiz_id, limit=2)) == 2
    assert [(material.name, material.content) for material in found] == [*FILES, ("late.txt", b"late")]


async def test_a_quiz_with_waiting_files_is_wanted_in_the_queue_once(database: Database) -> None:
    quiz_id = await upload(database)
    assert await wanted(database) == [quiz_id]
    async with database.write() as tx:
        await materials.look_again(tx, [quiz_id], in_seconds=0)
    assert await wanted(database) == [quiz_id]
    async with database.write() as tx:
        await materials.look_again(tx, [quiz_id], in_seconds=3600)
    assert await wanted(database) == []


async def test_every_try_of_a_file_is_counted_and_keeps_others_away_meanwhile(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        assert await materials.are_waiting(tx, quiz_id)
        assert await begin(tx, material_id, seconds_max=3600) == 1
        assert await begin(tx, material_id, seconds_max=3600) is None, "someone has begun with it"
        await materials.look_again(tx, [quiz_id], in_seconds=0)
    assert await wanted(database) == [], "putting it into the queue does not take it from who has begun"


async def test_a_file_whose_worker_is_gone_is_begun_again_and_the_late_one_changes_nothing(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        assert await begin(tx, material_id, seconds_max=0) == 1
    assert await wanted(database) == [quiz_id], "whoever tried it may have died"
    async with database.write() as tx:
        assert await begin(tx, material_id, seconds_max=60) == 2
        assert not await materials.mark_extracted(tx, material_id, tries=1)
        failed = materials.mark_failed(tx, quiz_id, material_id, FailureReason.EXTRACTION_FAILED, "late", tries=1)
        assert not await failed
        assert await materials.mark_extracted(tx, material_id, tries=2)
        assert await begin(tx, material_id, seconds_max=60) is None
        assert not await materials.are_waiting(tx, quiz_id)


async def begin(tx: Tx, material_id: UUID, *, seconds_max: float) -> int | None:
    return await materials.begin(tx, material_id, seconds_max=seconds_max, queued_seconds_max=5)


async def test_an_extracted_file_is_used_once_and_its_bytes_are_let_go(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        assert await materials.mark_extracted(tx, material_id, tries=0)
        assert not await materials.mark_extracted(tx, material_id, tries=0)
        [row] = (await tx.execute(sa.select(tables.materials))).all()
        await materials.look_again(tx, [quiz_id], in_seconds=0)
    assert (row.state, row.content, row.wanted_at) == (MaterialState.EXTRACTED, b"", None)
    assert await wanted(database) == [], "what is done is not wanted again"
    assert await waiting_ids(database, quiz_id) == []


async def test_an_unreadable_file_fails_once_and_says_why(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    reason = FailureReason.EXTRACTION_FAILED
    async with database.write() as tx:
        assert await materials.mark_failed(tx, quiz_id, material_id, reason, "no text in it", tries=0)
        assert not await materials.mark_failed(tx, quiz_id, material_id, reason, "again", tries=0)
        assert not await materials.mark_extracted(tx, material_id, tries=0)
        [row] = (await tx.execute(sa.select(tables.materials))).all()
        [quiz] = (await tx.execute(sa.select(tables.quizzes))).all()
    assert (row.state, row.error_message) == (MaterialState.FAILED, "no text in it")
    assert quiz.failure_reason == reason


@pytest.mark.parametrize("runs", [2, 20])
async def test_of_several_runs_of_the_job_one_enters_the_modules(
    database: Database, other_database: Database, runs: int
) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)

    async def enter(store: Database) -> None:
        async with store.write() as tx:
            await quizzes.lock(tx, quiz_id)
            if await materials.mark_extracted(tx, material_id, tries=0):
                await modules.insert(tx, quiz_id, [("One", "text"), ("Two", "text")])

    stores = (database, other_database)
    await asyncio.gather(*(enter(stores[number % 2]) for number in range(runs)))
    async with database.read() as tx:
        assert len(await modules.ids(tx, quiz_id)) == 2


async def test_telling_how_far_a_reading_is_keeps_others_away_until_someone_else_has_begun(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        assert await begin(tx, material_id, seconds_max=0) == 1
        assert await materials.go_on(tx, material_id, tries=1, place=(1, 9), seconds_max=3600)
        assert await begin(tx, material_id, seconds_max=0) is None
        assert await materials.go_on(tx, material_id, tries=1, place=(2, 9), seconds_max=0)
        assert await begin(tx, material_id, seconds_max=0) == 2
        assert not await materials.go_on(tx, material_id, tries=1, place=(3, 9), seconds_max=0)
        [report] = await materials.reports(tx, quiz_id)
    assert (report.page, report.pages, report.status) == (2, 9, MaterialState.WAITING)


async def test_a_file_that_is_let_go_of_is_wanted_at_once_and_has_lost_no_try(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        assert await begin(tx, material_id, seconds_max=3600) == 1
    assert await wanted(database) == []
    async with database.write() as tx:
        await materials.release(tx, material_id, tries=1)
    assert await wanted(database) == [quiz_id]
    async with database.write() as tx:
        assert await begin(tx, material_id, seconds_max=0) == 1


async def test_what_pictures_have_cost_is_added_up(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        await materials.spend(tx, material_id, input_tokens=10, output_tokens=5, cost_usd=0.25)
        await materials.spend(tx, material_id, input_tokens=10, output_tokens=5, cost_usd=None)
        [report] = await materials.reports(tx, quiz_id)
        row = (await tx.execute(sa.select(tables.materials))).one()
    assert (report.llm_calls, report.cost_usd) == (2, 0.25)
    assert (row.input_tokens, row.output_tokens) == (20, 10)


async def test_an_extracted_file_can_say_what_was_left_out(database: Database) -> None:
    quiz_id = await upload(database, FILES[:1])
    [material_id] = await waiting_ids(database, quiz_id)
    async with database.write() as tx:
        assert await materials.mark_extracted(tx, material_id, tries=0, message="page 2 was left out")
        [report] = await materials.reports(tx, quiz_id)
    assert (report.name, report.status, report.message) == ("notes.md", MaterialState.EXTRACTED, "page 2 was left out")
