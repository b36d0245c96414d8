"""Modules: a name, a text and a place in their quiz."""

from uuid import uuid4

import pytest

from schemas.quizzes import Module, ModuleText
from service.errors import NotFound, StateConflict
from service.store import modules
from service.store.database import Database
from tests import factories
from tests.factories import OWNER

TEXT = "Größe \U0001f600\n\n| a | b |"


async def test_modules_keep_their_order_over_several_insertions(database: Database) -> None:
    quiz_id, first = await factories.make_quiz(database, modules_count=2)
    async with database.write() as tx:
        second = await modules.insert(tx, quiz_id, [("Late", "more"), ("Latest", TEXT)])
        assert await modules.ids(tx, quiz_id) == [*first, *second]
        found = await modules.texts(tx, second)
        texts = [found[module_id] for module_id in second]
    assert texts == [
        ModuleText(id=second[0], name="Late", text="more", position=2),
        ModuleText(id=second[1], name="Latest", text=TEXT, position=3),
    ]


async def test_the_characters_of_a_text_are_counted_not_its_bytes(database: Database) -> None:
    quiz_id, _ = await factories.make_quiz(database, modules_count=0)
    async with database.write() as tx:
        [module_id] = await modules.insert(tx, quiz_id, [("One", TEXT)])
        found = await modules.of_quizzes(tx, [quiz_id, uuid4()])
    assert dict(found) == {quiz_id: [Module(id=module_id, name="One", characters=len(TEXT))]}


async def test_a_module_is_read_by_its_owner_through_its_quiz_only(database: Database) -> None:
    quiz_id, [module_id] = await factories.make_quiz(database)
    other_quiz, _ = await factories.make_quiz(database)
    async with database.read() as tx:
        assert (await modules.load(tx, OWNER, quiz_id, module_id)).text == factories.TEXT
        for owner, quiz, module in (
            ("bob", quiz_id, module_id),
            (OWNER, other_quiz, module_id),
            (OWNER, quiz_id, uuid4()),
        ):
            with pytest.raises(NotFound, match=f"^there is no module {module} in quiz {quiz}$"):
                await modules.load(tx, owner, quiz, module)


async def test_merged_modules_are_one_and_later_ones_still_come_behind(database: Database) -> None:
    quiz_id, _ = await factories.make_quiz(database, modules_count=0)
    async with database.write() as tx:
        first, second, third = await modules.insert(tx, quiz_id, [("One", "a"), ("Two", "b"), ("Three", "c")])
        assert await modules.merge(tx, quiz_id, [second, first], None) == first
        [late] = await modules.insert(tx, quiz_id, [("Late", "d")])
        assert await modules.ids(tx, quiz_id) == [first, third, late]
        merged = (await modules.texts(tx, [first]))[first]
    assert (merged.name, merged.text, merged.position) == ("One", "a\n\nb", 0)


async def test_modules_that_were_ordered_from_stay_apart(database: Database) -> None:
    ordered = await factories.make_order(database, 3, 3)
    async with database.write() as tx:
        with pytest.raises(StateConflict, match="once questions were ordered"):
            await modules.merge(tx, ordered.quiz_id, ordered.module_ids, None)
        assert await modules.ids(tx, ordered.quiz_id) == list(ordered.module_ids)


async def test_what_is_left_out_is_not_asked_about_but_still_there(database: Database) -> None:
    quiz_id, (first, second) = await factories.make_quiz(database, modules_count=2)
    async with database.write() as tx:
        await modules.rename(tx, quiz_id, first, "Contents")
        await modules.leave_out(tx, quiz_id, first, is_left_out=True)
        assert await modules.ids(tx, quiz_id) == [second]
        found = (await modules.of_quizzes(tx, [quiz_id]))[quiz_id]
    assert [(module.name, module.is_left_out) for module in found] == [("Contents", True), (found[1].name, False)]


async def test_modules_of_other_quizzes_are_not_merged(database: Database) -> None:
    quiz_id, [first] = await factories.make_quiz(database, modules_count=1)
    _, [foreign] = await factories.make_quiz(database, modules_count=1)
    async with database.write() as tx:
        with pytest.raises(NotFound):
            await modules.merge(tx, quiz_id, [first, foreign], None)
