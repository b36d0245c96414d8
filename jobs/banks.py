"""What the quizzes that a worker works on ask already, read once and then only what has come since."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from uuid import UUID

from jobs.duplicates import Taken
from schemas.questions import Entered
from schemas.states import QuestionType

QUIZZES_MAX = 16


class Bank:
    """Of one quiz; only what is committed may be added. Order and numbers are the database's."""

    def __init__(self) -> None:
        self.seen = 0
        """The number of the newest question known."""
        self.taken = Taken()
        self._previews: defaultdict[tuple[QuestionType, UUID | None], list[str]] = defaultdict(list)
        self._hashes: defaultdict[UUID, set[str]] = defaultdict(set)

    def add(self, entered: Iterable[Entered]) -> None:
        """What was read beyond a number that was known then; what has become known meanwhile is left out."""
        for question in entered:
            if question.number <= self.seen:
                continue
            self.seen = question.number
            self.taken.append(question.fingerprint)
            for module_id in (question.fingerprint.module_id, None):
                self._previews[question.question_type, module_id].append(question.preview)
            self._hashes[question.batch_id].add(question.fingerprint.hash)

    def previews(self, question_type: QuestionType, module_id: UUID | None, *, most: int) -> tuple[str, ...]:
        """Of the newest questions about the module, or (None) in all the quiz; the last one last."""
        return tuple(self._previews.get((question_type, module_id), [])[-most:])

    def hashes_of(self, batch_id: UUID) -> set[str]:
        """Of the questions that the batch holds or has saved."""
        return set(self._hashes.get(batch_id, ()))


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
