"""Flashcards and vocabulary: definitions first, then abbreviations, persons, years and gaps."""

from collections.abc import Iterator
from functools import partial

from jobs.offline.acronyms import Acronym
from jobs.offline.analysis import Analysis
from jobs.offline.answers import subject_stem
from jobs.offline.definitions import Definition
from jobs.offline.gaps import Gap, blanked, gaps_in
from jobs.offline.ideas import Idea
from jobs.offline.statements import Statement
from jobs.offline.subjects import SubjectQuestion, YearQuestion, subject_questions, year_questions
from jobs.offline.writing import capitalised, draft, named
from schemas.questions import Draft, Flashcard, Vocabulary

MERIT_OF_DEFINITIONS = 1.0
MERIT_OF_ACRONYMS = 0.9
SALIENCE_OF_ACRONYMS = 0.6
COST_OF_GAPS = 0.15


def card_ideas(analysis: Analysis) -> Iterator[Idea]:
    for definition in analysis.definitions:
        card = partial(_definition, definition, analysis)
        yield Idea(definition.statement.index, definition.body, MERIT_OF_DEFINITIONS, definition.salience, card)
    for acronym in analysis.acronyms:
        card = partial(_acronym, acronym, analysis)
        yield Idea(acronym.statement.index, acronym.expansion, MERIT_OF_ACRONYMS, SALIENCE_OF_ACRONYMS, card)
    for question in subject_questions(analysis):
        card = partial(_subject, question, analysis)
        yield Idea(question.gap.statement.index, question.key, question.gap.merit, question.gap.salience, card)
    for dated in year_questions(analysis):
        card = partial(_year, dated, analysis)
        yield Idea(dated.gap.statement.index, dated.key, dated.gap.merit, dated.gap.salience, card)
    for gap in gaps_in(analysis):
        card = partial(_gap, gap, analysis)
        yield Idea(gap.statement.index, gap.key, gap.merit - COST_OF_GAPS, gap.salience, card)


def vocabulary_ideas(analysis: Analysis) -> Iterator[Idea]:
    for definition in analysis.definitions:
        entry = partial(_vocabulary, definition, analysis)
        yield Idea(definition.statement.index, definition.key, MERIT_OF_DEFINITIONS, definition.salience, entry)


def _card(front: str, back: str, statement: Statement, analysis: Analysis, tag: str) -> Draft | None:
    return draft(Flashcard(front=front, back=back), statement, analysis.language, tag) if front else None


def _definition(definition: Definition, analysis: Analysis) -> Draft | None:
    wording = analysis.language.wording
    phrase = wording.what_are if definition.is_plural else wording.what_is
    front = phrase.format(term=named(definition.term, definition.article))
    back = f"{capitalised(definition.body)}."
    return _card(front, back, definition.statement, analysis, "definition")


def _acronym(acronym: Acronym, analysis: Analysis) -> Draft | None:
    front = analysis.language.wording.stands_for.format(acronym=acronym.short)
    return _card(front, capitalised(acronym.expansion), acronym.statement, analysis, "abbreviation")


def _subject(question: SubjectQuestion, analysis: Analysis) -> Draft | None:
    return _card(subject_stem(question, analysis), capitalised(question.key), question.gap.statement, analysis, "term")


def _year(question: YearQuestion, analysis: Analysis) -> Draft | None:
    front = analysis.language.wording.which_year.format(sentence=question.sentence)
    return _card(front, question.key, question.gap.statement, analysis, "number")


def _gap(gap: Gap, analysis: Analysis) -> Draft | None:
    language = analysis.language
    stem = blanked(gap.statement, gap.first, gap.last, language.grammar.neutral_articles)
    front = language.wording.complete.format(stem=stem)
    return _card(front, gap.key, gap.statement, analysis, gap.tag)


def _vocabulary(definition: Definition, analysis: Analysis) -> Draft:
    content = Vocabulary(term=definition.term, definition=definition.body, example=_example(definition, analysis).text)
    return draft(content, definition.statement, analysis.language, "definition")


def _example(definition: Definition, analysis: Analysis) -> Statement:
    """The shortest other sentence that uses the term; where there is none, the defining one."""
    term = analysis.lexicon.terms.get(definition.key)
    places = {mention.statement for mention in term.mentions} if term else set()
    others = [analysis.statements[place] for place in sorted(places - {definition.statement.index})]
    return min(others, key=lambda statement: len(statement.text), default=definition.statement)
