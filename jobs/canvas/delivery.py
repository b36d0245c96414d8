"""One quiz into one course: whatever happens on the way, it is there once, with every question once."""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import structlog

from jobs.canvas.errors import CanvasBusy, CanvasError
from jobs.canvas.lease import Lease
from jobs.workshop import Workshop
from schemas.publications import PublicationClaim
from schemas.questions import Question
from service.rules import canvas, retries
from service.store import publications

if TYPE_CHECKING:
    from jobs.canvas.course import CanvasCourse

FAILURES_MAX: Final = 5
"""How often in a row Canvas may be busy without anything new being sent."""

PAUSE_SECONDS_MAX: Final = 90.0
CALL_SECONDS_MAX: Final = 120.0
LATE: Final = "Canvas did not answer in time"

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

log = structlog.get_logger()


class Delivery:
    """Canvas knows no transactions and no keys against doubles: each try looks at what is there and adds the rest."""

    def __init__(
        self, workshop: Workshop, claim: PublicationClaim, lease: Lease, token: str, questions: Sequence[Question]
    ) -> None:
        self._workshop = workshop
        self._claim = claim
        self._lease = lease
        self._token = token
        self._wanted = {canvas.mark_of(question): canvas.said(question) for question in questions}
        self._canvas_quiz_id = claim.canvas_quiz_id
        self._sent_count = 0

    async def run(self) -> None:
        """Until students see it. Raises CanvasError, LeaseLost, Unavailable."""
        failures = 0
        while True:
            sent_before = self._sent_count
            try:
                await self._try()
            except CanvasBusy as error:
                failures = 1 if self._sent_count > sent_before else failures + 1
                pause_seconds = max(
                    retries.delay_seconds(failures, jitter=random.random()),  # noqa: S311 # jitter, not a secret
                    error.retry_after_seconds,
                )
                if failures >= FAILURES_MAX or pause_seconds > PAUSE_SECONDS_MAX:
                    raise
                log.info("canvas is asked again", reason=str(error), delay_seconds=pause_seconds)
            else:
                return
            await asyncio.sleep(pause_seconds)

    async def _try(self) -> None:
        course = await asyncio.to_thread(_open, self._claim, self._token)
        try:
            quiz_id = await self._quiz(course)
            await self._fill(course, quiz_id)
            await self._call(course, course.remove_strays, self._claim.marker, quiz_id)
            await self._call(course, course.publish, quiz_id)
        finally:
            course.close()

    async def _quiz(self, course: "CanvasCourse") -> int:
        """The quiz in Canvas: the one that is known, the one with the marker, or a new one."""
        known = self._canvas_quiz_id
        if known is not None and await self._call(course, course.has, known):
            return known
        marker = self._claim.marker
        found = await self._call(course, course.find, marker)
        if found is None:
            found = await self._call(course, course.create, self._claim.title, marker)
        await self._workshop.persist(partial(publications.enter, claim=self._claim, canvas_quiz_id=found))
        self._canvas_quiz_id = found
        return found

    async def _fill(self, course: "CanvasCourse", quiz_id: int) -> None:
        """Add what is missing, in order. A call of a worker that was given up may come late, so look again after it."""
        missing = await self._tidied(course, quiz_id)
        for mark in missing:
            await self._call(course, course.add, quiz_id, self._wanted[mark])
            await self._advance(self._sent_count + 1)
        if missing and (still := await self._tidied(course, quiz_id)):
            raise CanvasError(f"Canvas took {len(self._wanted)} questions but does not show {len(still)} of them")

    async def _tidied(self, course: "CanvasCourse", quiz_id: int) -> list[str]:
        """Take out what is there twice, out of date or not wanted any more; returns what is missing."""
        there: set[str] = set()
        for asked in await self._call(course, course.questions, quiz_id):
            mark = canvas.mark_in(asked.name)
            if mark is None:  # someone has added it by hand
                continue
            if mark in self._wanted and mark not in there:
                there.add(mark)
            else:
                await self._call(course, course.remove, quiz_id, asked.id)
        await self._advance(len(there))
        return [mark for mark in self._wanted if mark not in there]

    async def _advance(self, sent_count: int) -> None:
        self._sent_count = sent_count
        await self._workshop.persist(partial(publications.advance, claim=self._claim, sent_count=sent_count))

    async def _call(
        self, course: "CanvasCourse", step: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
    ) -> Answer:
        """One step in a thread, which ends before this does. Raises CanvasError, LeaseLost."""
        self._lease.require()
        calling = asyncio.create_task(asyncio.to_thread(step, *given, **named))
        try:
            await asyncio.wait({calling}, timeout=CALL_SECONDS_MAX)
        except asyncio.CancelledError:
            await _stop(course, calling)
            raise
        if not calling.done():
            await _stop(course, calling)
            raise CanvasBusy(LATE)
        return calling.result()


def _open(claim: PublicationClaim, token: str) -> "CanvasCourse":
    from jobs.canvas.course import CanvasCourse  # noqa: PLC0415 # half a second, for workers that publish

    return CanvasCourse(claim.canvas_url, claim.course_id, token)


async def _stop(course: "CanvasCourse", calling: asyncio.Task[Answer]) -> None:
    """Nobody may begin anew before the last call has ended."""
    course.cut()
    await asyncio.wait({calling})
    calling.exception()  # looked at, or asyncio would report it as lost
