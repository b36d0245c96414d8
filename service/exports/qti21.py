"""An IMS content package with a test in QTI 2.1, one file a question: every question but flashcards."""

from collections.abc import Sequence
from typing import Final

from schemas.exports import Omission
from schemas.questions import Question
from schemas.quizzes import Quiz
from service.exports import qti, qti21_items, texts
from service.exports.markup import Element, document, element
from service.exports.packages import zipped

NO_CARDS: Final = "QTI 2.1 has no flashcards"
PACKAGE: Final = "http://www.imsglobal.org/xsd/imscp_v1p1"
TEST: Final = "test.xml"

OMITS: Final = (
    Omission(fields=("flaws", "quality", "review"), reason="they are for reviewers, and QTI has no place for them"),
    Omission(fields=("difficulty", "cognitive_level", "tags"), reason="readers of QTI 2.1 share no words for them"),
)


def obstacle(question: Question) -> str | None:
    return NO_CARDS if question.question_type in qti.CARDS else None


def write(quiz: Quiz, questions: Sequence[Question]) -> bytes:
    """Each module is a section of the test."""
    items = {_path(question): _item(quiz, question) for question in questions}
    manifest, test = _manifest(quiz, questions), _test(quiz, questions)
    return zipped({"imsmanifest.xml": document(manifest), TEST: document(test), **items})


def _item(quiz: Quiz, question: Question) -> bytes:
    return document(qti21_items.item(question, quiz.language), is_indented=False)


def _path(question: Question) -> str:
    return f"items/{question.id}.xml"


def _manifest(quiz: Quiz, questions: Sequence[Question]) -> Element:
    dependencies = (element("dependency", identifierref=qti21_items.identifier(question)) for question in questions)
    test = element("resource", element("file", href=TEST), *dependencies, identifier=f"quiz-{quiz.id}", href=TEST)
    test.set("type", "imsqti_test_xmlv2p1")
    resources = [test]
    for question in questions:
        path = _path(question)
        resource = element("resource", element("file", href=path), identifier=qti21_items.identifier(question))
        resource.set("type", "imsqti_item_xmlv2p1")
        resource.set("href", path)
        resources.append(resource)
    schema = element("metadata", element("schema", text="QTIv2.1 Package"), element("schemaversion", text="1.0.0"))
    organizations = element("organizations")
    return element(
        "manifest",
        schema,
        organizations,
        element("resources", *resources),
        xmlns=PACKAGE,
        identifier=f"quiz-{quiz.id}-package",
    )


def _test(quiz: Quiz, questions: Sequence[Question]) -> Element:
    sections = [
        element(
            "assessmentSection",
            *(
                element("assessmentItemRef", identifier=qti21_items.identifier(question), href=_path(question))
                for question in of_module
            ),
            identifier=f"section-{number}",
            title=texts.one_line(module_name),
            visible="true",
        )
        for number, (module_name, of_module) in enumerate(texts.by_module(questions), start=1)
    ]
    part = element(
        "testPart", *sections, identifier="part-1", navigationMode="nonlinear", submissionMode="simultaneous"
    )
    return element(
        "assessmentTest",
        part,
        xmlns=qti21_items.QTI,
        identifier=f"quiz-{quiz.id}",
        title=texts.one_line(quiz.title),
    )
