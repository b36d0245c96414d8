"""Questions as items of QTI 2.1 (IMS Question and Test Interoperability, final 2012)."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, assert_never

from schemas.languages import truth_in
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

QTI: Final = "http://www.imsglobal.org/xsd/imsqti_v2p1"
RESPONSE: Final = "RESPONSE"
SCORE: Final = "SCORE"
FEEDBACK: Final = "FEEDBACK"
EXPLAINED: Final = "explained"


class Parts(NamedTuple):
    """What a type has of its own: how its answer is declared, what the page holds, when the answer is right."""

    declaration: Element
    body: Sequence[Element]
    test: Element


def identifier(question: Question) -> str:
    return f"question-{question.id}"


def item(question: Question, language: str) -> Element:
    parts = _parts(question, language)
    reasons = [text for text in (question.explanation.strip(), texts.quote_of(question)) if text]
    found = element(
        "assessmentItem",
        parts.declaration,
        _outcome(SCORE, "float", element("defaultValue", element("value", text="0"))),
        _outcome(FEEDBACK, "identifier"),
        element("itemBody", *parts.body),
        _processing(parts.test, explains=bool(reasons)),
        xmlns=QTI,
        identifier=identifier(question),
        title=texts.name_of(question.content),
        adaptive="false",
        timeDependent="false",
    )
    found.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    if reasons:
        shown = {"outcomeIdentifier": FEEDBACK, "identifier": EXPLAINED, "showHide": "show"}
        found.append(element("modalFeedback", *(_lines("p", reason) for reason in reasons), **shown))
    return found


def _parts(question: Question, language: str) -> Parts:  # noqa: C901, PLR0911 - one arm a question type
    content = question.content
    match content:
        case MultipleChoice(stem=stem, options=options, answer=key):
            return _choice(stem, options, [key], cardinality="single")
        case MultipleResponse(stem=stem, options=options, answers=keys):
            return _choice(stem, options, keys, cardinality="multiple")
        case TrueFalse(stem=stem, answer=is_true):
            return _choice(stem, truth_in(language), [0 if is_true else 1], cardinality="single")
        case FillInBlank(stem=stem, answers=answers):
            return _accepted(_with_field(stem), answers)
        case ShortAnswer(stem=stem, answers=answers):
            return _accepted([_lines("p", stem), element("p", _field())], answers)
        case Numeric():
            return _number(content)
        case Matching():
            return _matching(content)
        case Flashcard() | Vocabulary():
            raise AssertionError("flashcards have an obstacle")
        case _:
            assert_never(content)


def _choice(stem: str, options: Sequence[str], keys: Sequence[int], *, cardinality: str) -> Parts:
    choices = (_lines("simpleChoice", option, identifier=_letter(index)) for index, option in enumerate(options))
    maximum = "1" if cardinality == "single" else "0"
    asks = {"responseIdentifier": RESPONSE, "shuffle": "false", "maxChoices": maximum}
    interaction = element("choiceInteraction", _lines("prompt", stem), *choices, **asks)
    declaration = _declaration(cardinality, "identifier", map(_letter, keys))
    return Parts(declaration, [interaction], element("match", _given(), _right()))


def _accepted(body: Sequence[Element], answers: Sequence[str]) -> Parts:
    """Any of the answers, in capitals or not."""
    accepted = [texts.one_line(answer) for answer in answers]
    equal = (
        element("stringMatch", _given(), element("baseValue", text=answer, baseType="string"), caseSensitive="false")
        for answer in accepted
    )
    return Parts(_declaration("single", "string", accepted[:1]), body, element("or", *equal))


def _number(content: Numeric) -> Parts:
    within = texts.digits_of(content.tolerance)
    test = element("equal", _given(), _right(), toleranceMode="absolute", tolerance=f"{within} {within}")
    declaration = _declaration("single", "float", [texts.digits_of(content.answer)])
    return Parts(declaration, [_lines("p", content.stem), element("p", _field())], test)


def _matching(content: Matching) -> Parts:
    """The rights stand in their own order, which does not give away what belongs to what."""
    rights = sorted({pair.right for pair in content.pairs} | set(content.extra_rights), key=texts.alphabetical)
    lefts = (_matched("L", number, pair.left) for number, pair in enumerate(content.pairs))
    pairs = (f"L{number} R{rights.index(pair.right)}" for number, pair in enumerate(content.pairs))
    asks = {"responseIdentifier": RESPONSE, "shuffle": "false", "maxAssociations": str(len(content.pairs))}
    interaction = element(
        "matchInteraction",
        _lines("prompt", content.stem),
        element("simpleMatchSet", *lefts),
        element("simpleMatchSet", *(_matched("R", number, right) for number, right in enumerate(rights))),
        **asks,
    )
    return Parts(_declaration("multiple", "directedPair", pairs), [interaction], element("match", _given(), _right()))


def _matched(side: str, number: int, text: str) -> Element:
    return _lines("simpleAssociableChoice", text, identifier=f"{side}{number}", matchMax="1")


def _with_field(stem: str) -> list[Element]:
    """The sentence with the field to write in where its first gap is."""
    before, *after = texts.GAP.split(texts.unfolded(stem), maxsplit=1)
    if not after:
        return [_lines("p", stem), element("p", _field())]
    sentence = element("p")
    _continue(sentence, before)
    sentence.append(_field())
    _continue(sentence, after[0])
    return [sentence]


def _field() -> Element:
    return element("textEntryInteraction", responseIdentifier=RESPONSE, expectedLength="20")


def _letter(index: int) -> str:
    return f"choice-{index + 1}"


def _declaration(cardinality: str, base_type: str, values: Iterable[str]) -> Element:
    correct = element("correctResponse", *(element("value", text=value) for value in values))
    return element("responseDeclaration", correct, identifier=RESPONSE, cardinality=cardinality, baseType=base_type)


def _outcome(name: str, base_type: str, *content: Element) -> Element:
    return element("outcomeDeclaration", *content, identifier=name, cardinality="single", baseType=base_type)


def _processing(test: Element, *, explains: bool) -> Element:
    """A point for the right answer; the explanation for any."""
    scored = element("setOutcomeValue", element("baseValue", text="1", baseType="float"), identifier=SCORE)
    rules = [element("responseCondition", element("responseIf", test, scored))]
    if explains:
        value = element("baseValue", text=EXPLAINED, baseType="identifier")
        rules.append(element("setOutcomeValue", value, identifier=FEEDBACK))
    return element("responseProcessing", *rules)


def _given() -> Element:
    return element("variable", identifier=RESPONSE)


def _right() -> Element:
    return element("correct", identifier=RESPONSE)


def _lines(name: str, text: str, **attributes: str) -> Element:
    """An element that shows the text as it is, with its lines and indents."""
    found = element(name, **attributes)
    _continue(found, texts.unfolded(text))
    return found


def _continue(parent: Element, text: str) -> None:
    first, *others = text.split("\n")
    if len(parent):
        parent[-1].tail = first
    else:
        parent.text = first
    for line in others:
        parent.append(element("br"))
        parent[-1].tail = line
