"""The text inside a paragraph of HTML: its spaces, line breaks and raised or lowered figures as plain text."""

import re

_WHITE_SPACE = re.compile("[ \t\r\n\f\xa0]+")
LINE_BREAK = "\v"
_AROUND_BREAK = re.compile(f" ?{LINE_BREAK} ?")
_MANY_BREAKS = re.compile("\n{3,}")
_FIGURES = re.compile(r"[+\-\u2212]?[0-9]+|[+\-\u2212]")
_EXPRESSION = re.compile(r"[\w+*/().,=\-\u2212]{1,40}")
_RAISED = str.maketrans("0123456789+-\u2212", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LOWERED = str.maketrans("0123456789+-\u2212", "₀₁₂₃₄₅₆₇₈₉₊₋₋")


def collapsed(raw: str) -> str:
    line = _WHITE_SPACE.sub(" ", raw)
    return _MANY_BREAKS.sub("\n\n", _AROUND_BREAK.sub("\n", line)).strip()


def superscript(text: str, before: str) -> str:
    """10<sup>6</sup> is not 106. Letters after a figure are an ordinal (1st), several letters a mark (TM)."""
    inner = text.strip()
    if _FIGURES.fullmatch(inner):
        return inner.translate(_RAISED)
    if not _EXPRESSION.fullmatch(inner) or (inner.isalpha() and (len(inner) > 1 or before[-1:].isdigit())):
        return text
    return f"^{inner}" if len(inner) == 1 else f"^({inner})"


def subscript(text: str, _: str) -> str:
    inner = text.strip()
    if _FIGURES.fullmatch(inner):
        return inner.translate(_LOWERED)
    if not _EXPRESSION.fullmatch(inner):
        return text
    return f"_{inner}" if inner.isalnum() else f"_({inner})"
