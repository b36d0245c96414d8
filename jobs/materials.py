"""The job that turns a quiz's uploaded files into modules."""

import asyncio
from functools import partial
from uuid import UUID

import structlog

from jobs import extraction
from jobs.batch import JobContext
from jobs.workshop import Workshop
from schemas.materials import Material
from schemas.states import FailureReason
from service import outbox
from service.store import materials, modules, quizzes
from service.store.database import Tx

FILES_MAX = 1000
TRIES_MAX = 3
EXTRACTION_SECONDS = 60.0
"""How long a file is left to the worker that began with it."""

log = structlog.get_logger()


async def extract_materials(context: JobContext, quiz_id: str) -> None:
    """Extract every waiting file. Running it twice is harmless: each file is marked in the transaction that uses it."""
    workshop = context["workshop"]
    quiz = UUID(quiz_id)
    async with workshop.database.read() as tx:
        files = await materials.waiting(tx, quiz, limit=FILES_MAX)
    for material in files:
        tries = await workshop.persist(
            partial(
                materials.begin,
                material_id=material.id,
                seconds_max=EXTRACTION_SECONDS,
                queued_seconds_max=outbox.LOOK_AGAIN_SECONDS,
            )
        )
        if tries is None:  # whoever has begun with it goes on with the rest, so that modules keep the files' order
            return
        await _try(workshop, quiz, material, tries)


async def _try(workshop: Workshop, quiz_id: UUID, material: Material, tries: int) -> None:
    async def fail(message: str) -> None:
        await workshop.persist(partial(_fail, quiz_id=quiz_id, material_id=material.id, message=message, tries=tries))

    if tries > TRIES_MAX:
        await fail(f"it took its worker down {TRIES_MAX} times")
        return
    try:
        found = await asyncio.to_thread(extraction.extract, material.name, material.content)
    except extraction.UnreadableMaterial as error:
        log.info("material is unreadable", quiz_id=str(quiz_id), material=material.name, reason=str(error))
        await fail(str(error))
    except Exception:  # the outermost loop of the job: what nobody foresaw must not come back for ever
        log.exception("material broke the extraction", quiz_id=str(quiz_id), material=material.name)
        await fail("it could not be read; the reason was logged")
    else:
        await workshop.persist(partial(_enter, quiz_id=quiz_id, material_id=material.id, found=found, tries=tries))


async def _fail(tx: Tx, *, quiz_id: UUID, material_id: UUID, message: str, tries: int) -> None:
    await quizzes.lock(tx, quiz_id)
    await materials.mark_failed(tx, quiz_id, material_id, FailureReason.EXTRACTION_FAILED, message, tries=tries)


async def _enter(
    tx: Tx, *, quiz_id: UUID, material_id: UUID, found: list[extraction.ExtractedModule], tries: int
) -> None:
    await quizzes.lock(tx, quiz_id)
    if await materials.mark_extracted(tx, material_id, tries=tries):
        await modules.insert(tx, quiz_id, [(module.name, module.text) for module in found])
