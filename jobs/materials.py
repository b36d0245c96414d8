"""The job that turns a quiz's uploaded files into modules."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import structlog

from jobs import reader
from jobs.batch import JobContext
from jobs.formats.base import NoText, UnreadableMaterial
from jobs.sight import Sight
from jobs.workshop import Workshop
from schemas.materials import Material, Reading
from schemas.states import FailureReason
from service import outbox
from service.errors import Unavailable
from service.store import materials, modules, quizzes
from service.store.database import Tx

FILES_MAX = 1000
TRIES_MAX = 3
LEASE_SECONDS = 15.0 + outbox.LOOK_AGAIN_SECONDS
"""A file whose worker is silent for this long is begun by another, and the quiz is queued for that a little earlier."""

TELL_SECONDS = 1.0
"""How often it is written down how far the reading is, which also keeps other workers away."""

MESSAGE_CHARACTERS_MAX = 2000

log = structlog.get_logger()


async def extract_materials(context: JobContext, quiz_id: str) -> None:
    """Extract every waiting file. Running it twice is harmless: each file is marked in the transaction that uses it."""
    workshop = context["workshop"]
    work = asyncio.create_task(_extract(workshop, UUID(quiz_id)))
    workshop.begin(work)
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        work.cancel()
        await asyncio.wait({work})
        raise
    if not work.cancelled():  # by a worker that stops: the file was let go of
        work.result()


async def _extract(workshop: Workshop, quiz: UUID) -> None:
    while files := await _waiting(workshop, quiz):  # more may come while these are read
        for file in files:
            # Each takes a core and much memory: a worker reads few at a time, and begins none before its turn.
            async with workshop.readers:
                tries = await _begin(workshop, file)
                if tries is None:  # whoever has begun with it goes on, so that modules keep the files' order
                    return
                await _Attempt(workshop, quiz, file, tries).make()


async def _waiting(workshop: Workshop, quiz_id: UUID) -> list[Material]:
    async with workshop.database.read() as tx:
        return await materials.waiting(tx, quiz_id, limit=FILES_MAX)


async def _begin(workshop: Workshop, file: Material) -> int | None:
    begin = partial(
        materials.begin,
        material_id=file.id,
        seconds_max=LEASE_SECONDS,
        queued_seconds_max=outbox.LOOK_AGAIN_SECONDS,
    )
    return await workshop.persist(begin)


class _Attempt:
    """One try of one file. However it ends, it ends in one step."""

    def __init__(self, workshop: Workshop, quiz_id: UUID, file: Material, tries: int) -> None:
        self._workshop = workshop
        self._quiz_id = quiz_id
        self._file = file
        self._tries = tries
        self._place = (0, 0)

    async def make(self) -> None:
        if self._tries > TRIES_MAX:
            await self._fail(f"{self._file.name} took its worker down {TRIES_MAX} times")
            return
        telling = asyncio.create_task(self._keep_telling())
        try:
            reading = await self._read()
        except asyncio.CancelledError:
            await self._persist(partial(materials.release, material_id=self._file.id, tries=self._tries))
            raise
        except UnreadableMaterial as error:
            log.info("material is unreadable", quiz_id=str(self._quiz_id), name=self._file.name, reason=str(error))
            reason = FailureReason.NO_CONTENT if isinstance(error, NoText) else FailureReason.EXTRACTION_FAILED
            await self._fail(str(error), reason)
        except Exception:  # the outermost loop of the job: what nobody foresaw must not come back for ever
            log.exception("material broke the extraction", quiz_id=str(self._quiz_id), name=self._file.name)
            await self._fail(f"{self._file.name} could not be read; the reason was logged")
        else:
            await self._persist(partial(self._enter, reading=reading))
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _read(self) -> Reading:
        """Raises UnreadableMaterial, ReaderBroken."""
        eyes = self._workshop.provider.eyes
        name, content = self._file.name, self._file.content
        reading = await reader.read(name, content, tell=self._hear, can_see=eyes is not None)
        if not reading.pictures or eyes is None:
            return reading
        async with self._workshop.database.read() as tx:
            owner, language = await quizzes.origin(tx, self._quiz_id)
        sight = Sight(self._workshop, eyes, self._file, owner=owner, language=language)
        seen = await sight.texts(reading.pictures, self._hear)
        return await reader.read(name, content, tell=self._hear, can_see=True, seen=seen)

    def _hear(self, page: int, pages: int) -> None:
        self._place = (page, pages)

    async def _keep_telling(self) -> None:
        """Until it is cancelled, or someone else has begun with the file."""
        is_ours = True
        while is_ours:
            await asyncio.sleep(TELL_SECONDS)
            try:
                async with self._workshop.database.write() as tx:
                    is_ours = await materials.go_on(
                        tx, self._file.id, tries=self._tries, place=self._place, seconds_max=LEASE_SECONDS
                    )
            except Unavailable as error:
                log.warning("could not tell how far the reading is", error=str(error))

    async def _fail(self, message: str, reason: FailureReason = FailureReason.EXTRACTION_FAILED) -> None:
        await self._persist(partial(self._enter_failure, message=message[:MESSAGE_CHARACTERS_MAX], reason=reason))

    async def _persist(self, step: Callable[[Tx], Awaitable[None]]) -> None:
        await self._workshop.persist(step)

    async def _enter_failure(self, tx: Tx, *, message: str, reason: FailureReason) -> None:
        await quizzes.lock(tx, self._quiz_id)
        await materials.mark_failed(tx, self._quiz_id, self._file.id, reason, message, tries=self._tries)

    async def _enter(self, tx: Tx, *, reading: Reading) -> None:
        await quizzes.lock(tx, self._quiz_id)
        message = "; ".join(reading.notes)[:MESSAGE_CHARACTERS_MAX] or None
        if await materials.mark_extracted(tx, self._file.id, tries=self._tries, message=message):
            await modules.insert_extracted(tx, self._quiz_id, reading.modules)
