"""What a claimed batch has brought since it was last written."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.calls import Call
from schemas.events import QuestionRejected
from schemas.plans import Claim
from schemas.questions import SoundQuestion


class Holding(NamedTuple):
    """Questions that passed, what did not, and calls that ended."""

    claim: Claim
    sound: Sequence[SoundQuestion] = ()
    rejected: Sequence[QuestionRejected] = ()
    ended: Sequence[Call] = ()
