"""The offline provider: honest about what it can't do, the same every time, and never in the way of its loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

import pytest

from jobs import checks
from jobs.extraction import extract
from jobs.providers.base import Request, Source, SourceExhausted, Unreadable
from jobs.providers.offline import OfflineProvider
from schemas.questions import Draft, Fingerprint, preview_of
from schemas.states import Difficulty, QuestionType

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODULE_ID = UUID(int=7)
MC, CLOZE, CARD = QuestionType.MULTIPLE_CHOICE, QuestionType.FILL_IN_BLANK, QuestionType.FLASHCARD
TICKS_MIN = 20
# These take three or four definitions each, and a number is rarer than a term.
YIELD_MIN = {QuestionType.MULTIPLE_RESPONSE: 5, QuestionType.MATCHING: 5, QuestionType.NUMERIC: 12}
SENTENCE = "A granum is a stack of thylakoids that resembles a pile of coins."


@pytest.fixture
async def provider() -> AsyncIterator[OfflineProvider]:
    provider = OfflineProvider()
    yield provider
    await provider.close()


@pytest.fixture(scope="session")
def networks() -> str:
    return (FIXTURES / "rechnernetze.md").read_text(encoding="utf-8")


def source(text: str, language: str = "en") -> Source:
    return Source(module_id=MODULE_ID, name="Leaves", text=text, language=language)


def request(text: str, question_type: QuestionType = MC, *, language: str = "en", count: int = 20) -> Request:
    return Request(source=source(text, language), question_type=question_type, difficulty=None, count=count)


async def answers(provider: OfflineProvider, asked: Request) -> tuple[list[Draft], str]:
    """The drafts, and the sentence with which they end."""
    drafts: list[Draft] = []
    try:
        async for answer in provider.ask(asked):
            assert not isinstance(answer, Unreadable)
            if isinstance(answer, Draft):
                drafts.append(answer)
    except SourceExhausted as ended:
        return drafts, str(ended)
    pytest.fail("the provider ended without saying that the module is exhausted")


async def first_stems(provider: OfflineProvider, asked: Request, count: int = 5) -> list[str]:
    stems: list[str] = []
    async with aclosing(provider.ask(asked)) as answering:
        async for answer in answering:
            if isinstance(answer, Draft):
                stems.append(preview_of(answer.content))
            if len(stems) == count:
                break
    return stems


async def sound_count(provider: OfflineProvider, asked: Request) -> int:
    taken: list[Fingerprint] = []
    drafts, _ = await answers(provider, asked)
    for draft in drafts:
        verdict = checks.judge(draft, asked.source, taken)
        if not isinstance(verdict, checks.Rejection):
            taken.append(verdict.fingerprint)
    return len(taken)


@pytest.mark.parametrize("question_type", QuestionType)
async def test_equal_requests_give_equal_drafts(
    provider: OfflineProvider, chapter: str, question_type: QuestionType
) -> None:
    asked = request(chapter, question_type)
    other = OfflineProvider()
    assert await answers(provider, asked) == await answers(provider, asked) == await answers(other, asked)
    await other.close()


@pytest.mark.parametrize("question_type", QuestionType)
async def test_every_type_comes_out_of_both_chapters_with_proof(
    provider: OfflineProvider, chapter: str, networks: str, question_type: QuestionType
) -> None:
    for text, language in ((chapter, "en"), (networks, "de")):
        drafts, _ = await answers(provider, request(text, question_type, language=language))
        assert len(drafts) >= YIELD_MIN.get(question_type, 20)
        assert all(draft.quote in text for draft in drafts)


@pytest.mark.parametrize(
    ("question_type", "count"),
    [
        (MC, 300),
        (CLOZE, 250),
        (CARD, 200),
        (QuestionType.NUMERIC, 45),
        (QuestionType.MULTIPLE_RESPONSE, 12),
        (QuestionType.MATCHING, 12),
    ],
)
async def test_a_chapter_yields_many_sound_questions(
    provider: OfflineProvider, chapter: str, question_type: QuestionType, count: int
) -> None:
    assert await sound_count(provider, request(chapter, question_type)) >= count


async def test_every_section_of_a_chapter_is_enough_for_a_batch(provider: OfflineProvider) -> None:
    modules = extract("photosynthesis.md", (FIXTURES / "photosynthesis.md").read_bytes())
    assert len(modules) >= 8
    for module in modules:
        for question_type in (MC, CARD):
            assert await sound_count(provider, request(module.text, question_type)) >= 20


async def test_nothing_is_spent(provider: OfflineProvider) -> None:
    async with aclosing(provider.ask(request(SENTENCE, CARD))) as answering:
        assert isinstance(await anext(answering), Draft)
    assert not provider.is_metered


async def test_a_short_module_ends_with_what_is_missing_instead_of_padding(provider: OfflineProvider) -> None:
    drafts, ending = await answers(provider, request(SENTENCE, CARD, count=20))
    assert 0 < len(drafts) < 20
    assert ending.startswith(
        f'The module "Leaves" yields only {len(drafts)} flashcards offline; {20 - len(drafts)} more were asked for.'
    )
    assert "ANTHROPIC_API_KEY" in ending


@pytest.mark.parametrize(
    ("question_type", "words"),
    [
        (QuestionType.MULTIPLE_RESPONSE, "yields no multiple response questions offline; 3 more were asked for."),
        (QuestionType.MATCHING, "yields no matching questions offline; 3 more were asked for."),
        (QuestionType.NUMERIC, "yields no numeric questions offline; 3 more were asked for."),
    ],
)
async def test_a_type_that_the_text_does_not_yield_is_named(
    provider: OfflineProvider, question_type: QuestionType, words: str
) -> None:
    drafts, ending = await answers(provider, request(SENTENCE, question_type, count=3))
    assert drafts == []
    assert words in ending


@pytest.mark.parametrize("question_type", [QuestionType.MULTIPLE_RESPONSE, QuestionType.MATCHING])
async def test_what_was_saved_of_several_definitions_is_left_out_of_a_retry(
    provider: OfflineProvider, chapter: str, question_type: QuestionType
) -> None:
    asked = request(chapter, question_type)
    drafts, _ = await answers(provider, asked)
    saved = [checks.judge(draft, asked.source, []) for draft in drafts[:4]]
    stems = tuple(preview_of(verdict.content) for verdict in saved if not isinstance(verdict, checks.Rejection))
    rest, _ = await answers(provider, asked.model_copy(update={"avoid": stems}))
    assert len(stems) == 4
    assert rest == drafts[4:]


async def test_a_module_that_gave_enough_says_that_too_few_were_new(provider: OfflineProvider, chapter: str) -> None:
    drafts, ending = await answers(provider, request(chapter, CARD, count=5))
    assert ending.startswith(f'The module "Leaves" yields no more flashcards offline: of the {len(drafts)} that were')


@pytest.mark.parametrize("text", ["", "Leaves.", "## Leaves\n\n- green\n- flat\n", "Qu'est-ce que la feuille verte ?"])
async def test_a_module_without_sentences_says_so(provider: OfflineProvider, text: str) -> None:
    drafts, ending = await answers(provider, request(text))
    assert drafts == []
    assert ending.startswith('The module "Leaves" has no English sentences')


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("fi", "Finnish (fi)"),
        ("nb-NO", "Norwegian Bokmål (nb-NO)"),
        ("fr-CA", "French (fr-CA)"),
        ("es", "Spanish (es)"),
        ("xx", "xx"),
        ("", "a language without a name"),
    ],
)
@pytest.mark.parametrize("question_type", list(QuestionType))
async def test_another_language_yields_nothing_and_says_which_ones_do(
    provider: OfflineProvider, question_type: QuestionType, language: str, name: str
) -> None:
    drafts, ending = await answers(provider, request("Kasvit ovat vihreitä.", question_type, language=language))
    assert drafts == []
    assert ending.startswith(f"Offline, questions can be made in English (en) and German (de) only, not in {name}.")
    assert "ANTHROPIC_API_KEY" in ending


@pytest.mark.parametrize(("language", "stem"), [("en-GB", "What is a granum?"), ("EN", "What is a granum?")])
async def test_a_region_of_a_language_is_understood(provider: OfflineProvider, language: str, stem: str) -> None:
    assert await first_stems(provider, request(SENTENCE, CARD, language=language), 1) == [stem]


async def test_what_the_quiz_asks_already_is_left_out(provider: OfflineProvider, chapter: str) -> None:
    asked = request(chapter)
    first = await first_stems(provider, asked, 40)
    rest, _ = await answers(provider, asked.model_copy(update={"avoid": tuple(stem.upper() for stem in first)}))
    assert {preview_of(draft.content) for draft in rest}.isdisjoint(first)
    assert len(rest) > 100


async def test_batches_that_run_at_once_begin_apart(provider: OfflineProvider, chapter: str) -> None:
    asked = request(chapter)
    lanes = [
        set(await first_stems(provider, asked.model_copy(update={"lane": lane, "lanes": 3}), 20)) for lane in range(3)
    ]
    assert len(set.union(*lanes)) == 60


async def test_difficulties_begin_apart(provider: OfflineProvider, chapter: str) -> None:
    asked = request(chapter, CLOZE)
    tops = {
        tuple(await first_stems(provider, asked.model_copy(update={"difficulty": difficulty}), 3))
        for difficulty in Difficulty
    }
    assert len(tops) == 3


async def test_the_loop_goes_on_while_a_big_module_is_read(provider: OfflineProvider) -> None:
    organs = (f"The organ number {number} is a part of the plant that has {number} cells." for number in range(3000))
    text = " ".join(organs)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    async with aclosing(provider.ask(request(text, CLOZE))) as answering:
        assert isinstance(await anext(answering), Draft)
    ticking.cancel()
    assert ticks > TICKS_MIN


async def test_closing_an_ask_midway_leaves_the_provider_usable(provider: OfflineProvider, chapter: str) -> None:
    before = asyncio.all_tasks()
    once = await first_stems(provider, request(chapter), 3)
    again = await first_stems(provider, request(chapter), 3)
    assert once == again
    assert asyncio.all_tasks() == before


async def test_a_cancelled_ask_leaves_nothing_running(provider: OfflineProvider) -> None:
    text = " ".join(f"The organ number {number} is a part of the plant that has leaves." for number in range(3000))
    before = asyncio.all_tasks()
    async with aclosing(provider.ask(request(text))) as answering:
        reading = asyncio.ensure_future(anext(answering))
        await asyncio.sleep(0)  # it runs until it waits for the reading
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert asyncio.all_tasks() == before
    assert await first_stems(provider, request(SENTENCE, CARD), 1) == ["What is a granum?"]


HOSTILE = {
    "one line of a megabyte": "lorem ipsum dolor sit amet " * 40_000,
    "one sentence a thousand times": f"{SENTENCE} " * 15_000,
    "no spaces": "a" * 1_000_000,
    "punctuation": ".,;:!?" * 100_000,
    "full stops": ". " * 200_000,
    "brackets": "(" * 300_000,
    "stars and quotes": '*"`' * 100_000,
    "line ends": "\n" * 200_000,
    "list markers": "- \n" * 100_000,
    "right to left": "\u202e\u05d6\u05d4\u05d5 \u05de\u05e9\u05e4\u05d8. " * 10_000,
    "emoji": "\U0001f600\U0001f389 " * 50_000,
    "combining marks": "e" + "\u0301" * 10_000 + f" is a letter. {SENTENCE}",
    "a word without end": "-".join(["leaf"] * 50_000) + f". {SENTENCE}",
    "digits": "1," * 200_000,
    "nul and surrogates": f"\x00\ud800 {SENTENCE}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_text_ends_like_any_other(provider: OfflineProvider, text: str) -> None:
    for question_type in QuestionType:
        drafts, _ = await answers(provider, request(text, question_type))
        assert all(draft.quote in text for draft in drafts)
