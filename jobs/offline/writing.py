"""Puts a question into its final form: content, verbatim evidence, an explanation and tags."""

from jobs.offline.languages import Language
from jobs.offline.statements import Statement
from schemas.questions import Content, Draft

OFFLINE = "offline"


def draft(content: Content, statement: Statement, language: Language, tag: str, remark: str = "") -> Draft:
    """`remark` comes before the sentence of the source in the explanation. The cognitive level is always `remember`."""
    says = language.wording.source_says.format(sentence=statement.text)
    return Draft(
        content=content,
        quote=statement.sentence.quote,
        explanation=f"{remark} {says}".strip(),
        tags=(OFFLINE, tag),
    )


def named(term: str, article: str) -> str:
    """A term with its article as it stands inside a question: "a granum", "the stroma"."""
    return f"{article[0].lower()}{article[1:]} {term}" if article else term
