"""Questions as items of QTI 1.2, with what Canvas adds to it."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, assert_never

from schemas.questions import (
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Question,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from service.exports import texts
from service.exports.markup import Element, element

RESPONSE: Final = "response1"
FEEDBACK: Final = "general_fb"
FIRST_OPTION: Final = 1001
FIRST_RIGHT: Final = 2001
"""Canvas wants numbers that are unique within the question."""


class Parts(NamedTuple):
    """What a type has of its own: its name in Canvas, where one answers, and what is right."""

    kind: str
    answer_ids: Sequence[str]
    responses: Sequence[Element]
    conditions: Sequence[Element]


def item(question: Question) -> Element:
    parts = _parts(question)
    feedback = texts.feedback_of(question)
    processing = element("resprocessing", _outcomes(), *([_shows_feedback()] if feedback else []), *parts.conditions)
    found = element(
        "item",
        _metadata(question, parts),
        element("presentation", _material(texts.stem_of(question.content)), *parts.responses),
        processing,
        ident=f"question-{question.id}",
        title=texts.name_of(question.content),
    )
    if feedback:
        found.append(_feedback(feedback))
    return found


def _parts(question: Question) -> Parts:
    content = question.content
    match content:
        case MultipleChoice(answer=key):
            ids = _numbered(FIRST_OPTION, content.options)
            response = _choice([_material(option) for option in content.options], ids, cardinality="Single")
            return Parts("multiple_choice_question", ids, [response], [_right(_equal(ids[key]))])
        case MultipleResponse(answers=keys):
            ids = _numbered(FIRST_OPTION, content.options)
            response = _choice([_material(option) for option in content.options], ids, cardinality="Multiple")
            wanted = [_equal(ident) if index in keys else _not(_equal(ident)) for index, ident in enumerate(ids)]
            return Parts("multiple_answers_question", ids, [response], [_right(element("and", *wanted))])
        case TrueFalse(answer=is_true):
            ids = _numbered(FIRST_OPTION, ("True", "False"))
            response = _choice([_plain("True"), _plain("False")], ids, cardinality="Single")
            return Parts("true_false_question", ids, [response], [_right(_equal(ids[0 if is_true else 1]))])
        case FillInBlank(answers=answers) | ShortAnswer(answers=answers):
            accepted = [_equal(texts.one_line(answer)) for answer in answers]
            ids = _numbered(FIRST_OPTION, answers)
            return Parts("short_answer_question", ids, [_field()], [_right(*accepted)])
        case Matching():
            return _matching(content)
        case Numeric():
            return Parts(
                "numerical_question", [str(FIRST_OPTION)], [_field(fibtype="Decimal")], [_right(_within(content))]
            )
        case Flashcard() | Vocabulary():
            raise AssertionError("flashcards have an obstacle")
        case _:
            assert_never(content)


def _matching(content: Matching) -> Parts:
    """The rights are told in their own order, which does not give away what belongs to what."""
    rights = sorted({pair.right for pair in content.pairs} | set(content.extra_rights), key=texts.alphabetical)
    ids = dict(zip(rights, _numbered(FIRST_RIGHT, rights), strict=True))
    lefts = _numbered(FIRST_OPTION, content.pairs)
    responses, conditions = [], []
    for ident, pair in zip(lefts, content.pairs, strict=True):
        name = f"response_{ident}"
        labels = element("render_choice", *(_label(ids[right], _plain(right)) for right in rights))
        responses.append(element("response_lid", _material(pair.left), labels, ident=name))
        share = texts.digits_of(round(100 / len(content.pairs), 2))
        conditions.append(_condition(_equal(ids[pair.right], name), score=share, action="Add"))
    return Parts("matching_question", lefts, responses, conditions)


def _numbered(first: int, things: Sequence[object]) -> list[str]:
    return [str(first + index) for index in range(len(things))]


def _metadata(question: Question, parts: Parts) -> Element:
    told = {
        "question_type": parts.kind,
        "points_possible": "1",
        "original_answer_ids": ",".join(parts.answer_ids),
        "assessment_question_identifierref": f"question-{question.id}-bank",
    }
    fields = (
        element("qtimetadatafield", element("fieldlabel", text=label), element("fieldentry", text=entry))
        for label, entry in told.items()
    )
    return element("itemmetadata", element("qtimetadata", *fields))


def _choice(materials: Iterable[Element], ids: Sequence[str], *, cardinality: str) -> Element:
    labels = (_label(ident, material) for ident, material in zip(ids, materials, strict=True))
    return element("response_lid", element("render_choice", *labels), ident=RESPONSE, rcardinality=cardinality)


def _label(ident: str, material: Element) -> Element:
    return element("response_label", material, ident=ident)


def _field(**kind: str) -> Element:
    field = element("render_fib", element("response_label", ident="answer1", rshuffle="No"), **kind)
    return element("response_str", field, ident=RESPONSE, rcardinality="Single")


def _material(text: str) -> Element:
    return _text(f"<p>{texts.as_html(text)}</p>", "text/html")


def _plain(text: str) -> Element:
    return _text(texts.one_line(text), "text/plain")


def _text(text: str, kind: str) -> Element:
    return element("material", element("mattext", text=text, texttype=kind))


def _outcomes() -> Element:
    score = element("decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    return element("outcomes", score)


def _shows_feedback() -> Element:
    shown = element("displayfeedback", feedbacktype="Response", linkrefid=FEEDBACK)
    return element("respcondition", element("conditionvar", element("other")), shown, **{"continue": "Yes"})


def _feedback(told: str) -> Element:
    return element("itemfeedback", element("flow_mat", _text(told, "text/html")), ident=FEEDBACK)


def _right(*wanted: Element) -> Element:
    return _condition(*wanted, score="100", action="Set")


def _condition(*wanted: Element, score: str, action: str) -> Element:
    scored = element("setvar", text=score, action=action, varname="SCORE")
    return element("respcondition", element("conditionvar", *wanted), scored, **{"continue": "No"})


def _equal(value: str, response: str = RESPONSE) -> Element:
    return element("varequal", text=value, respident=response)


def _not(condition: Element) -> Element:
    return element("not", condition)


def _within(content: Numeric) -> Element:
    lowest = element("vargte", text=texts.sum_of(content.answer, -content.tolerance), respident=RESPONSE)
    highest = element("varlte", text=texts.sum_of(content.answer, content.tolerance), respident=RESPONSE)
    return element("or", _equal(texts.digits_of(content.answer)), element("and", lowest, highest))
