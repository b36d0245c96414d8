"""Reads Moodle XML as Moodle does."""

from typing import Any
from uuid import UUID

from lxml import etree

from tests.service.exports.reading import (
    CHOICE,
    NUMBER,
    RESPONSES,
    SHORT,
    TRUTH,
    Read,
    asked_as_read,
    filtered,
    matching,
    shown,
    told,
    without_wildcards,
)

# question/engine/bank.php: other fractions are refused.
FRACTIONS = {0, 5, 10, 12.5, 14.28571, 16.66667, 20, 25, 30, 33.33333, 40, 50, 60, 66.66667, 70, 75, 80, 90, 100}


def read(document: bytes) -> dict[UUID, Read]:
    root = etree.fromstring(document)
    assert root.tag == "quiz"
    found = [one for one in root if one.get("type") != "category"]
    by_id = {UUID(one.findtext("idnumber")): _read(one) for one in found}
    assert len(by_id) == len(found), "every idnumber is there once"
    return by_id


def _read(one: Any) -> Read:
    assert one.findtext("name/text").strip()
    assert one.find("questiontext").get("format") == one.find("generalfeedback").get("format") == "html"
    asked = asked_as_read(shown(one.findtext("questiontext/text")))
    feedback = told(one.findtext("generalfeedback/text"))
    answers = one.findall("answer")
    fractions = [float(answer.get("fraction")) for answer in answers]
    assert {abs(fraction) for fraction in fractions} <= FRACTIONS
    right = frozenset(index for index, fraction in enumerate(fractions) if fraction > 0)
    match one.get("type"):
        case "multichoice":
            assert abs(sum(fractions[index] for index in right) - 100) < 0.001
            options = tuple(shown(answer.findtext("text")).strip() for answer in answers)
            kind = CHOICE if one.findtext("single") == "true" else RESPONSES
            return Read(kind, asked, options=options, keys=right, feedback=feedback)
        case "truefalse":
            assert [answer.findtext("text") for answer in answers] == ["true", "false"]
            return Read(TRUTH, asked, keys=right, feedback=feedback)
        case "shortanswer":
            assert fractions == [100] * len(answers)
            accepted = tuple(without_wildcards(answer.findtext("text")) for answer in answers)
            return Read(SHORT, asked, answers=accepted, feedback=feedback)
        case "matching":
            rows = [
                (shown(row.findtext("text")).strip(), filtered(row.findtext("answer/text")))
                for row in one.findall("subquestion")
            ]
            return matching(asked, rows, feedback)
        case "numerical":
            [answer] = answers
            number = (float(answer.findtext("text")), float(answer.findtext("tolerance")))
            return Read(NUMBER, asked, number=number, feedback=feedback)
        case kind:
            raise AssertionError(f"Moodle has no {kind}")
