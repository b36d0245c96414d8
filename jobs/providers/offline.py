"""Questions without an LLM: made of the module's own sentences, at recall level, never more than the text yields."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

from jobs.offline.analysis import Analysis
from jobs.offline.english import ENGLISH
from jobs.offline.generator import Wish, drafts
from jobs.offline.german import GERMAN
from jobs.offline.languages import Language
from jobs.offline.readings import Readings
from jobs.offline.topics import topics_of
from jobs.prompts.languages import spelled_out
from jobs.providers.base import (
    Part,
    Request,
    Source,
    SourceExhausted,
    TopicPart,
    TopicsRequest,
    Weight,
)
from schemas.questions import Draft
from schemas.states import QuestionType

Result = TypeVar("Result")

THREADS = 2
MODULES_MAX = 16
SLICE = 8
"""Drafts written in one go in the thread: few enough that the first ones are there at once."""

LANGUAGES = {language.code: language for language in (ENGLISH, GERMAN)}
NAMES = {
    QuestionType.MULTIPLE_CHOICE: ("multiple choice question", "multiple choice questions"),
    QuestionType.MULTIPLE_RESPONSE: ("multiple response question", "multiple response questions"),
    QuestionType.TRUE_FALSE: ("true or false question", "true or false questions"),
    QuestionType.FILL_IN_BLANK: ("fill-in-the-blank question", "fill-in-the-blank questions"),
    QuestionType.SHORT_ANSWER: ("short answer question", "short answer questions"),
    QuestionType.MATCHING: ("matching question", "matching questions"),
    QuestionType.NUMERIC: ("numeric question", "numeric questions"),
    QuestionType.FLASHCARD: ("flashcard", "flashcards"),
    QuestionType.VOCABULARY: ("vocabulary entry", "vocabulary entries"),
}
ADVICE = "Ask for fewer, give the module more text, or set ANTHROPIC_API_KEY to have a model write them."


class OfflineProvider:
    """One per process and event loop. Equal requests give equal drafts; `avoid` takes away what is in it.

    `corrections`, `instructions` and `model` mean nothing to it. A draft is left out when its stem, front or term,
    alone or followed by its key, equals an entry of `avoid` (case, punctuation and spaces aside).
    """

    name = "offline"
    account = "offline"
    is_metered = False
    eyes = None

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="offline")
        self._readings = Readings(self._executor, MODULES_MAX)

    async def ask(self, request: Request) -> AsyncGenerator[Part]:
        """Every draft the module yields, best first, then SourceExhausted; at once for a language it does not know."""
        language = _language(request.source.language)
        analysis = await self._readings.of(request.source.text, language)
        count = 0
        stop = threading.Event()
        try:
            rest = await self._in_thread(partial(drafts, analysis, _wish(request), stop.is_set))
            while found := await self._in_thread(partial(_take, rest)):
                for draft in found:
                    yield draft
                count += len(found)
        finally:
            stop.set()
        raise SourceExhausted(_exhausted(request, analysis, count))

    async def topics(self, request: TopicsRequest) -> AsyncGenerator[TopicPart]:
        """What the module's headings and terms say; none where they say nothing. Raises ProviderRejected."""
        source = request.source
        analysis = await self._readings.of(source.text, _language(source.language))
        for topic in await self._in_thread(partial(topics_of, analysis, source.name)):
            yield topic

    def weigh(self, source: Source, count: int) -> Weight:
        return Weight()

    async def close(self) -> None:
        """Stop what still runs; the provider can't be asked again."""
        self._readings.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: "partial[Result]") -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _language(code: str) -> Language:
    language = LANGUAGES.get(code.replace("_", "-").partition("-")[0].lower())
    if language is not None:
        return language
    known = " and ".join(f"{language.name} ({language.code})" for language in LANGUAGES.values())
    raise SourceExhausted(
        f"Offline, questions can be made in {known} only, not in {spelled_out(code) or 'a language without a name'}. "
        "Set ANTHROPIC_API_KEY to have a model write them, or make a quiz in one of these languages."
    )


def _wish(request: Request) -> Wish:
    return Wish(
        question_type=request.question_type,
        difficulty=request.difficulty,
        avoid=request.avoid,
        lane=request.lane,
        lanes=request.lanes,
        topics=request.topics,
        other_topics=request.other_topics,
    )


def _take(rest: Iterator[Draft]) -> list[Draft]:
    return list(islice(rest, SLICE))


def _exhausted(request: Request, analysis: Analysis, count: int) -> str:
    module, language = request.source.name, analysis.language.name
    other = f"of type {request.question_type}"
    one, many = NAMES.get(request.question_type, (f"question {other}", f"questions {other}"))
    if not analysis.statements:
        return f'The module "{module}" has no {language} sentences that questions could be made of offline. {ADVICE}'
    if count < request.count:
        missing = request.count - count
        wanted = "1 more was" if missing == 1 else f"{missing} more were"
        yields = f"only {count} {one if count == 1 else many}" if count else f"no {many}"
        if not count and request.avoid:
            yields = f"no further {many}"
        return f'The module "{module}" yields {yields} offline; {wanted} asked for. {ADVICE}'
    return (
        f'The module "{module}" yields no more {many} offline: of the {count} that were made, fewer than '
        f"{request.count} are new to the quiz and pass its checks. {ADVICE}"
    )
