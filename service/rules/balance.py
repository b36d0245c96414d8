"""Whether the answers of a whole batch can be guessed: which key positions, and which of true and false, stand out."""

from collections import Counter
from collections.abc import Sequence

from schemas.questions import Content, MultipleChoice, TrueFalse
from schemas.states import QuestionType

KEY_POSITION = "key_position_balance"
TRUE_FALSE = "true_false_balance"

TYPES = (QuestionType.MULTIPLE_CHOICE, QuestionType.TRUE_FALSE)

QUESTIONS_MIN = 10
"""Of fewer, any share is chance."""

TRUE_SHARE_MIN, TRUE_SHARE_MAX = 0.35, 0.65
POSITION_EXCESS_MAX = 1.6
"""How much more often than by chance a position may hold the key: 40 % with four options."""

# Chi-square that chance exceeds in 5 % of all batches, by degrees of freedom: positions less one.
_CHI_SQUARE_MAX = {1: 3.84, 2: 5.99, 3: 7.81, 4: 9.49, 5: 11.07}


def flaws_of(contents: Sequence[Content]) -> list[str | None]:
    """For each question of a batch: the flaw of those whose answer is the one that is given too often."""
    statements = [content.answer for content in contents if isinstance(content, TrueFalse)]
    choices = [content for content in contents if isinstance(content, MultipleChoice)]
    truth, positions = _too_frequent_truth(statements), _too_frequent_positions(choices)
    return [_flaw(content, truth, positions) for content in contents]


def _flaw(content: Content, truth: bool | None, positions: frozenset[int]) -> str | None:  # noqa: FBT001 - an answer
    if isinstance(content, TrueFalse) and content.answer is truth:
        return TRUE_FALSE
    if isinstance(content, MultipleChoice) and content.answer in positions:
        return KEY_POSITION
    return None


def _too_frequent_truth(answers: Sequence[bool]) -> bool | None:
    if len(answers) < QUESTIONS_MIN:
        return None
    share = sum(answers) / len(answers)
    if TRUE_SHARE_MIN <= share <= TRUE_SHARE_MAX:
        return None
    return share > TRUE_SHARE_MAX


def _too_frequent_positions(choices: Sequence[MultipleChoice]) -> frozenset[int]:
    """Both the share and its unlikeliness count: in ten questions, 5 keys in one place are nothing unusual."""
    if len(choices) < QUESTIONS_MIN:
        return frozenset()
    found = Counter(choice.answer for choice in choices)
    sizes = [len(choice.options) for choice in choices]
    expected = {position: sum(1 / size for size in sizes if position < size) for position in range(max(sizes))}
    chi_square = sum((found[position] - count) ** 2 / count for position, count in expected.items())
    if chi_square <= _CHI_SQUARE_MAX[len(expected) - 1]:
        return frozenset()
    return frozenset(position for position, count in expected.items() if found[position] > POSITION_EXCESS_MAX * count)
