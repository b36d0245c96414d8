"""The transaction that keeps what batches of one generation have brought, whatever other batches entered meanwhile."""

from collections.abc import Sequence
from typing import NamedTuple

from jobs.banks import Bank
from jobs.duplicates import Taken
from schemas.events import QuestionRejected
from schemas.holdings import Holding
from schemas.plans import Claim, Wakeup
from schemas.questions import Entered
from service import failpoints
from service.failpoints import Place
from service.store import budget, questions, quizzes, steps
from service.store.database import Tx


class Brought(NamedTuple):
    """What a batch wants to be kept, and the bank that it was compared with so far."""

    holding: Holding
    bank: Bank
    lease_seconds: float


class Kept(NamedTuple):
    """How many the batch holds now, and what the bank did not know yet."""

    held_count: int
    entered: Sequence[Entered]
    wakeup: Wakeup | None
    is_paused: bool


async def hold(tx: Tx, brought: Sequence[Brought]) -> list[Kept]:
    """Under the locks of the generation and of its quiz. Raises LeaseLost if one batch is someone else's."""
    claim = brought[0].holding.claim
    await steps.enter(tx, claim)
    await quizzes.lock(tx, claim.quiz_id)
    latest = await questions.entered(tx, claim.quiz_id, after=min(one.bank.seen for one in brought))
    held, grown = await steps.hold(
        tx, _compared(brought, latest), lease_seconds=max(one.lease_seconds for one in brought)
    )
    paused = await budget.charge(tx, [(one.holding.claim, one.holding.ended) for one in brought])
    failpoints.reach(Place.INSIDE_HOLD)
    # One of them tells of a pause, for all.
    return [
        Kept(count, latest, paused or grown, is_paused=paused is not None and place == 0)
        for place, count in enumerate(held)
    ]


def _compared(brought: Sequence[Brought], latest: Sequence[Entered]) -> list[Holding]:
    """What is new of each, one after the other: what one keeps is there for the next."""
    bank = brought[0].bank
    unknown = [entered for entered in latest if entered.number > bank.seen]
    rivals = Taken((entered.fingerprint for entered in unknown), beside=bank.taken)
    compared = []
    for one in brought:
        claim, sound, rejected, ended = one.holding
        # What a commit has kept that nobody heard of is there already.
        own = bank.hashes_of(claim.batch_id)
        own |= {entered.fingerprint.hash for entered in unknown if entered.batch_id == claim.batch_id}
        fresh = [question for question in sound if question.fingerprint.hash not in own]
        news = [question for question in fresh if rivals.twin_of(question.fingerprint) is None]
        rivals.extend(question.fingerprint for question in news)
        compared.append(Holding(claim, news, [*rejected, *_clashes(claim, len(fresh) - len(news))], ended))
    return compared


def _clashes(claim: Claim, count: int) -> list[QuestionRejected]:
    message = "another batch of the quiz was faster with the same question"
    return [QuestionRejected(batch_id=claim.batch_id, code="near_duplicate", message=message)] * count
