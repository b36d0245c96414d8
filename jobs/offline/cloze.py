"""Fill in the blank: a sentence of the module with one term or number left out."""

from collections.abc import Iterator
from functools import partial

from jobs.offline.analysis import Analysis
from jobs.offline.gaps import Gap, NumberGap, blanked, gaps_in
from jobs.offline.ideas import Idea
from jobs.offline.numbers import NumberKind
from jobs.offline.writing import draft
from schemas.questions import Draft, FillInBlank


def cloze_ideas(analysis: Analysis) -> Iterator[Idea]:
    for gap in gaps_in(analysis):
        yield Idea(gap.statement.index, gap.key, gap.merit, gap.salience, partial(_cloze, gap, analysis))


def accepted_answers(gap: Gap, analysis: Analysis) -> tuple[str, ...]:
    """The key, and what means the same: its abbreviation or expansion, a numeral in digits."""
    answers = [gap.key]
    if isinstance(gap, NumberGap) and gap.number.kind is NumberKind.NUMERAL:
        answers.append(str(analysis.language.grammar.numerals.index(gap.key.lower()) + 2))
    for acronym in analysis.acronyms:
        if gap.key.casefold() == acronym.short.casefold():
            answers.append(acronym.expansion)
        elif gap.key.casefold() == acronym.expansion.casefold():
            answers.append(acronym.short)
    return tuple(answers)


def _cloze(gap: Gap, analysis: Analysis) -> Draft:
    language = analysis.language
    stem = blanked(gap.statement, gap.first, gap.last, language.grammar.neutral_articles)
    content = FillInBlank(stem=stem, answers=accepted_answers(gap, analysis))
    return draft(content, gap.statement, language, gap.tag)
