"""Short answers: questions whose answer is a term, a name, a year or the long form of an abbreviation."""

from collections.abc import Iterator
from functools import partial

from jobs.offline.acronyms import Acronym
from jobs.offline.analysis import Analysis
from jobs.offline.definitions import Definition
from jobs.offline.ideas import Idea
from jobs.offline.subjects import SubjectQuestion, YearQuestion, subject_questions, year_questions
from jobs.offline.writing import draft
from schemas.questions import Draft, ShortAnswer

MERIT_OF_TERMS = 0.85
MERIT_OF_ACRONYMS = 0.9
BONUS_OF_PERSONS = 0.2
SALIENCE_OF_ACRONYMS = 0.6


def answer_ideas(analysis: Analysis) -> Iterator[Idea]:
    for definition in analysis.definitions:
        write = partial(_term, definition, analysis)
        yield Idea(definition.statement.index, definition.key, MERIT_OF_TERMS, definition.salience, write)
    for acronym in analysis.acronyms:
        stands_for = partial(_acronym, acronym, analysis)
        yield Idea(acronym.statement.index, acronym.expansion, MERIT_OF_ACRONYMS, SALIENCE_OF_ACRONYMS, stands_for)
    for question in subject_questions(analysis):
        if stem := subject_stem(question, analysis):
            merit = question.gap.merit + BONUS_OF_PERSONS * question.is_somebody
            subject = partial(_subject, question, stem, analysis)
            yield Idea(question.gap.statement.index, question.key, merit, question.gap.salience, subject)
    for dated in year_questions(analysis):
        year = partial(_year, dated, analysis)
        yield Idea(dated.gap.statement.index, dated.key, dated.gap.merit, dated.gap.salience, year)


def subject_stem(question: SubjectQuestion, analysis: Analysis) -> str:
    """ "Who ...?" or "What ...?"; empty where the verb would have to change its number."""
    wording, grammar = analysis.language.wording, analysis.language.grammar
    if question.is_plural and (grammar.verbs_stand_second or not question.is_somebody):
        return ""
    if question.may_be_somebody and not question.is_somebody:
        return ""
    return (wording.who if question.is_somebody else wording.what).format(rest=question.rest)


def synonyms(term: str, analysis: Analysis) -> tuple[str, ...]:
    """The abbreviation of a long form and the other way round."""
    short = {acronym.expansion.casefold(): acronym.short for acronym in analysis.acronyms}
    long = {acronym.short.casefold(): acronym.expansion for acronym in analysis.acronyms}
    return tuple(other for other in (short.get(term.casefold()), long.get(term.casefold())) if other)


def _term(definition: Definition, analysis: Analysis) -> Draft:
    stem = analysis.language.wording.which_term.format(body=definition.body)
    answers = (definition.term, *synonyms(definition.term, analysis))
    return draft(ShortAnswer(stem=stem, answers=answers), definition.statement, analysis.language, "definition")


def _acronym(acronym: Acronym, analysis: Analysis) -> Draft:
    stem = analysis.language.wording.stands_for.format(acronym=acronym.short)
    content = ShortAnswer(stem=stem, answers=(acronym.expansion,))
    return draft(content, acronym.statement, analysis.language, "abbreviation")


def _subject(question: SubjectQuestion, stem: str, analysis: Analysis) -> Draft:
    answers = (question.key, *synonyms(question.key, analysis))
    return draft(ShortAnswer(stem=stem, answers=answers), question.gap.statement, analysis.language, "term")


def _year(question: YearQuestion, analysis: Analysis) -> Draft:
    stem = analysis.language.wording.which_year.format(sentence=question.sentence)
    content = ShortAnswer(stem=stem, answers=(question.key,))
    return draft(content, question.gap.statement, analysis.language, "number")
