"""Ideas for questions, ranked: which to write first, and which to leave out because they were asked before."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from jobs.duplicates import SIMILARITY_MIN
from jobs.offline.chance import draw
from schemas.questions import Draft, preview_of
from schemas.states import Difficulty, QuestionType
from service.rules.likeness import text_form

MERIT_MIN = 0.35
HOMES = 3
HOME_OF = {
    QuestionType.MULTIPLE_CHOICE: 0,
    QuestionType.MULTIPLE_RESPONSE: 1,
    QuestionType.TRUE_FALSE: 1,
    QuestionType.FILL_IN_BLANK: 2,
    QuestionType.SHORT_ANSWER: 0,
    QuestionType.MATCHING: 2,
    QuestionType.NUMERIC: 0,
    QuestionType.FLASHCARD: 1,
    QuestionType.VOCABULARY: 2,
}
assert set(HOME_OF) == set(QuestionType), "every question type needs a home"
REPEAT_COST = 0.25
AWAY_COST = 0.12
SALIENCE_SHARE = 0.25
DIFFICULTY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Idea:
    """A question that could be written about statement `place` with `key` as its answer.

    `merit` (0 to 1) says how good it is likely to be, `salience` (0 to 1) how central to the module what it asks for.
    `write` gives None when it does not work out, for example for want of wrong answers.
    """

    place: int
    key: str
    merit: float
    salience: float
    write: Callable[[], Draft | None]


@dataclass(frozen=True, slots=True)
class Question:
    """A written idea in the normal form in which questions are compared."""

    key: str
    text: str


def ranked(ideas: Iterable[Idea], question_type: QuestionType, difficulty: Difficulty | None) -> list[Idea]:
    """Best first, without the poor ones.

    A sentence or a key that came up already waits, so that the questions spread over the module. Each sentence has a
    home among the types, so that a quiz of several types asks about most of the module rather than of the same twice.
    """

    def worth(idea: Idea) -> float:
        away = AWAY_COST if draw(str(idea.place), "home") % HOMES != HOME_OF[question_type] else 0.0
        return idea.merit + _suits(idea, difficulty) - away

    worthwhile = [idea for idea in ideas if idea.merit >= MERIT_MIN]
    first_round = sorted(worthwhile, key=lambda idea: (-worth(idea), idea.place, idea.key))
    places: Counter[int] = Counter()
    keys: Counter[str] = Counter()
    final: list[tuple[float, int, Idea]] = []
    for order, idea in enumerate(first_round):
        repeats = places[idea.place] + keys[idea.key]
        places[idea.place] += 1
        keys[idea.key] += 1
        final.append((worth(idea) - REPEAT_COST * repeats, order, idea))
    final.sort(key=lambda entry: (-entry[0], entry[1]))
    return [idea for _, _, idea in final]


def _suits(idea: Idea, difficulty: Difficulty | None) -> float:
    """Intended difficulty: what the module is about is easy, what it mentions once in passing is hard."""
    match difficulty:
        case None:
            return SALIENCE_SHARE * idea.salience
        case Difficulty.EASY:
            return DIFFICULTY_SHARE * idea.salience
        case Difficulty.MEDIUM:
            return DIFFICULTY_SHARE * (1 - abs(2 * idea.salience - 1))
        case Difficulty.HARD:
            return DIFFICULTY_SHARE * (1 - idea.salience)


def in_lane(ideas: list[Idea], lane: int, lanes: int) -> list[Idea]:
    """The ideas of one lane first, then those of the others: batches that run at once begin apart."""
    return [idea for shift in range(lanes) for idea in ideas[(lane + shift) % lanes :: lanes]]


def written(ideas: Iterable[Idea], avoid: Iterable[str], go_on: Callable[[], None]) -> Iterator[Draft]:
    """The drafts in order, without those whose stem, front or term (alone, or followed by the key) is in `avoid`.

    Case, punctuation and spaces don't count in that comparison. Of the questions about one sentence, one that has the
    key of another or reads nearly like it is left out: the checks would call it a duplicate. `go_on` is called before
    each; it may raise.
    """
    avoided = {text_form(stem) for stem in avoid}
    asked: defaultdict[int, list[Question]] = defaultdict(list)
    for idea in ideas:
        go_on()
        draft = idea.write()
        if draft is None:
            continue
        stem = text_form(preview_of(draft.content))
        question = Question(text_form(idea.key), f"{stem} {text_form(idea.key)}")
        is_new = not any(_is_alike(question, other) for other in asked[idea.place])
        asked[idea.place].append(question)
        if is_new and stem not in avoided and question.text not in avoided:
            yield draft


def _is_alike(question: Question, other: Question) -> bool:
    return question.key == other.key or fuzz.ratio(question.text, other.text) >= SIMILARITY_MIN
