"""Ideas for questions, ranked: which to write first, and which to leave out because they were asked before."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from jobs.offline.chance import draw
from schemas.questions import Draft, Flashcard, Vocabulary, preview_of
from schemas.states import Difficulty, QuestionType

HOMES = 3
REPEAT_COST = 0.25
AWAY_COST = 0.12
SALIENCE_SHARE = 0.25
DIFFICULTY_SHARE = 0.5

NOT_A_WORD = re.compile(r"[\W_]+")


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


def ranked(ideas: Iterable[Idea], question_type: QuestionType, difficulty: Difficulty | None) -> list[Idea]:
    """Best first. A sentence or a key that came up already waits, so that the questions spread over the module.

    Each sentence has a home among the types: batches of different types that run at once rarely want the same one.
    """
    home = list(QuestionType).index(question_type) % HOMES

    def worth(idea: Idea) -> float:
        away = AWAY_COST if draw(str(idea.place), "home") % HOMES != home else 0.0
        return idea.merit + _suits(idea, difficulty) - away

    first_round = sorted(ideas, key=lambda idea: (-worth(idea), idea.place, idea.key))
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


def written(ideas: Iterable[Idea], avoid: Iterable[str]) -> Iterator[Draft]:
    """The drafts in order, without those whose stem, front or term (alone, or followed by the key) is in `avoid`.

    Case, punctuation and spaces don't count in the comparison.
    """
    asked = {_folded(stem) for stem in avoid}
    for idea in ideas:
        draft = idea.write()
        if draft is None:
            continue
        stem = _folded(preview_of(draft.content))
        if stem not in asked and _folded(f"{stem} {_key_of(draft, idea)}") not in asked:
            asked.add(stem)
            yield draft


def _key_of(draft: Draft, idea: Idea) -> str:
    match draft.content:
        case Flashcard(back=back):
            return back
        case Vocabulary(definition=definition):
            return definition
        case _:
            return idea.key


def _folded(text: str) -> str:
    return NOT_A_WORD.sub(" ", text.casefold()).strip()
