"""Topics in SQL: wanted once for each owner and text, claimed once, fresh for an hour of the database's time."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from schemas.states import ErrorCode
from schemas.topics import (
    Identification,
    IdentificationClaim,
    IdentificationFailure,
    Topic,
    TopicsUsage,
    WantedIdentification,
)
from service.errors import LeaseLost
from service.store import modules, quizzes, tables, topics
from service.store.database import Database, seconds_from_now
from tests.factories import OWNER

TEXT = "Leaves turn light into sugar. Roots take up water."
LEAVES = Topic(name="Leaves", quote="Leaves turn light into sugar.", start=0, end=29)
ROOTS = Topic(name="Roots", quote="Roots take up water.", start=30, end=50)
FAILURE = IdentificationFailure(code=ErrorCode.PROVIDER_OVERLOADED, message="overloaded")
USAGE = TopicsUsage(llm_calls=2, wasted_calls=1, input_tokens=30, output_tokens=4, cache_read_tokens=5, cost_usd=0.25)


async def make_quiz(database: Database, *texts: str, owner: str = OWNER, language: str = "en") -> UUID:
    async with database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=owner, title="Plants", language=language)
        named = [(f"Module {number}", text) for number, text in enumerate(texts, start=1)]
        if named:
            await modules.insert(tx, quiz_id, named)
    return quiz_id


async def want(database: Database, quiz_id: UUID) -> list[WantedIdentification]:
    """Returns all that the outbox holds then."""
    async with database.write() as tx:
        await topics.want(tx, quiz_id)
    return await wanted(database)


async def wanted(database: Database) -> list[WantedIdentification]:
    async with database.read() as tx:
        return await topics.wanted(tx, limit=10)


async def claim(
    database: Database, one: WantedIdentification, *, lease_seconds: float = 60
) -> IdentificationClaim | None:
    async with database.write() as tx:
        return await topics.claim(tx, one.identification_id, one.fence, lease_seconds=lease_seconds)


async def claimed(database: Database, quiz_id: UUID, *, lease_seconds: float = 60) -> IdentificationClaim:
    [one] = await want(database, quiz_id)
    taken = await claim(database, one, lease_seconds=lease_seconds)
    assert taken is not None
    return taken


async def keep(database: Database, taken: IdentificationClaim, *found: Topic) -> None:
    async with database.write() as tx:
        await topics.keep(tx, taken, found, USAGE)


async def of_quiz(database: Database, quiz_id: UUID) -> list[Identification]:
    async with database.read() as tx:
        return await topics.of_quiz(tx, quiz_id)


async def change(database: Database, **values: Any) -> None:
    async with database.write() as tx:
        await tx.execute(sa.update(tables.topics).values(**values))


async def test_each_text_of_a_quiz_is_wanted_once_however_often_it_is_asked_for(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT, "Bark keeps the trunk from drying out.", TEXT)
    first = await want(database, quiz_id)
    assert len(first) == 2
    assert await want(database, quiz_id) == first
    found = await of_quiz(database, quiz_id)
    assert [one.module_name for one in found] == ["Module 1", "Module 2", "Module 3"]
    assert found[0].identification_id == found[2].identification_id != found[1].identification_id
    assert all(one.is_wanted and not one.is_fresh and one.topics == () for one in found)


async def test_many_who_ask_at_once_want_it_once(database: Database, other_database: Database) -> None:
    quiz_ids = [await make_quiz(database, TEXT, "Bark.") for _ in range(4)]
    await asyncio.gather(*(want(where, quiz_id) for quiz_id in quiz_ids for where in (database, other_database)))
    assert len(await wanted(database)) == 2


async def test_a_quiz_without_modules_wants_nothing(database: Database) -> None:
    quiz_id = await make_quiz(database)
    assert await want(database, quiz_id) == []
    assert await of_quiz(database, quiz_id) == []


async def test_one_worker_claims_it_and_knows_all_it_needs(database: Database) -> None:
    [one] = await want(database, await make_quiz(database, TEXT))
    taken = await claim(database, one)
    assert taken is not None
    assert (taken.owner, taken.module_name, taken.text, taken.language) == (OWNER, "Module 1", TEXT, "en")
    assert (taken.fence, taken.tries) == (one.fence + 1, 1)
    assert await claim(database, one) is None
    assert await claim(database, one.model_copy(update={"fence": taken.fence})) is None
    assert await wanted(database) == []


async def test_what_was_kept_is_fresh_for_an_hour_also_for_another_quiz_of_the_owner(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT)
    await keep(database, await claimed(database, quiz_id), LEAVES, ROOTS)
    other = await make_quiz(database, TEXT)
    assert await want(database, other) == []
    for one in (*await of_quiz(database, quiz_id), *await of_quiz(database, other)):
        assert (one.topics, one.is_fresh, one.is_wanted, one.spent) == ((LEAVES, ROOTS), True, False, USAGE)

    await change(database, identified_at=seconds_from_now(-3599))
    assert await want(database, other) == []
    await change(database, identified_at=seconds_from_now(-3600))
    [old] = await of_quiz(database, other)
    assert (old.topics, old.is_fresh) == ((LEAVES, ROOTS), False)
    assert len(await want(database, other)) == 1


@pytest.mark.parametrize("changes", [{"owner": "bob"}, {"language": "fi"}])
async def test_topics_are_of_one_owner_and_language_only(database: Database, changes: dict[str, str]) -> None:
    await keep(database, await claimed(database, await make_quiz(database, TEXT)), LEAVES)
    other = await make_quiz(database, TEXT, **changes)
    [one] = await of_quiz(database, other)
    assert (one.identification_id, one.topics, one.spent) == (None, (), TopicsUsage())
    async with database.read() as tx:
        assert await topics.names(tx, [other]) == {}
        assert await topics.of_modules(tx, [one.module_id]) == {}
    assert len(await want(database, other)) == 1


async def test_topics_of_an_older_method_do_not_count(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT)
    await keep(database, await claimed(database, quiz_id), LEAVES)
    await change(database, method=topics.METHOD - 1)
    assert [one.topics for one in await of_quiz(database, quiz_id)] == [()]
    assert len(await want(database, quiz_id)) == 1


async def test_a_module_has_its_topics_and_a_quiz_their_names(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT, "Bark.")
    taken = [await claim(database, one) for one in await want(database, quiz_id)]
    [leaves] = [one for one in taken if one and one.text == TEXT]
    await keep(database, leaves, LEAVES, ROOTS)
    await change(database, identified_at=sa.case((tables.topics.c.topics.is_not(None), seconds_from_now(-90_000))))
    async with database.read() as tx:
        with_topics, without = (await quizzes.load(tx, OWNER, quiz_id)).modules
        assert (with_topics.topics, without.topics) == (("Leaves", "Roots"), ())
        found = await topics.of_modules(tx, [with_topics.id, without.id])
        assert found == {with_topics.id: (LEAVES, ROOTS), without.id: ()}


async def test_a_text_that_has_no_topics_is_remembered_too(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT)
    await keep(database, await claimed(database, quiz_id))
    [one] = await of_quiz(database, quiz_id)
    assert (one.topics, one.is_fresh) == ((), True)
    assert await want(database, quiz_id) == []


async def test_a_failure_is_told_until_it_is_wanted_again_and_keeps_what_was_there(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT)
    await keep(database, await claimed(database, quiz_id), LEAVES)
    await change(database, identified_at=seconds_from_now(-3600))
    taken = await claimed(database, quiz_id)
    async with database.write() as tx:
        await topics.fail(tx, taken, FAILURE, USAGE)
    [one] = await of_quiz(database, quiz_id)
    assert (one.failure, one.is_wanted, one.is_fresh, one.topics) == (FAILURE, False, False, (LEAVES,))
    assert (one.spent.llm_calls, one.spent.cost_usd) == (4, 0.5)
    assert len(await want(database, quiz_id)) == 1
    assert (await of_quiz(database, quiz_id))[0].failure is None


async def test_a_claim_that_was_not_renewed_is_taken_over_and_worth_nothing_then(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT)
    late = await claimed(database, quiz_id, lease_seconds=-1)
    [again] = await wanted(database)
    assert again.fence == late.fence
    new = await claim(database, again)
    assert new is not None
    assert (new.fence, new.tries) == (late.fence + 1, 2)
    for step in (
        lambda tx: topics.renew(tx, late, lease_seconds=60),
        lambda tx: topics.keep(tx, late, [LEAVES], USAGE),
        lambda tx: topics.fail(tx, late, FAILURE, USAGE),
        lambda tx: topics.release(tx, late, USAGE),
    ):
        with pytest.raises(LeaseLost, match='the topics of the module "Module 1" are in other hands'):
            async with database.write() as tx:
                await step(tx)
    await keep(database, new, ROOTS)
    assert (await of_quiz(database, quiz_id))[0].topics == (ROOTS,)


async def test_a_claim_that_is_renewed_stays(database: Database) -> None:
    taken = await claimed(database, await make_quiz(database, TEXT), lease_seconds=-1)
    async with database.write() as tx:
        await topics.renew(tx, taken, lease_seconds=60)
    assert await wanted(database) == []


async def test_what_is_released_is_wanted_at_once_and_its_try_does_not_count(database: Database) -> None:
    quiz_id = await make_quiz(database, TEXT)
    taken = await claimed(database, quiz_id)
    async with database.write() as tx:
        await topics.release(tx, taken, USAGE)
    [again] = await wanted(database)
    new = await claim(database, again)
    assert new is not None
    assert new.tries == 1
    assert (await of_quiz(database, quiz_id))[0].spent == USAGE


async def test_what_was_put_into_the_queue_is_looked_for_again_after_a_while(database: Database) -> None:
    queued = await want(database, await make_quiz(database, TEXT))
    for seconds, left in ((0, queued), (3600, [])):
        async with database.write() as tx:
            await topics.look_again(tx, queued, in_seconds=seconds)
        assert await wanted(database) == left
