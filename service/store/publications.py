"""Every SQL statement about publications: quizzes on their way into a course in Canvas."""

from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.publications import LeftOut, NewPublication, Publication, PublicationClaim, WantedPublication
from schemas.states import PublicationState
from service.errors import LeaseLost, StateConflict
from service.rules.quizzes import Published
from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import publications, quizzes

_IS_FREE = sa.or_(publications.c.lease_until.is_(None), publications.c.lease_until < db_now())


async def insert(tx: Tx, new: NewPublication) -> None:
    """Wanted in the queue at once; the caller has locked the quiz. Raises StateConflict while another one is under way.

    One that follows a failed one to the same course goes on with its quiz there.
    """
    last = await _last(tx, new.quiz_id)
    if last and last.state == PublicationState.EXPORTING:
        raise StateConflict(f"quiz {new.quiz_id} is being published already: wait until that has ended")
    goes_on = (
        last is not None
        and last.state == PublicationState.FAILED
        and (last.canvas_url, last.course_id) == (new.canvas_url, new.course_id)
    )
    await tx.execute(
        sa.insert(publications).values(
            id=new.id,
            quiz_id=new.quiz_id,
            state=PublicationState.EXPORTING,
            canvas_url=new.canvas_url,
            course_id=new.course_id,
            marker=last.marker if last and goes_on else uuid4(),
            canvas_quiz_id=last.canvas_quiz_id if last and goes_on else None,
            question_ids=[str(question_id) for question_id in new.question_ids],
            left_out=[left_out.model_dump(mode="json") for left_out in new.left_out],
            saved_count=new.saved_count,
            wanted_at=db_now(),
            requested_at=db_now(),
        )
    )


async def newest(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, Publication]:
    """The last publication of each quiz that has any."""
    place = sa.func.row_number().over(
        partition_by=publications.c.quiz_id, order_by=(publications.c.requested_at.desc(), publications.c.id)
    )
    placed = sa.select(publications, place.label("place")).where(publications.c.quiz_id.in_(quiz_ids)).subquery()
    rows = await tx.execute(sa.select(placed).where(placed.c.place == 1))
    return {row.quiz_id: _publication(row) for row in rows}


async def of_quizzes(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, Published]:
    """What decides about the status of each quiz that has any."""
    rows = await tx.execute(
        sa.select(publications.c.quiz_id, publications.c.state, publications.c.saved_count)
        .where(publications.c.quiz_id.in_(quiz_ids))
        .order_by(publications.c.requested_at, publications.c.id.desc())
    )
    found: dict[UUID, Published] = {}
    for row in rows:
        state, before = PublicationState(row.state), found.get(row.quiz_id, Published())
        count = row.saved_count if state is PublicationState.PUBLISHED else before.published_count
        found[row.quiz_id] = Published(newest=state, published_count=count)
    return found


async def claim(tx: Tx, publication_id: UUID, fence: int, *, lease_seconds: float) -> PublicationClaim | None:
    """Take one that is wanted and whose fence is still `fence`. None: someone else has it, or had it."""
    taken = sa.update(publications).where(
        publications.c.id == publication_id,
        publications.c.fence == fence,
        publications.c.wanted_at.is_not(None),
        _IS_FREE,
    )
    taken = taken.values(
        fence=publications.c.fence + 1, tries=publications.c.tries + 1, lease_until=seconds_from_now(lease_seconds)
    )
    if (await tx.execute(taken)).rowcount != 1:
        return None
    found = sa.select(publications, quizzes.c.title).join(quizzes, quizzes.c.id == publications.c.quiz_id)
    row = (await tx.execute(found.where(publications.c.id == publication_id))).one()
    return PublicationClaim(
        publication_id=row.id,
        fence=row.fence,
        tries=row.tries,
        quiz_id=row.quiz_id,
        title=row.title,
        canvas_url=row.canvas_url,
        course_id=row.course_id,
        marker=row.marker,
        canvas_quiz_id=row.canvas_quiz_id,
        question_ids=tuple(UUID(question_id) for question_id in row.question_ids),
    )


