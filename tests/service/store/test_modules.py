"""Modules: a name, a text and a place in their quiz."""

from uuid import uuid4

import pytest

from schemas.quizzes import Module, ModuleText
from service.errors import NotFound
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
