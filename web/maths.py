r"""Formulas in a text as MathML, which browsers draw by themselves: \(...\), \[...\], $$...$$ and $...$.

A single dollar begins a formula only where what follows looks like one: prices are no formulas.
"""

import re
from html import unescape
from typing import Final
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

FORMULA_CHARACTERS_MAX: Final = 1000

_FORMULA = re.compile(
    r"\\\((?P<inline>.+?)\\\)|\\\[(?P<display>.+?)\\\]|\$\$(?P<block>.+?)\$\$"
    r"|(?<![\w$])\$(?P<dollar>(?=[^$\n]*[\\^_=])[^\s$](?:[^$\n]*[^\s$])?)\$(?![\w$])",
    re.DOTALL,
)
# The converter lets a text bring attributes of its own, such as links: only what draws is kept.
_DRAWING = frozenset(
    {"accent", "columnalign", "display", "displaystyle", "fence", "form", "height", "linethickness", "lspace", "xmlns"}
    | {"mathvariant", "movablelimits", "notation", "rspace", "separator", "stretchy", "symmetric", "width"}
)


def with_formulas(text: str) -> Markup:
    """The text as HTML. What can't be read as a formula stands as it was written."""
    parts: list[Markup] = []
    end = 0
    for match in _FORMULA.finditer(text):
        kind = match.lastgroup or ""
        drawn = _drawn(match[kind], is_block=kind in {"display", "block"})
        if drawn is not None:
            parts += [escape(text[end : match.start()]), drawn]
            end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _drawn(formula: str, *, is_block: bool) -> Markup | None:
    if len(formula) > FORMULA_CHARACTERS_MAX:
        return None
    try:
        element = convert_to_element(formula, display="block" if is_block else "inline")
    except Exception:  # noqa: BLE001 # it raises whatever a broken formula makes it stumble over
        return None
    for part in element.iter():
        # It writes characters as references and means them to be read once more.
        part.text = unescape(part.text) if part.text else part.text
        for name in set(part.attrib) - _DRAWING:
            del part.attrib[name]
    return Markup(ElementTree.tostring(element, encoding="unicode"))  # noqa: S704 # made of elements, so escaped
