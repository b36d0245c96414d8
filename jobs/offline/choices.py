"""Multiple choice: definitions, gaps, subjects and years, with wrong answers from the same module."""

from collections.abc import Iterator
from functools import partial

from jobs.offline.analysis import Analysis
from jobs.offline.chance import shuffled
from jobs.offline.definitions import Definition
from jobs.offline.distractors import WANTED, Distractors
from jobs.offline.gaps import BLANK, Gap, NumberGap, blanked, gaps_in
from jobs.offline.ideas import Idea
from jobs.offline.numbers import wrong_numbers
from jobs.offline.statements import Statement
from jobs.offline.subjects import SubjectQuestion, YearQuestion, subject_questions, year_questions
from jobs.offline.writing import capitalised, draft
from schemas.questions import Draft, MultipleChoice

MERIT_OF_TERMS = 0.85
MERIT_OF_BODIES = 0.8
COST_OF_ECHOES = 0.25
BONUS_OF_QUESTIONS = 0.15


def choice_ideas(analysis: Analysis) -> Iterator[Idea]:
    choices = Choices(analysis)
    for definition in analysis.definitions:
        place, salience = definition.statement.index, definition.salience
        merit = MERIT_OF_TERMS - (COST_OF_ECHOES if definition.has_echo else 0.0)
        yield Idea(place, definition.key, merit, salience, partial(choices.which_term, definition))
        yield Idea(place, definition.body, MERIT_OF_BODIES, salience, partial(choices.which_description, definition))
    for question in subject_questions(analysis):
        yield _idea(question.gap, question.key, BONUS_OF_QUESTIONS, partial(choices.subject, question))
    for dated in year_questions(analysis):
        yield _idea(dated.gap, dated.key, BONUS_OF_QUESTIONS, partial(choices.year, dated))
    for gap in gaps_in(analysis):
        yield _idea(gap, gap.key, 0.0, partial(choices.gap, gap))


def _idea(gap: Gap, key: str, bonus: float, write: partial[Draft | None]) -> Idea:
    return Idea(gap.statement.index, key, gap.merit + bonus, gap.salience, write)


class Choices:
    """Writes the multiple choice questions of one module. Each gives None when there are too few wrong answers."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._language = analysis.language
        self._wording = analysis.language.wording
        self._distractors = Distractors(analysis)

    def which_term(self, definition: Definition) -> Draft | None:
        stem = self._wording.which_term.format(body=definition.body)
        wrong = self._distractors.for_definition(definition)
        return self._choice(stem, definition.term, wrong, definition.statement, "definition")

    def which_description(self, definition: Definition) -> Draft | None:
        stem = self._wording.which_description.format(term=definition.term)
        wrong = self._distractors.bodies_for(definition)
        return self._choice(stem, definition.body, wrong, definition.statement, "definition")

    def subject(self, question: SubjectQuestion) -> Draft | None:
        if question.key != question.gap.key:
            return None
        phrase = self._wording.who if question.is_somebody else self._wording.which_of_these
        wrong = self._distractors.for_gap(question.gap)
        return self._choice(phrase.format(rest=question.rest), question.key, wrong, question.gap.statement, "term")

    def year(self, question: YearQuestion) -> Draft | None:
        stem = self._wording.which_year.format(sentence=question.sentence)
        return self._choice(stem, question.key, self._numbers(question.gap), question.gap.statement, "number")

    def gap(self, gap: Gap) -> Draft | None:
        stem = blanked(gap.statement, gap.first, gap.last, self._language.grammar.neutral_articles)
        wrong = self._numbers(gap) if isinstance(gap, NumberGap) else self._distractors.for_gap(gap)
        return self._choice(stem, gap.key, wrong, gap.statement, gap.tag)

    def _numbers(self, gap: NumberGap) -> list[str]:
        return wrong_numbers(gap.number, self._analysis.number_groups, self._language)[:WANTED]

    def _choice(self, stem: str, key: str, wrong: list[str], statement: Statement, tag: str) -> Draft | None:
        if not stem or len(wrong) < WANTED:
            return None
        if not _opens_inside(stem):
            key, wrong = capitalised(key), [capitalised(text) for text in wrong]
        options = shuffled((key, *wrong), stem)
        content = MultipleChoice(stem=stem, options=tuple(options), answer=options.index(key))
        return draft(content, statement, self._language, tag)


def _opens_inside(stem: str) -> bool:
    """Whether the answer stands inside a sentence. Elsewhere it has a capital, and that of a name is no cue."""
    return BLANK in stem and not stem.startswith(BLANK)