async def renew(tx: Tx, claim: PublicationClaim, *, lease_seconds: float) -> None:
    """The heartbeat. Raises LeaseLost."""
    await _one(tx, _mine(claim).values(lease_until=seconds_from_now(lease_seconds)), claim)


async def enter(tx: Tx, claim: PublicationClaim, canvas_quiz_id: int) -> None:
    """Its quiz is there in Canvas. Raises LeaseLost."""
    await _one(tx, _mine(claim).values(canvas_quiz_id=canvas_quiz_id, tries=0), claim)


async def advance(tx: Tx, claim: PublicationClaim, sent_count: int) -> None:
    """So many of its questions are in Canvas. Raises LeaseLost."""
    await _one(tx, _mine(claim).values(sent_count=sent_count, tries=0), claim)


async def complete(tx: Tx, claim: PublicationClaim) -> None:
    """It is published. Raises LeaseLost."""
    await _one(tx, _ended(claim).values(state=PublicationState.PUBLISHED), claim)


async def fail(tx: Tx, claim: PublicationClaim, message: str) -> None:
    """What is in Canvas stays there, unpublished. Raises LeaseLost."""
    await _one(tx, _ended(claim).values(state=PublicationState.FAILED, error_message=message), claim)


async def release(tx: Tx, claim: PublicationClaim, *, in_seconds: float) -> None:
    """Give it back, wanted in the queue by then. Raises LeaseLost."""
    back = _mine(claim).values(
        wanted_at=seconds_from_now(in_seconds),
        lease_until=None,
        tries=sa.case((publications.c.tries > 0, publications.c.tries - 1), else_=0),
    )
    await _one(tx, back, claim)


async def wanted(tx: Tx, *, limit: int) -> list[WantedPublication]:
    """The outbox: what must be in the queue by now. What a worker has leased is not."""
    found = sa.select(publications.c.id, publications.c.fence).where(publications.c.wanted_at <= db_now(), _IS_FREE)
    rows = await tx.execute(found.order_by(publications.c.wanted_at).limit(limit))
    return [WantedPublication(publication_id=row.id, fence=row.fence) for row in rows]


async def look_again(tx: Tx, queued: Sequence[WantedPublication], *, in_seconds: float) -> None:
    """They were just put into the queue: want them there again only when nobody has claimed them after a while."""
    ids = [one.publication_id for one in queued]
    moved = sa.update(publications).where(publications.c.id.in_(ids), publications.c.wanted_at <= db_now())
    await tx.execute(moved.values(wanted_at=seconds_from_now(in_seconds)))


async def _last(tx: Tx, quiz_id: UUID) -> sa.Row[*tuple[object, ...]] | None:
    found = sa.select(publications).where(publications.c.quiz_id == quiz_id)
    newest_first = (publications.c.requested_at.desc(), publications.c.id)
    return (await tx.execute(found.order_by(*newest_first).limit(1))).first()


def _mine(claim: PublicationClaim) -> sa.Update:
    return sa.update(publications).where(
        publications.c.id == claim.publication_id,
        publications.c.fence == claim.fence,
        publications.c.lease_until.is_not(None),
    )


def _ended(claim: PublicationClaim) -> sa.Update:
    return _mine(claim).values(wanted_at=None, lease_until=None, ended_at=db_now())


async def _one(tx: Tx, change: sa.Update, claim: PublicationClaim) -> None:
    if (await tx.execute(change)).rowcount != 1:
        raise LeaseLost(f"publication {claim.publication_id} is in other hands")


def _publication(row: sa.Row[*tuple[object, ...]]) -> Publication:
    is_there = row.canvas_quiz_id is not None
    return Publication(
        id=row.id,
        status=PublicationState(row.state),
        canvas_url=row.canvas_url,
        course_id=row.course_id,
        canvas_quiz_url=f"{row.canvas_url}/courses/{row.course_id}/quizzes/{row.canvas_quiz_id}" if is_there else None,
        question_count=len(row.question_ids),
        sent_count=row.sent_count,
        left_out=tuple(LeftOut.model_validate(line) for line in row.left_out),
        error=row.error_message,
        requested_at=row.requested_at,
        ended_at=row.ended_at,
    )
