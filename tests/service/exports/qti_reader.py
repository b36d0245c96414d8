"""Reads a QTI 1.2 package as Canvas does: by its manifest, item by item."""

import io
import re
import zipfile
from decimal import Context, Decimal
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
    matching,
    shown,
    told,
)

QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
PACKAGE = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"
CANVAS = "{http://canvas.instructure.com/xsd/cccv1p0}"
PREFIX = "question-"


def read(package: bytes) -> dict[UUID, Read]:
    root = assessment(package)
    idents = [one.get("ident") for one in root.iter(f"{QTI}item")]
    assert len(set(idents)) == len(idents)
    return {UUID(one.get("ident").removeprefix(PREFIX)): _read(one) for one in root.iter(f"{QTI}item")}


def assessment(package: bytes) -> Any:
    """The document that the manifest leads to, once everything that it names is there and nothing else."""
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        assert files.testzip() is None
        documents = {name: etree.fromstring(files.read(name)) for name in files.namelist()}
    manifest = documents["imsmanifest.xml"]
    assert manifest.tag == f"{PACKAGE}manifest"
    named = {one.get("href") for one in manifest.iter(f"{PACKAGE}file")}
    assert named | {"imsmanifest.xml"} == set(documents)
    resources = {one.get("identifier"): one for one in manifest.iter(f"{PACKAGE}resource")}
    assert {one.get("identifierref") for one in manifest.iter(f"{PACKAGE}dependency")} <= set(resources)
    [quiz] = [one for one in resources.values() if one.get("type") == "imsqti_xmlv1p2"]
    return documents[quiz.find(f"{PACKAGE}file").get("href")]


def _read(item: Any) -> Read:
    for one in item.iter():
        one.tag = one.tag.removeprefix(QTI)
    told_of = {one.findtext("fieldlabel"): one.findtext("fieldentry") for one in item.iterfind(".//qtimetadatafield")}
    asked = asked_as_read(_text(item.find("presentation/material")))
    feedback = _feedback(item)
    right = [one for one in item.iterfind("resprocessing/respcondition") if one.find("setvar") is not None]
    match told_of["question_type"]:
        case "multiple_choice_question" | "true_false_question" as kind:
            ids, options = _choices(item.find("presentation/response_lid"))
            [key] = right[0].iterfind("conditionvar/varequal")
            keys = frozenset({ids.index(key.text)})
            if kind == "multiple_choice_question":
                return Read(CHOICE, asked, options=options, keys=keys, feedback=feedback)
            assert options == ("True", "False")
            return Read(TRUTH, asked, keys=keys, feedback=feedback)
        case "multiple_answers_question":
            ids, options = _choices(item.find("presentation/response_lid"))
            wanted = [one.text for one in right[0].iterfind("conditionvar/and/varequal")]
            unwanted = [one.text for one in right[0].iterfind("conditionvar/and/not/varequal")]
            assert sorted(wanted + unwanted) == sorted(ids)
            keys = frozenset(map(ids.index, wanted))
            return Read(RESPONSES, asked, options=options, keys=keys, feedback=feedback)
        case "short_answer_question":
            accepted = tuple(one.text for one in right[0].iterfind("conditionvar/varequal"))
            return Read(SHORT, asked, answers=accepted, feedback=feedback)
        case "matching_question":
            return _matching(item, right, asked, feedback)
        case "numerical_question":
            return Read(NUMBER, asked, number=_number(right[0]), feedback=feedback)
        case kind:
            raise AssertionError(f"Canvas has no {kind}")


def _matching(item: Any, right: list[Any], asked: str, feedback: str) -> Read:
    wanted = {
        one.find("conditionvar/varequal").get("respident"): one.findtext("conditionvar/varequal") for one in right
    }
    assert 99 < sum(float(one.findtext("setvar")) for one in right) < 101
    rows, seen = [], dict[str, str]()
    for response in item.iterfind("presentation/response_lid"):
        ids, rights = _choices(response)
        seen = dict(zip(ids, rights, strict=True))
        rows.append((_text(response.find("material")).strip(), seen.pop(wanted[response.get("ident")])))
    matched = {right for _, right in rows}
    return matching(asked, [*rows, *(("", right) for right in {*rights} - matched)], feedback)


def _number(condition: Any) -> tuple[float, float]:
    """As Canvas: the answer, and how far the upper end is from it."""
    answer = Decimal(condition.findtext("conditionvar/or/varequal"))
    low, high = (Decimal(condition.findtext(f"conditionvar/or/and/{end}")) for end in ("vargte", "varlte"))
    exact = Context(prec=700)
    assert exact.subtract(answer, low) == exact.subtract(high, answer)
    return float(answer), float(exact.subtract(high, answer))


def _choices(response: Any) -> tuple[list[str], tuple[str, ...]]:
    labels = response.findall("render_choice/response_label")
    ids = [label.get("ident") for label in labels]
    assert all(ident.isdigit() for ident in ids), "Canvas wants numbers"
    assert len(set(ids)) == len(ids)
    return ids, tuple(_text(label.find("material")).strip() for label in labels)


def _feedback(item: Any) -> str:
    shows = item.find("resprocessing/respcondition/displayfeedback")
    if shows is None:
        assert item.find("itemfeedback") is None
        return "|"
    feedback = item.find("itemfeedback")
    assert shows.get("linkrefid") == feedback.get("ident")
    return told(feedback.findtext("flow_mat/material/mattext"))


def _text(material: Any) -> str:
    text = material.find("mattext")
    if text.get("texttype") == "text/plain":
        return text.text or ""
    found = re.fullmatch("<p>(.*)</p>", text.text)
    assert found, text.text
    return shown(found[1])
