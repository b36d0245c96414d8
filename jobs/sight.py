"""Has the pictures of a file looked at: page by page, a few at a time, through the governor."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from itertools import count

import structlog

from jobs.formats.base import UnreadableMaterial
from jobs.governor.governor import Wish
from jobs.providers.base import Eyes, PictureRequest, PictureText, ProviderError, RateLimits, Source, Usage, Weight
from jobs.workshop import Workshop
from schemas.materials import Material, PagePicture
from service.rules import retries
from service.store import materials

LOOKS_AT_ONCE = 4
WEIGHT = Weight(input_tokens=2_500, output_tokens=1_500)
"""About what a page takes of the rate limits; what it has really taken replaces it at its end."""

NOTHING = "[no text]"

log = structlog.get_logger()


class Sight:
    """The looks at the pictures of one file."""

    def __init__(self, workshop: Workshop, eyes: Eyes, file: Material, *, owner: str, language: str) -> None:
        self._workshop = workshop
        self._eyes = eyes
        self._file = file
        self._owner = owner
        self._source = Source(module_id=file.id, name=file.name, text="", language=language)
        self._turn = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def texts(self, pictures: Sequence[PagePicture], tell: Callable[[int, int], None]) -> dict[str, str]:
        """The Markdown text of each by its key. Raises UnreadableMaterial with the provider's reason."""
        seen: dict[str, str] = {}

        async def look(picture: PagePicture) -> None:
            async with self._turn:
                seen[picture.key] = await self._text(picture)
            tell(len(seen), len(pictures))

        try:
            async with asyncio.TaskGroup() as looks:
                for picture in pictures:
                    looks.create_task(look(picture))
        except* ProviderError as errors:
            reason = next(error for error in _leaves(errors))
            raise UnreadableMaterial(f"{self._file.name} can't be read: its pages are pictures. {reason}") from None
        return seen

    async def _text(self, picture: PagePicture) -> str:
        """A failure that may pass is tried again, GENERATION_RETRIES_MAX times in all. Raises ProviderError."""
        settings = self._workshop.settings
        for attempt in count(1):
            model = settings.models[min(attempt, len(settings.models)) - 1]
            try:
                return await self._look(PictureRequest(source=self._source, content=picture.content, model=model))
            except ProviderError as error:
                if attempt >= settings.generation_retries_max or not error.is_transient:
                    raise
                delay_seconds = retries.delay_seconds(attempt, jitter=random.random())  # noqa: S311 # no secret
                delay_seconds = max(delay_seconds, error.retry_after_seconds or 0)
                log.info("a picture is looked at again", reason=str(error), delay_seconds=delay_seconds)
            await asyncio.sleep(delay_seconds)
        raise AssertionError("the loop ends by itself")

    async def _look(self, request: PictureRequest) -> str:
        """One call through the governor. Raises ProviderError."""
        pieces: list[str] = []
        assert request.model, "there is always a model to ask"
        wish = Wish(model=request.model, weight=WEIGHT, owner=self._owner)
        async with self._workshop.governor.turn(wish) as turn, aclosing(self._eyes.look(request)) as answers:
            async for answer in answers:
                match answer:
                    case PictureText():
                        pieces.append(answer.text)
                        turn.has_brought = True
                    case RateLimits():
                        await self._workshop.governor.hear(turn, answer)
                    case Usage():
                        turn.usage = answer
                        await self._write_down(answer)
        text = "".join(pieces).strip()
        return "" if text == NOTHING else text

    async def _write_down(self, usage: Usage) -> None:
        spend = partial(
            materials.spend,
            material_id=self._file.id,
            input_tokens=usage.input_tokens + usage.cache_read_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
        )
        await self._workshop.persist(spend)


def _leaves(errors: BaseExceptionGroup[ProviderError]) -> list[ProviderError]:
    found: list[ProviderError] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
