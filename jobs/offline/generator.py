"""From an analysed module to drafts of one question type, best first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jobs.offline.analysis import Analysis, Stopped
from jobs.offline.answers import answer_ideas
from jobs.offline.cards import card_ideas, vocabulary_ideas
from jobs.offline.choices import choice_ideas
from jobs.offline.cloze import cloze_ideas
from jobs.offline.figures import figure_ideas
from jobs.offline.ideas import Idea, in_lane, ranked, written
from jobs.offline.pairs import pair_ideas
from jobs.offline.responses import response_ideas
from jobs.offline.topics import by_topic
from jobs.offline.truefalse import balanced, truth_ideas
from schemas.questions import Draft
from schemas.states import Difficulty, QuestionType
from schemas.topics import Topic

IDEAS_OF: dict[QuestionType, Callable[[Analysis], Iterator[Idea]]] = {
    QuestionType.MULTIPLE_CHOICE: choice_ideas,
    QuestionType.MULTIPLE_RESPONSE: response_ideas,
    QuestionType.FILL_IN_BLANK: cloze_ideas,
    QuestionType.SHORT_ANSWER: answer_ideas,
    QuestionType.MATCHING: pair_ideas,
    QuestionType.NUMERIC: figure_ideas,
    QuestionType.FLASHCARD: card_ideas,
    QuestionType.VOCABULARY: vocabulary_ideas,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. Equal wishes about one module give equal drafts."""

    question_type: QuestionType
    difficulty: Difficulty | None = None
    avoid: tuple[str, ...] = ()
    lane: int = 0
    lanes: int = 1
    topics: tuple[Topic, ...] = ()
    other_topics: tuple[Topic, ...] = ()


def drafts(analysis: Analysis, wish: Wish, is_stopped: Callable[[], bool]) -> Iterator[Draft]:
    """Every draft the module yields, written one by one as they are taken; none of a type that needs a model.

    Raises Stopped.
    """

    def go_on() -> None:
        if is_stopped():
            raise Stopped

    if wish.question_type is QuestionType.TRUE_FALSE:
        true, false = truth_ideas(analysis)
        return balanced(
            written(_in_turn(true, wish, analysis), wish.avoid, go_on),
            written(_in_turn(false, wish, analysis), wish.avoid, go_on),
        )
    ideas_of = IDEAS_OF.get(wish.question_type)
    return written(_in_turn(list(ideas_of(analysis)), wish, analysis), wish.avoid, go_on) if ideas_of else iter(())


def _in_turn(ideas: list[Idea], wish: Wish, analysis: Analysis) -> Sequence[Idea]:
    best_first = ranked(ideas, wish.question_type, wish.difficulty)
    if wish.topics:
        return by_topic(best_first, wish.topics, wish.other_topics, analysis)
    return in_lane(best_first, wish.lane, wish.lanes)
