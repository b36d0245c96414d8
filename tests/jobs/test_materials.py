"""Uploaded files become modules, once each."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from jobs import materials, reader
from jobs.recovery import sweep
from schemas.materials import ExtractedModule, Reading
from schemas.quizzes import Extraction, Quiz
from service.queue import EXTRACT
from service.store import materials as material_rows
from service.store import modules, quizzes
from tests.documents import with_part, word
from tests.factories import OWNER
from tests.scripted import Gate, ScriptedProvider
from tests.workbench import Workbench, eventually, troubled

LEAVES = b"# Leaves\n\nLeaves turn light into sugar, and they do so in their chloroplasts all day long.\n"
NOISE = b"\xff\xfe\x00\x01"
ROOTS = b"# Roots\n\nRoots take up water and minerals, and they hold the plant in the ground for years.\n"


async def upload(bench: Workbench, *files: tuple[str, bytes]) -> UUID:
    async with bench.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=OWNER, title="Plants", language="en")
        await material_rows.insert(tx, quiz_id, files)
    return quiz_id


async def load(bench: Workbench, quiz_id: UUID) -> Quiz:
    async with bench.database.read() as tx:
        return await quizzes.load(tx, OWNER, quiz_id)


async def extract(bench: Workbench, quiz_id: UUID) -> None:
    workshop = bench.workshop(ScriptedProvider())
    await materials.extract_materials({"workshop": workshop, "job_id": f"extract:{quiz_id}"}, str(quiz_id))


async def test_files_become_modules_in_their_order(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("leaves.md", LEAVES), ("roots.md", ROOTS))
    assert (await load(bench, quiz_id)).status == "extracting_content"
    await extract(bench, quiz_id)
    quiz = await load(bench, quiz_id)
    assert [module.name for module in quiz.modules] == ["Leaves", "Roots"]
    assert (quiz.status, quiz.failure_reason, quiz.extraction) == ("created", None, None)
    async with bench.database.read() as tx:
        assert "chloroplasts" in (await modules.texts(tx, [quiz.modules[0].id]))[quiz.modules[0].id].text


async def test_a_job_that_runs_twice_makes_each_module_once(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("leaves.md", LEAVES), ("roots.md", ROOTS))
    await asyncio.gather(*(extract(bench, quiz_id) for _ in range(3)))
    await extract(bench, quiz_id)
    assert sorted(module.name for module in (await load(bench, quiz_id)).modules) == ["Leaves", "Roots"]


async def test_a_slow_second_run_finds_nothing_left_to_enter(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    slow = bench.workshop(ScriptedProvider())
    gate = troubled(slow).write_gate = Gate()
    troubled(slow).passing = 1
    running = asyncio.create_task(
        materials.extract_materials({"workshop": slow, "job_id": f"extract:{quiz_id}"}, str(quiz_id))
    )
    await gate.reached.wait()
    await extract(bench, quiz_id)
    gate.opened.set()
    await running
    assert len((await load(bench, quiz_id)).modules) == 1


async def test_an_unreadable_file_fails_the_quiz_with_its_reason(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("noise.md", NOISE))
    await extract(bench, quiz_id)
    quiz = await load(bench, quiz_id)
    assert (quiz.status, quiz.failure_reason) == ("failed", "extraction_failed")
    async with bench.database.read() as tx:
        assert await material_rows.waiting(tx, quiz_id, limit=10) == []
        assert await material_rows.wanted(tx, limit=10) == []


async def test_an_unreadable_file_among_others_does_not_take_them_along(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("noise.md", NOISE), ("leaves.md", LEAVES))
    await extract(bench, quiz_id)
    quiz = await load(bench, quiz_id)
    assert [module.name for module in quiz.modules] == ["Leaves"]
    assert (quiz.status, quiz.extraction) == ("created", None)


async def test_a_file_over_which_worker_after_worker_dies_is_given_up(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    async with bench.database.read() as tx:
        [file] = await material_rows.waiting(tx, quiz_id, limit=10)
    for _ in range(materials.TRIES_MAX):
        async with bench.database.write() as tx:
            await material_rows.begin(tx, file.id, seconds_max=0, queued_seconds_max=5)
    await extract(bench, quiz_id)
    quiz = await load(bench, quiz_id)
    assert (quiz.status, quiz.failure_reason) == ("failed", "extraction_failed")


async def test_a_file_that_breaks_the_extraction_fails_the_quiz_instead_of_coming_back_for_ever(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_name: str, _content: bytes, **_: object) -> Reading:
        raise RecursionError("nobody foresaw this")

    # No file is known that does this.
    monkeypatch.setattr(reader, "read", broken)
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    with capture_logs() as logs:
        await extract(bench, quiz_id)
    quiz = await load(bench, quiz_id)
    assert (quiz.status, quiz.failure_reason) == ("failed", "extraction_failed")
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["material broke the extraction"]


async def test_a_quiz_without_waiting_files_is_left_alone(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    await extract(bench, quiz_id)
    before = await load(bench, quiz_id)
    await extract(bench, quiz_id)
    assert await load(bench, quiz_id) == before


async def test_an_extraction_is_put_into_the_queue_by_the_sweep(bench: Workbench) -> None:
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    await sweep(bench.workshop(ScriptedProvider()))
    assert await bench.queued() == [f"extract:{quiz_id}"]
    assert materials.extract_materials.__name__ == EXTRACT


async def test_reading_a_file_does_not_hold_up_the_worker(bench: Workbench) -> None:
    big = b"\n\n".join(b"# Chapter %d\n\nWords about it, again and again. " % number for number in range(3000))
    quiz_id = await upload(bench, ("big.md", big))
    extracting = asyncio.create_task(extract(bench, quiz_id))
    turns = 0

    def is_done() -> bool:
        nonlocal turns
        turns += 1
        return extracting.done()

    await eventually(is_done)
    assert turns > 2
    await extracting


async def test_how_far_the_reading_is_can_be_seen(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()

    async def slowly(*_: object, tell: Callable[[int, int], None], **__: object) -> Reading:
        tell(3, 12)
        await gate.opened.wait()
        return Reading(modules=(ExtractedModule(name="Leaves", text="They are green."),))

    # A real file is read too fast to be looked at.
    monkeypatch.setattr(reader, "read", slowly)
    quiz_id = await upload(bench, ("leaves.pdf", b"%PDF-"))
    extracting = asyncio.create_task(extract(bench, quiz_id))

    async def is_told() -> bool:
        return (await load(bench, quiz_id)).extraction == Extraction(file="leaves.pdf", page=3, pages=12)

    await eventually(is_told)
    await extract(bench, quiz_id)  # another worker finds it taken
    assert (await load(bench, quiz_id)).modules == ()
    gate.opened.set()
    await extracting
    assert [module.name for module in (await load(bench, quiz_id)).modules] == ["Leaves"]


async def test_a_worker_that_stops_lets_go_of_its_file_at_once(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    async def endless(*_: object, **__: object) -> Reading:
        gate.reached.set()
        await gate.opened.wait()
        raise AssertionError("it is cancelled")

    # A real file is read too fast to be interrupted.
    monkeypatch.setattr(reader, "read", endless)
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    extracting = asyncio.create_task(extract(bench, quiz_id))
    await gate.reached.wait()
    async with bench.database.read() as tx:
        assert await material_rows.wanted(tx, limit=10) == []
    extracting.cancel()
    await asyncio.gather(extracting, return_exceptions=True)
    monkeypatch.undo()
    async with bench.database.read() as tx:
        assert await material_rows.wanted(tx, limit=10) == [quiz_id]
    await extract(bench, quiz_id)
    assert len((await load(bench, quiz_id)).modules) == 1


async def test_a_worker_that_stops_in_good_order_ends_the_job_without_a_complaint(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    async def endless(*_: object, **__: object) -> Reading:
        gate.reached.set()
        await gate.opened.wait()
        raise AssertionError("it is cancelled")

    # A real file is read too fast to be interrupted.
    monkeypatch.setattr(reader, "read", endless)
    quiz_id = await upload(bench, ("leaves.md", LEAVES))
    workshop = bench.workshop(ScriptedProvider())
    extracting = asyncio.create_task(materials.extract_materials({"workshop": workshop}, str(quiz_id)))
    await gate.reached.wait()
    await workshop.stop(grace_seconds=0)
    await extracting
    async with bench.database.read() as tx:
        assert await material_rows.wanted(tx, limit=10) == [quiz_id]


async def test_a_file_that_is_added_while_another_is_read_is_read_too(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reader.read
    quiz_id = await upload(bench, ("leaves.md", LEAVES))

    async def read_and_add(name: str, content: bytes, **rest: Any) -> Reading:
        if name == "leaves.md":
            async with bench.database.write() as tx:
                await material_rows.insert(tx, quiz_id, [("roots.md", ROOTS)])
        return await read(name, content, **rest)

    # The moment between the look for files and the end of the first.
    monkeypatch.setattr(reader, "read", read_and_add)
    await extract(bench, quiz_id)
    assert [module.name for module in (await load(bench, quiz_id)).modules] == ["Leaves", "Roots"]


async def test_a_file_made_to_hurt_takes_neither_the_worker_nor_the_other_files_along(bench: Workbench) -> None:
    bomb = with_part(word(("Normal", "Leaves.")), "word/media/zeros.bin", bytes(200 * 1024 * 1024))
    quiz_id = await upload(bench, ("bomb.docx", bomb), ("leaves.md", LEAVES))
    await extract(bench, quiz_id)
    assert [module.name for module in (await load(bench, quiz_id)).modules] == ["Leaves"]
    async with bench.database.read() as tx:
        bad, good = await material_rows.reports(tx, quiz_id)
    assert (bad.status, bad.message) == ("failed", "bomb.docx can't be read: it unpacks to more than 100 MB")
    assert (good.status, good.message) == ("extracted", None)
