"""The definitions a module gives: "A granum is a stack of thylakoids that ..."."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from jobs.offline.languages import Kind, Language
from jobs.offline.statements import COORDINATORS, HEADS, MODIFIERS, Statement
from jobs.offline.terms import Lexicon
from jobs.offline.tokens import Token

TERM_WORDS_MAX = 5
TERM_RARITY_MIN = 8.6
DEFINITE_RARITY_MIN = 10.5
ADJECTIVE_RARITY_MIN = 12.0
REPEATED_RARITY_MIN = 8.4
UNKNOWN_SALIENCE = 0.5
BODY_WORDS_MIN = 5
BODY_WORDS_MAX = 32
TERM_KINDS = frozenset({Kind.NOUN, Kind.NAME, Kind.ADJECTIVE, Kind.PARTICIPLE, Kind.NUMBER, Kind.OTHER})
BEFORE_HEAD = MODIFIERS | {Kind.DETERMINER, Kind.NUMBER, Kind.ADVERB, Kind.CONJUNCTION}
LINKS = frozenset({"of", "der", "des", "von"})


NAMED = re.compile(r"^\S*\w[A-Z0-9]|\s[A-Z]")


@dataclass(frozen=True, slots=True)
class Definition:
    """`term` is what `body` describes; `article` belongs before the term; `acronym` is empty when there is none."""

    statement: Statement
    term: str
    article: str
    body: str
    acronym: str
    genus: str
    is_plural: bool
    salience: float

    @property
    def key(self) -> str:
        return self.term.casefold()

    @property
    def has_echo(self) -> bool:
        """Whether a word of the term comes back in the description."""
        return not {word.strip(",.s") for word in self.body.casefold().split()}.isdisjoint(
            word.rstrip("s") for word in self.key.split() if len(word) > 1
        )


def definitions_in(statements: Iterable[Statement], lexicon: Lexicon, language: Language) -> list[Definition]:
    """One definition a term, the first in the text."""
    found: dict[str, Definition] = {}
    for statement in statements:
        for definition in _definitions(statement, lexicon, language):
            found.setdefault(definition.key, definition)
    return list(found.values())


def _definitions(statement: Statement, lexicon: Lexicon, language: Language) -> Iterator[Definition]:
    for pattern in language.grammar.definitions:
        match = pattern.fullmatch(statement.text)
        if match is None:
            continue
        body = statement.text[match.start("body") : _turn(statement, *match.span("body"), language)].rstrip(" ,")
        term = _tokens(statement, *match.span("term"))
        if (
            _names_a_term(term, match, lexicon, language)
            and _is_phrase(_tokens(statement, *match.span("body")))
            and _describes(body, match["term"], language)
        ):
            yield _definition(statement, match, body, lexicon, language)
            return


def _definition(
    statement: Statement, match: re.Match[str], body: str, lexicon: Lexicon, language: Language
) -> Definition:
    groups = match.groupdict()
    term = match["term"]
    known = lexicon.terms.get(term.casefold())
    first = _tokens(statement, *match.span("term"))[0]
    if known is not None:
        term = known.text
        known.is_defined = True
    elif first.start == 0 and _is_lowered(first, language) and not NAMED.search(term):
        term = term[0].lower() + term[1:]
    return Definition(
        statement=statement,
        term=term,
        article=(groups.get("article") or "").strip(),
        body=body[0].lower() + body[1:] if not language.grammar.nouns_are_capitalised else body,
        acronym=groups.get("acronym") or "",
        genus=_genus(_tokens(statement, match.start("body"), match.start("body") + len(body)), language),
        is_plural=language.grammar.agreement.get(groups.get("verb") or "", False),
        salience=known.salience if known else UNKNOWN_SALIENCE,
    )


def _genus(body: list[Token], language: Language) -> str:
    """What kind of thing the description says it is: "an *enzyme* that ..."; empty for "a form of ..."."""
    for token, following in zip(body, [*body[1:], None], strict=True):
        if token.kind in HEADS and (following is None or following.kind not in HEADS):
            return "" if token.lower in language.habits.generic else token.lower
    return ""


def _is_lowered(token: Token, language: Language) -> bool:
    return not language.grammar.nouns_are_capitalised or token.kind in {Kind.ADJECTIVE, Kind.PARTICIPLE}


def _tokens(statement: Statement, start: int, end: int) -> list[Token]:
    return [token for token in statement.tokens if token.start >= start and token.end <= end]


def _names_a_term(tokens: list[Token], match: re.Match[str], lexicon: Lexicon, language: Language) -> bool:
    if not 0 < len(tokens) <= TERM_WORDS_MAX or (len(tokens) == 1 and tokens[0].lower in language.habits.generic):
        return False
    if not all(_belongs(token) for token in tokens[:-1]) or tokens[-1].kind not in TERM_KINDS:
        return False
    rarity = max(token.rarity for token in tokens)
    groups = match.groupdict()
    if (groups.get("article") or "").strip().lower() not in language.grammar.definite_articles:
        return rarity >= TERM_RARITY_MIN and not _is_activity(tokens, match)
    if len(tokens) == 1:
        return rarity >= DEFINITE_RARITY_MIN
    return groups.get("acronym") is not None or _is_settled(tokens, match["term"], lexicon)


def _belongs(token: Token) -> bool:
    return token.kind in TERM_KINDS or token.kind is Kind.ADVERB or token.lower in LINKS


def _is_settled(tokens: list[Token], term: str, lexicon: Lexicon) -> bool:
    """Whether "the ..." is a fixed term rather than a description of something mentioned before."""
    if tokens[0].kind in HEADS or tokens[0].rarity >= ADJECTIVE_RARITY_MIN:
        return True
    known = lexicon.terms.get(term.casefold())
    is_repeated = known is not None and known.count > 1 and tokens[0].rarity >= REPEATED_RARITY_MIN
    return is_repeated or all(token.text[0].isupper() for token in tokens)


def _is_activity(tokens: list[Token], match: re.Match[str]) -> bool:
    """ "Making backups is ...": the verb shows that "making" is what the sentence is about."""
    if len(tokens) == 1 or not tokens[0].lower.endswith("ing"):
        return False
    return tokens[0].kind is Kind.PARTICIPLE or (tokens[-1].is_plural and match.groupdict().get("verb") == "is")


def _is_phrase(body: list[Token]) -> bool:
    """A noun phrase rather than a predicate such as "labelled in a way that" or "clear that"."""
    if len(body) < BODY_WORDS_MIN or (body[0].kind is Kind.PARTICIPLE and body[1].kind is Kind.PREPOSITION):
        return False
    if body[0].kind is Kind.ADVERB or (body[0].kind is Kind.ADJECTIVE and body[1].kind is Kind.PARTICIPLE):
        return False
    head = next((token for token in body if token.kind not in BEFORE_HEAD), None)
    return head is not None and head.kind in HEADS


def _turn(statement: Statement, start: int, end: int, language: Language) -> int:
    """Where the description ends: the sentence turns to something else, or goes on with a second verb."""
    turn = language.grammar.turn.search(statement.text, start, end)
    end = turn.start() if turn else end
    tokens = _tokens(statement, start, end)
    is_relative = False
    for place, token in enumerate(tokens):
        is_relative = is_relative or token.kind is Kind.PRONOUN or token.lower in language.grammar.relatives
        if token.lower in COORDINATORS and _starts_clause(tokens, place + 1, is_relative=is_relative):
            return token.start
    return end


def _starts_clause(tokens: list[Token], place: int, *, is_relative: bool) -> bool:
    """Whether a verb comes next, or after a comma a subject with its verb: "..., and many features are implemented".

    In a relative clause, a verb that comes next goes on with it: "that float in the stroma and carry ...".
    """
    follows = tokens[place:]
    if follows and follows[0].kind is Kind.FINITE:
        return not is_relative
    if place < 2 or tokens[place - 2].text != ",":
        return False
    clause = takewhile(lambda token: token.kind is not Kind.PRONOUN, follows)
    return any(token.kind is Kind.FINITE for token in clause)


def _describes(body: str, term: str, language: Language) -> bool:
    words = body.casefold().split()
    if not BODY_WORDS_MIN <= len(words) <= BODY_WORDS_MAX or language.grammar.empty_body.search(body):
        return False
    if body.count("(") != body.count(")"):
        return False
    repeated = {word.strip(",.s") for word in words} & {word.rstrip("s") for word in term.casefold().split()}
    return term.casefold() not in body.casefold() and 2 * len(repeated) <= len(term.split())
