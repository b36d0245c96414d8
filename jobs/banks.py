"""What the quizzes that a worker works on ask already, read once and then only what has come since."""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from schemas.questions import Entered

QUIZZES_MAX = 16


class Bank:
    """Of one quiz; only what is committed may be added. Order and numbers are the database's."""

    def __init__(self) -> None:
        self._entered: list[Entered] = []

    @property
    def seen(self) -> int:
        """The number of the newest question known."""
        return self._entered[-1].number if self._entered else 0

    def add(self, entered: Iterable[Entered]) -> None:
        """What was read beyond a number that was known then; what has become known meanwhile is left out."""
        seen = self.seen
        self._entered += [question for question in entered if question.number > seen]

    def since(self, number: int) -> list[Entered]:
        """What is known beyond a number."""
        found = []
        for question in reversed(self._entered):
            if question.number <= number:
                break
            found.append(question)
        return found[::-1]


class Banks:
    """The banks of the quizzes that were used last."""

    def __init__(self) -> None:
        self._banks: OrderedDict[UUID, Bank] = OrderedDict()

    def of(self, quiz_id: UUID) -> Bank:
        bank = self._banks.setdefault(quiz_id, Bank())
        self._banks.move_to_end(quiz_id)
        while len(self._banks) > QUIZZES_MAX:
            self._banks.popitem(last=False)
        return bank
