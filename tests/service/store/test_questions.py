"""Questions: held ones are invisible to readers, saved ones come in order and once."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from schemas.holdings import Holding
from schemas.plans import Claim
from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    Question,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
    preview_of,
)
from schemas.states import CognitiveLevel, QuestionType, Review
from service.errors import BadRequest
from service.rules import balance
from service.store import control, cursors, questions, steps, tables
from service.store.database import Database
from tests import factories
from tests.factories import LEASE_SECONDS, SPENT, Ordered

CONTENTS: dict[QuestionType, Content] = {
    QuestionType.MULTIPLE_CHOICE: MultipleChoice(stem='"Größe" \U0001f600?', options=("é", "<b>", "3"), answer=2),
    QuestionType.MULTIPLE_RESPONSE: MultipleResponse(stem="What?", options=("é", "<b>", "3"), answers=(0, 2)),
    QuestionType.TRUE_FALSE: TrueFalse(stem="Leaves make sugar.", answer=False),
    QuestionType.FILL_IN_BLANK: FillInBlank(stem="Leaves make ____.", answers=("sugar", "glucose")),
    QuestionType.SHORT_ANSWER: ShortAnswer(stem="What do leaves make?", answers=("sugar",)),
    QuestionType.MATCHING: Matching(
        stem="Match.",
        pairs=(Pair(left="leaf", right="grün"), Pair(left="sky", right="blau"), Pair(left="snow", right="\U0001f600")),
        extra_rights=("red",),
    ),
    QuestionType.NUMERIC: Numeric(stem="How many?", answer=-0.83, tolerance=1e-9),
    QuestionType.FLASHCARD: Flashcard(front="Leaves?", back="They make sugar."),
    QuestionType.VOCABULARY: Vocabulary(term="leaf", definition="an organ", example="A leaf falls."),
}
assert set(CONTENTS) == set(QuestionType), "every question type is stored once here"


async def pages(
    database: Database, ordered: Ordered, *, limit: int, batch_id: UUID | None = None, review: Review | None = None
) -> list[tuple[Question, ...]]:
    """Every page, by following the cursors."""
    found, cursor = [], None
    for _ in range(100):
        async with database.read() as tx:
            page = await questions.page(
                tx, ordered.generation_id, batch_id=batch_id, review=review, limit=limit, cursor=cursor
            )
        found.append(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


async def of_quiz(database: Database, quiz_id: UUID, *, review: Review | None = None) -> list[Question]:
    async with database.read() as tx:
        return await questions.of_quiz(tx, quiz_id, review=review, limit=1000)


async def approve(database: Database, question: Question) -> None:
    changed = sa.update(tables.questions).where(tables.questions.c.id == question.id)
    async with database.write() as tx:
        await tx.execute(changed.values(review=Review.APPROVED))


async def test_held_questions_are_invisible_until_their_batch_is_completed(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    claims = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    for claimed in claims:
        await factories.hold(database, claimed, 2)
    assert await pages(database, ordered, limit=10) == [()]
    assert await of_quiz(database, ordered.quiz_id) == []

    await factories.complete(database, claims[0])

    [visible] = await pages(database, ordered, limit=10)
    assert {question.batch_id for question in visible} == {claims[0].batch_id}
    assert len(visible) == 2
    assert await of_quiz(database, ordered.quiz_id) == list(visible)
    await factories.fail(database, claims[1])
    assert await pages(database, ordered, limit=10) == [visible], "what a failed batch holds stays invisible"
    assert await pages(database, ordered, limit=10, batch_id=claims[1].batch_id) == [()]


@pytest.mark.parametrize("question_type", CONTENTS)
async def test_a_question_of_every_type_is_read_as_it_was_held(database: Database, question_type: QuestionType) -> None:
    ordered = await factories.make_order(database, 1, question_type=question_type)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    sound = factories.sound_question(claimed.module_id).model_copy(update={"content": CONTENTS[question_type]})
    async with database.write() as tx:
        await steps.enter(tx, claimed)
        await steps.hold(tx, [Holding(claimed, [sound], [])], lease_seconds=LEASE_SECONDS)
        [entered] = await questions.entered(tx, ordered.quiz_id, after=0)
        assert (entered.question_type, entered.preview) == (question_type, preview_of(sound.content))
        await steps.complete(tx, [(claimed, SPENT)])

    [question] = await factories.saved_questions(database, ordered)

    assert question.content == CONTENTS[question_type]
    assert question.evidence == sound.evidence
    assert (question.explanation, question.tags, question.flaws) == (sound.explanation, sound.tags, sound.flaws)
    assert (question.quality, question.cognitive_level) == (0.75, CognitiveLevel.UNDERSTAND)
    assert (question.review, question.version) == (Review.UNREVIEWED, 1)
    assert (question.quiz_id, question.generation_id) == (ordered.quiz_id, ordered.generation_id)
    assert (question.batch_id, question.batch_key) == (claimed.batch_id, claimed.batch_key)
    assert (question.module_id, question.module_name) == (claimed.module_id, "Module 1")
    assert question.question_type is question_type


async def hold_statements(database: Database, claimed: Claim, answers: list[bool]) -> None:
    sound = [
        factories.sound_question(claimed.module_id).model_copy(update={"content": TrueFalse(stem="So.", answer=answer)})
        for answer in answers
    ]
    async with database.write() as tx:
        await steps.enter(tx, claimed)
        await steps.hold(tx, [Holding(claimed, sound, [])], lease_seconds=LEASE_SECONDS)


@pytest.mark.parametrize(
    ("true", "marked"), [(9, [balance.TRUE_FALSE] * 9 + [None]), (5, [None] * 10), (0, [balance.TRUE_FALSE] * 10)]
)
async def test_a_saved_batch_whose_answers_can_be_guessed_is_marked(
    database: Database, true: int, marked: list[str | None]
) -> None:
    ordered = await factories.make_order(database, 10, question_type=QuestionType.TRUE_FALSE)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await hold_statements(database, claimed, [True] * true + [False] * (10 - true))
    await factories.complete(database, claimed)
    found = await factories.saved_questions(database, ordered)
    assert [question.flaws for question in found] == [("key_is_longest", *([flaw] if flaw else [])) for flaw in marked]
    assert {question.quality for question in found} == {0.75}, "a question is none the worse for its neighbours"


async def test_a_failed_batch_that_is_accepted_is_marked_as_well(database: Database) -> None:
    ordered = await factories.make_order(database, 20, question_type=QuestionType.TRUE_FALSE)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    await hold_statements(database, claimed, [True] * 10)
    await factories.fail(database, claimed)
    async with database.write() as tx:
        await control.accept(tx, factories.OWNER, claimed.batch_id)
    assert {question.flaws for question in await factories.saved_questions(database, ordered)} == {
        ("key_is_longest", balance.TRUE_FALSE)
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
async def test_following_the_cursors_shows_every_question_once_in_the_order_of_the_batches(
    database: Database, limit: int
) -> None:
    ordered = await factories.make_order(database, 3, 2)
    held = {}
    for batch_id in reversed(ordered.batch_ids):
        claimed = await factories.claim(database, batch_id)
        held[batch_id] = await factories.hold(database, claimed, claimed.target_count)
        await factories.complete(database, claimed)
    found = await pages(database, ordered, limit=limit)
    assert all(len(page) == limit for page in found[:-1])
    assert [question.content for page in found for question in page] == [
        sound.content for batch_id in ordered.batch_ids for sound in held[batch_id]
    ]


@pytest.mark.parametrize("cursor", ["forged", "A" * 5000, cursors.encode_places(1), cursors.encode_places(1, 2, 3)])
async def test_a_forged_cursor_is_refused(database: Database, cursor: str) -> None:
    async with database.read() as tx:
        with pytest.raises(BadRequest):
            await questions.page(tx, uuid4(), batch_id=None, review=None, limit=1, cursor=cursor)


async def test_a_cursor_far_behind_the_end_shows_nothing(database: Database) -> None:
    ordered = await factories.make_partial(database)
    cursor = cursors.encode_places(10**17 - 1, 10**17 - 1)
    async with database.read() as tx:
        found = await questions.page(tx, ordered.generation_id, batch_id=None, review=None, limit=5, cursor=cursor)
    assert (found.items, found.next_cursor) == ((), None)


async def test_a_list_can_be_narrowed_by_batch_and_review(database: Database) -> None:
    ordered = await factories.make_order(database, 2, 3)
    for batch_id in ordered.batch_ids:
        await factories.complete(database, await factories.claim(database, batch_id))
    [second] = await pages(database, ordered, limit=10, batch_id=ordered.batch_ids[1])
    assert len(second) == 3
    await approve(database, second[1])
    [approved] = await pages(database, ordered, limit=10, review=Review.APPROVED)
    assert [question.id for question in approved] == [second[1].id]
    assert [question.id for question in await of_quiz(database, ordered.quiz_id, review=Review.APPROVED)] == [
        second[1].id
    ]
    assert len(await of_quiz(database, ordered.quiz_id, review=Review.UNREVIEWED)) == 4


async def test_questions_of_a_quiz_come_order_by_order(database: Database) -> None:
    first = await factories.make_order(database, 2)
    await factories.backdate(database, first, 60)
    second = await factories.make_order(database, 3, on=first)
    for ordered in (second, first):
        await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    found = await of_quiz(database, first.quiz_id)
    assert [question.generation_id for question in found] == [first.generation_id] * 2 + [second.generation_id] * 3


async def test_the_bank_knows_held_and_saved_questions_of_the_whole_quiz(database: Database) -> None:
    first = await factories.make_order(database, 2, 3)
    second = await factories.make_order(database, 4, 5, on=first)
    stranger = await factories.make_order(database, 1)
    await factories.complete(database, await factories.claim(database, stranger.batch_ids[0]))
    done = await factories.claim(database, first.batch_ids[0])
    others = await factories.hold(database, done, 2)
    await factories.complete(database, done)
    working = await factories.claim(database, second.batch_ids[0])
    own = await factories.hold(database, working, 1)
    async with database.read() as tx:
        bank = await questions.entered(tx, first.quiz_id, after=0)
    assert [(entered.batch_id, entered.fingerprint) for entered in bank] == [
        *((done.batch_id, sound.fingerprint) for sound in others),
        *((working.batch_id, sound.fingerprint) for sound in own),
    ]

    later = await factories.hold(database, working, 2)

    async with database.read() as tx:
        grown = await questions.entered(tx, first.quiz_id, after=bank[-1].number)
        same = await questions.entered(tx, first.quiz_id, after=grown[-1].number)
    assert [entered.fingerprint for entered in grown] == [sound.fingerprint for sound in later]
    assert grown[0].number > bank[-1].number
    assert same == []


async def test_the_slots_of_a_batch_are_filled_in_order_over_several_holds(database: Database) -> None:
    ordered = await factories.make_order(database, 4)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    for how_many in (1, 2, 1):
        await factories.hold(database, claimed, how_many)
    found = sa.select(tables.questions.c.slot, tables.questions.c.fence).order_by(tables.questions.c.number)
    async with database.read() as tx:
        rows = (await tx.execute(found)).all()
    assert [tuple(row) for row in rows] == [(slot, claimed.fence) for slot in range(4)]
