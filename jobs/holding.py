"""The transaction that keeps what batches of one generation have brought, whatever other batches entered meanwhile."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from jobs import checks
from jobs.banks import Bank
from schemas.events import QuestionRejected
from schemas.holdings import Holding
from schemas.plans import Claim, Wakeup
from schemas.questions import Entered, Fingerprint
from service import failpoints
from service.failpoints import Place
from service.store import budget, questions, quizzes, steps
from service.store.database import Tx


class Brought(NamedTuple):
    """What a batch wants to be kept. It has compared it with the bank as far as `seen`."""

    holding: Holding
    bank: Bank
    seen: int
    lease_seconds: float


class Kept(NamedTuple):
    """How many the batch holds now, what of other batches it was compared with, and what the bank did not know yet."""

    held_count: int
    others: Sequence[Fingerprint]
    entered: Sequence[Entered]
    seen: int
    wakeup: Wakeup | None
    is_paused: bool


class _Comparison(NamedTuple):
    """What is left of a holding beside those of `others`, of which the newest has the number `seen`."""

    holding: Holding
    others: Sequence[Fingerprint]
    seen: int


async def hold(tx: Tx, brought: Sequence[Brought]) -> list[Kept]:
    """Under the locks of the generation and of its quiz. Raises LeaseLost if one batch is someone else's."""
    claim = brought[0].holding.claim
    await steps.enter(tx, claim)
    await quizzes.lock(tx, claim.quiz_id)
    latest = await questions.entered(tx, claim.quiz_id, after=min(one.bank.seen for one in brought))
    compared = _compared(brought, latest)
    held, grown = await steps.hold(
        tx, [one.holding for one in compared], lease_seconds=max(one.lease_seconds for one in brought)
    )
    paused = await budget.charge(tx, [(one.holding.claim, one.holding.ended) for one in brought])
    wakeup = paused or grown
    failpoints.reach(Place.INSIDE_HOLD)
    return [
        Kept(count, one.others, latest, one.seen, wakeup, is_paused=paused is not None)
        for count, one in zip(held, compared, strict=True)
    ]


def _compared(brought: Sequence[Brought], latest: Sequence[Entered]) -> list[_Comparison]:
    """One after the other: what one keeps is there for the next."""
    kept: list[tuple[UUID, Fingerprint]] = []
    compared = []
    for one in brought:
        comparison = _compare(one, latest, kept)
        claim = comparison.holding.claim
        kept += [(claim.batch_id, question.fingerprint) for question in comparison.holding.sound]
        compared.append(comparison)
    return compared


def _compare(one: Brought, latest: Sequence[Entered], kept: Sequence[tuple[UUID, Fingerprint]]) -> _Comparison:
    claim, sound, rejected, ended = one.holding
    since = [*one.bank.since(one.seen), *(entered for entered in latest if entered.number > one.bank.seen)]
    own = {entered.fingerprint.hash for entered in since if entered.batch_id == claim.batch_id}
    others = [entered.fingerprint for entered in since if entered.batch_id != claim.batch_id]
    rivals = [*others, *(fingerprint for batch_id, fingerprint in kept if batch_id != claim.batch_id)]
    # What a commit has kept that nobody heard of is there already.
    fresh = [question for question in sound if question.fingerprint.hash not in own]
    news = [question for question in fresh if checks.duplicate_of(question.fingerprint, rivals) is None]
    told = [*rejected, *clashes(claim, len(fresh) - len(news))]
    return _Comparison(Holding(claim, news, told, ended), others, since[-1].number if since else one.seen)


def clashes(claim: Claim, count: int) -> list[QuestionRejected]:
    """What watchers are told of questions that came too late."""
    message = "another batch of the quiz was faster with the same question"
    return [QuestionRejected(batch_id=claim.batch_id, code="near_duplicate", message=message)] * count
