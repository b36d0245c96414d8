"""Reads a QTI 2.1 package after other people's software has made QTI 3 of it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from lxml import etree
from qti_convert import read_package, upgrade_package_files

from schemas.questions import Matching, Question, TrueFalse
from tests.service.exports import reading
from tests.service.exports.reading import CHOICE, NUMBER, RESPONSES, SHORT, Read, asked_as_read, matching, written

QTI = "{http://www.imsglobal.org/xsd/imsqtiasi_v3p0}"
PREFIX = "question-"


def read(package: bytes) -> dict[UUID, Read]:
    """Every item that the test leads to, once the manifest has named everything that is there and nothing else."""
    files = {name: etree.fromstring(_bytes(content)) for name, content in _upgraded(package).items()}
    manifest, test = files.pop("imsmanifest.xml"), files["test.xml"]
    named = [one.get("href") for one in manifest.iterfind(".//{*}file")]
    assert sorted(named) == sorted(files)
    resources = [one.get("identifier") for one in manifest.iterfind(".//{*}resource")]
    assert len(set(resources)) == len(resources)
    assert {one.get("identifierref") for one in manifest.iterfind(".//{*}dependency")} < set(resources)
    items = [files[one.get("href")] for one in test.iter(f"{QTI}qti-assessment-item-ref")]
    assert len(items) == len(files) - 1
    return {UUID(item.get("identifier").removeprefix(PREFIX)): _read(item) for item in items}


def expected(asked: Question) -> Read:
    """As for others, but: true or false is a choice, rights keep their lines, and an empty paragraph is none."""
    found = reading.expected(asked)
    found = replace(found, feedback="|".join(filter(None, reading.feedback_parts(asked))))
    if isinstance(asked.content, TrueFalse):
        return replace(found, kind=CHOICE, options=("True", "False"))
    if isinstance(asked.content, Matching):
        pairs = frozenset((written(pair.left).strip(), written(pair.right).strip()) for pair in asked.content.pairs)
        extra_rights = frozenset(written(extra).strip() for extra in asked.content.extra_rights)
        return replace(found, pairs=pairs, extra_rights=extra_rights)
    return found


def _upgraded(package: bytes) -> dict[str, Any]:
    return dict(upgrade_package_files(read_package(package)).files)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _read(item: Any) -> Read:
    body = item.find(f"{QTI}qti-item-body")
    declared = item.find(f"{QTI}qti-response-declaration")
    correct = [one.text for one in declared.iter(f"{QTI}qti-value")]
    feedback = _feedback(item)
    interaction = next(one for one in body.iter() if one.tag.endswith("-interaction"))
    assert interaction.get("response-identifier") == declared.get("identifier")
    match interaction.tag.removeprefix(QTI):
        case "qti-choice-interaction":
            choices = interaction.findall(f"{QTI}qti-simple-choice")
            ids = [one.get("identifier") for one in choices]
            is_single = declared.get("cardinality") == "single"
            assert interaction.get("max-choices") == ("1" if is_single else "0")
            return Read(
                CHOICE if is_single else RESPONSES,
                asked_as_read(_shown(interaction.find(f"{QTI}qti-prompt"))),
                options=tuple(_shown(one).strip() for one in choices),
                keys=frozenset(map(ids.index, correct)),
                feedback=feedback,
            )
        case "qti-text-entry-interaction":
            return _entry(item, body, declared, correct, feedback)
        case "qti-match-interaction":
            left, right = interaction.findall(f"{QTI}qti-simple-match-set")
            lefts, rights = ({one.get("identifier"): _shown(one).strip() for one in side} for side in (left, right))
            pairs = [pair.split() for pair in correct]
            rows = [(lefts[one], rights.pop(other)) for one, other in pairs]
            assert len(rows) == len(lefts)
            asked = asked_as_read(_shown(interaction.find(f"{QTI}qti-prompt")))
            return matching(asked, [*rows, *(("", right) for right in rights.values())], feedback)
        case kind:
            raise AssertionError(f"no {kind} is written")


def _entry(item: Any, body: Any, declared: Any, correct: list[str], feedback: str) -> Read:
    asked, *field = [_shown(one) for one in body]
    assert field in ([], ["____"])
    asked = asked_as_read(asked)
    if declared.get("base-type") == "float":
        equal = item.find(f".//{QTI}qti-equal")
        assert equal.get("tolerance-mode") == "absolute"
        low, high = equal.get("tolerance").split()
        assert low == high
        return Read(NUMBER, asked, number=(float(correct[0]), float(high)), feedback=feedback)
    accepted = tuple(one.find(f"{QTI}qti-base-value").text for one in item.iter(f"{QTI}qti-string-match"))
    assert correct == [accepted[0]]
    return Read(SHORT, asked, answers=accepted, feedback=feedback)


def _feedback(item: Any) -> str:
    """Its paragraphs, with a bar between."""
    shows = item.find(f"{QTI}qti-response-processing/{QTI}qti-set-outcome-value/{QTI}qti-base-value")
    feedback = item.find(f"{QTI}qti-modal-feedback")
    if shows is None:
        assert feedback is None
        return ""
    assert shows.text == feedback.get("identifier")
    return "|".join(_shown(one) for one in feedback.iter("{*}p"))


def _shown(element: Any) -> str:
    """What a browser shows of it: lines, and a gap for a field."""
    text = element.text or ""
    for one in element:
        name = etree.QName(one).localname
        assert name in {"br", "qti-text-entry-interaction"}
        text += ("\n" if name == "br" else "____") + (one.tail or "")
    return text.replace("\xa0", " ")
