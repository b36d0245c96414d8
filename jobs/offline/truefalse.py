"""True or false: a sentence of the module as it stands, or with one thing changed to something of the same kind."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from jobs import cues
from jobs.offline.analysis import Analysis
from jobs.offline.chance import draw
from jobs.offline.definitions import Definition
from jobs.offline.distractors import Distractors
from jobs.offline.gaps import Gap, NumberGap, TermGap, gaps_in
from jobs.offline.ideas import Idea
from jobs.offline.numbers import wrong_numbers
from jobs.offline.statements import HEADS, Statement
from jobs.offline.writing import draft
from schemas.questions import Draft, TrueFalse

SHARE_MAX = 0.6
COST_OF_CUES = 0.15
SOUNDS_LIKE_VOWEL = frozenset("aeiou")


@dataclass(frozen=True, slots=True)
class Change:
    """`text[start:end]` of the statement becomes `wrong`; `remark` says what is right."""

    start: int
    end: int
    wrong: str
    remark: str


def truth_ideas(analysis: Analysis) -> tuple[list[Idea], list[Idea]]:
    """Ideas for true and for false statements. Each sentence of the module is drawn to one side."""
    gaps: defaultdict[int, list[Gap]] = defaultdict(list)
    for gap in gaps_in(analysis):
        gaps[gap.statement.index].append(gap)
    falsifier = Falsifier(analysis)
    sides: tuple[list[Idea], list[Idea]] = ([], [])
    for place, found in gaps.items():
        best = max(found, key=lambda gap: (gap.merit, gap.salience, -gap.first))
        is_false = draw(best.statement.text, "truth") % 2
        write = partial(falsifier.false, found) if is_false else partial(falsifier.true, best.statement)
        merit = best.merit - COST_OF_CUES * _gives_itself_away(best.statement.text, analysis.language.code)
        sides[is_false].append(Idea(place, best.key, merit, best.salience, write))
    return sides


def _gives_itself_away(text: str, language: str) -> bool:
    """Always, never, often, not: the checks would warn of it."""
    judges = (cues.has_absolute_term, cues.has_vague_term, cues.is_negative)
    return any(has_cue(text, language) for has_cue in judges)


def balanced(true: Iterable[Draft], false: Iterable[Draft]) -> Iterator[Draft]:
    """One of each in turn; of what is left, as much as keeps either side at 60 % or less."""
    rest = iter(true)
    count = 0
    for wrong in false:
        right = next(rest, None)
        if right is not None:
            yield right
        yield wrong
        count += 1
    extra = int(count * SHARE_MAX / (1 - SHARE_MAX)) - count
    for _, right in zip(range(extra), rest, strict=False):
        yield right


class Falsifier:
    """Writes true and false statements of one module."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._language = analysis.language
        self._wording = analysis.language.wording
        self._distractors = Distractors(analysis)
        self._borrowed: set[str] = set()
        self._defined = {definition.statement.index: definition for definition in analysis.definitions}

    def true(self, statement: Statement) -> Draft:
        return draft(TrueFalse(stem=statement.text, answer=True), statement, self._language, "statement")

    def false(self, gaps: list[Gap]) -> Draft | None:
        """The likeliest change: another definition, an opposite, another number, another term."""
        statement = gaps[0].statement
        change = next(self._changes(statement, gaps), None)
        if change is None:
            return None
        stem = statement.text[: change.start] + change.wrong + statement.text[change.end :]
        content = TrueFalse(stem=stem, answer=False)
        return draft(content, statement, self._language, "statement", remark=change.remark)

    def _changes(self, statement: Statement, gaps: list[Gap]) -> Iterator[Change]:
        if statement.index in self._defined:
            yield from self._other_definition(statement, self._defined[statement.index])
        yield from self._opposite(statement)
        by_merit = sorted(gaps, key=lambda gap: (-gap.merit, gap.first))
        for gap in by_merit:
            if isinstance(gap, NumberGap):
                wrong = wrong_numbers(gap.number, self._analysis.number_groups, self._language)
                yield from (self._instead(statement, gap.first, gap.last, text) for text in wrong[:1])
        for gap in by_merit:
            if isinstance(gap, TermGap):
                yield from self._other_term(gap)

    def _other_definition(self, statement: Statement, definition: Definition) -> Iterator[Change]:
        start = statement.text.find(definition.body)
        fresh = (other for other in self._distractors.related(definition) if other.key not in self._borrowed)
        other = next(fresh, None)
        if start > 0 and other is not None:
            self._borrowed.add(other.key)
            remark = self._wording.describes_other.format(other=other.term)
            yield Change(start, len(statement.text) - 1, other.body, remark)

    def _opposite(self, statement: Statement) -> Iterator[Change]:
        tokens = statement.tokens
        for place, token in enumerate(tokens):
            wrong = self._language.grammar.opposites.get(token.text)
            if token.kind not in HEADS and wrong is not None and wrong not in {other.lower for other in tokens}:
                yield self._instead(statement, place, place, wrong)

    def _other_term(self, gap: TermGap) -> Iterator[Change]:
        before = gap.statement.tokens[gap.first - 1].lower if gap.first else ""
        for wrong in self._distractors.close_to(gap)[:1]:
            keeps_article = (wrong[0].lower() in SOUNDS_LIKE_VOWEL) == (gap.key[0].lower() in SOUNDS_LIKE_VOWEL)
            if keeps_article or before not in self._language.grammar.neutral_articles:
                yield self._instead(gap.statement, gap.first, gap.last, wrong)

    def _instead(self, statement: Statement, first: int, last: int, wrong: str) -> Change:
        right = statement.slice(first, last)
        start, end = statement.tokens[first].start, statement.tokens[last].end
        written = wrong[0].upper() + wrong[1:] if start == 0 else wrong
        remark = self._wording.right_instead_of_wrong.format(wrong=wrong, right=right)
        return Change(start, end, written, remark)
