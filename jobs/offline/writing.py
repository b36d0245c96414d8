"""Puts a question into its final form: content, verbatim evidence, an explanation and tags."""

from collections.abc import Sequence

from jobs.offline.analysis import Analysis
from jobs.offline.languages import Language
from jobs.offline.statements import Statement
from jobs.offline.terms import is_acronym
from schemas.questions import Content, Draft

OFFLINE = "offline"
CODE_CHARACTERS_MAX = 7


def draft(content: Content, statement: Statement, language: Language, tag: str, remark: str = "") -> Draft:
    """`remark` comes before the sentence of the source in the explanation. The cognitive level is always `remember`."""
    says = language.wording.source_says.format(sentence=statement.sentence.said)
    return Draft(
        content=content,
        quote=statement.sentence.quote,
        explanation=f"{remark} {says}".strip(),
        tags=(OFFLINE, tag),
    )


def draft_of_several(
    content: Content, statements: Sequence[Statement], analysis: Analysis, tag: str, remark: str = ""
) -> Draft:
    """The same for a question about several sentences. The quote is the passage from the first to the last of them."""
    sentences = sorted((statement.sentence for statement in statements), key=lambda sentence: sentence.start)
    said = " ".join(sentence.said for sentence in sentences)
    says = analysis.language.wording.source_says.format(sentence=said)
    return Draft(
        content=content,
        quote=analysis.text[sentences[0].start : sentences[-1].end],
        explanation=f"{remark} {says}".strip(),
        tags=(OFFLINE, tag),
    )


def capitalised(text: str) -> str:
    """With a capital as at the start of a sentence; "mRNA" and "dom0" keep their own form."""
    first = text.split(" ", 1)[0]
    keeps_form = len(first) <= CODE_CHARACTERS_MAX and is_acronym(first)
    return text if keeps_form else text[0].upper() + text[1:]


def named(term: str, article: str) -> str:
    """A term with its article as it stands inside a question: "a granum", "the stroma"."""
    return f"{article[0].lower()}{article[1:]} {term}" if article else term
