"""What a worker knows of the questions that a quiz asks already."""

from uuid import UUID, uuid4

from jobs.banks import QUIZZES_MAX, Bank, Banks
from schemas.questions import Entered, Fingerprint
from schemas.states import QuestionType

BATCH = UUID(int=1)


def entered(*numbers: int) -> list[Entered]:
    return [
        Entered(
            number=number,
            batch_id=BATCH,
            question_type=QuestionType.SHORT_ANSWER,
            preview=f"Question {number}?",
            fingerprint=Fingerprint(text=f"q{number}", key="k", module_id=BATCH, start=0, end=1, hash=f"h{number}"),
        )
        for number in numbers
    ]


def test_a_bank_grows_by_what_it_does_not_know_yet() -> None:
    bank = Bank()
    assert (bank.seen, list(bank.taken), bank.hashes_of(BATCH)) == (0, [], set())
    bank.add(entered(3, 5))
    bank.add(entered(3, 5, 8))
    bank.add(entered(5))
    assert bank.seen == 8
    assert [fingerprint.hash for fingerprint in bank.taken] == ["h3", "h5", "h8"]
    assert bank.hashes_of(BATCH) == {"h3", "h5", "h8"}
    assert bank.hashes_of(uuid4()) == set()
    for module_id in (BATCH, None):
        assert bank.previews(QuestionType.SHORT_ANSWER, module_id, most=2) == ("Question 5?", "Question 8?")
        assert bank.previews(QuestionType.FLASHCARD, module_id, most=2) == ()
    assert bank.previews(QuestionType.SHORT_ANSWER, uuid4(), most=2) == (), "another module"


def test_the_banks_of_the_quizzes_used_last_are_kept() -> None:
    banks = Banks()
    first, second = uuid4(), uuid4()
    banks.of(first).add(entered(1))
    banks.of(second).add(entered(2))
    for _ in range(QUIZZES_MAX - 1):
        banks.of(uuid4())
        banks.of(second)
    assert banks.of(first).seen == 0, "it is read anew"
    assert banks.of(second).seen == 2
