"""Numeric questions: a sentence of the module without one of its numbers, or without its year."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from jobs.offline.analysis import Analysis
from jobs.offline.gaps import BLANK, NumberGap, number_gaps
from jobs.offline.ideas import Idea
from jobs.offline.numbers import Number, NumberKind, value_of
from jobs.offline.subjects import YearQuestion, year_questions
from jobs.offline.writing import draft
from schemas.questions import Draft, Numeric
from service.rules.likeness import text_form

COST_OF_YEARS = 0.1
ROUNDED_SHARE = Decimal("0.1")
HEDGE_REACH = 2
DIGITS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


def figure_ideas(analysis: Analysis) -> Iterator[Idea]:
    dated: set[int] = set()
    for question in year_questions(analysis):
        gap = question.gap
        dated.add(gap.statement.index)
        year = partial(_year, question, analysis)
        yield Idea(gap.statement.index, question.key, gap.merit - COST_OF_YEARS, gap.salience, year)
    for gap in number_gaps(analysis):
        value = value_of(gap.number, analysis.language)
        is_asked = gap.number.kind is NumberKind.YEAR and gap.statement.index in dated
        if value is not None and not is_asked and not _is_told(gap, value):
            number = partial(_number, gap, value, analysis)
            yield Idea(gap.statement.index, gap.key, gap.merit, gap.salience, number)


def _year(question: YearQuestion, analysis: Analysis) -> Draft:
    stem = analysis.language.wording.which_year.format(sentence=question.sentence)
    content = Numeric(stem=stem, answer=int(question.key), tolerance=0)
    return draft(content, question.gap.statement, analysis.language, "number")


def _number(gap: NumberGap, value: Decimal, analysis: Analysis) -> Draft:
    token, text = gap.statement.tokens[gap.first], gap.statement.text
    unit = "%" if token.text.endswith("%") else ""
    stem = analysis.language.wording.which_number.format(stem=f"{text[: token.start]}{BLANK}{unit}{text[token.end :]}")
    tolerance = _tolerance(gap.number, value, analysis)
    content = Numeric(stem=stem, answer=float(value), tolerance=float(tolerance))
    return draft(content, gap.statement, analysis.language, "number")


def _is_told(gap: NumberGap, value: Decimal) -> bool:
    """Whether the rest of the sentence names the number: "P680 absorbs best at ____ nm", "C4 has ____ carbon atoms"."""
    token, text = gap.statement.tokens[gap.first], gap.statement.text
    rest = f"{text[: token.start]} {text[token.end :]}"
    return not {gap.key.rstrip("%").lower(), f"{value:f}"}.isdisjoint((*DIGITS.findall(rest), *text_form(rest).split()))


def _tolerance(number: Number, value: Decimal, analysis: Analysis) -> Decimal:
    """A tenth of what the text itself calls approximate; half of the last digit of a decimal; else nothing."""
    tokens = number.statement.tokens[max(0, number.place - HEDGE_REACH) : number.place]
    if any(token.lower in analysis.language.grammar.hedges for token in tokens):
        return (value * ROUNDED_SHARE).normalize()
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "a number read from digits is finite"
    return Decimal(5).scaleb(exponent - 1) if exponent < 0 and number.kind is NumberKind.VALUE else Decimal(0)
