"""An IMS content package with an assessment in QTI 1.2, as Canvas imports it: every question but flashcards.

What Canvas makes of it is read from its source: gems/plugins/qti_exporter in canvas-lms.
"""

from collections.abc import Sequence
from typing import Final

from schemas.exports import Omission
from schemas.questions import Question
from schemas.quizzes import Quiz
from schemas.states import QuestionType
from service.exports import qti_items, texts
from service.exports.markup import Element, document, element
from service.exports.packages import zipped

NO_CARDS: Final = "QTI 1.2 and the quizzes of Canvas have no flashcards"
CARDS: Final = frozenset({QuestionType.FLASHCARD, QuestionType.VOCABULARY})

PACKAGE: Final = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
QTI: Final = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CANVAS: Final = "http://canvas.instructure.com/xsd/cccv1p0"

OMITS: Final = (
    Omission(fields=("flaws", "quality", "review"), reason="they are for reviewers, and QTI has no place for them"),
    Omission(
        fields=("module_name", "difficulty", "cognitive_level", "tags"),
        reason="Canvas has nothing to file questions of a quiz under",
    ),
)


def obstacle(question: Question) -> str | None:
    return NO_CARDS if question.question_type in CARDS else None


def write(quiz: Quiz, questions: Sequence[Question]) -> bytes:
    ident = f"quiz-{quiz.id}"
    assessment, about = f"{ident}/{ident}.xml", f"{ident}/assessment_meta.xml"
    return zipped(
        {
            "imsmanifest.xml": document(_manifest(ident, assessment, about)),
            assessment: document(_assessment(ident, quiz, questions)),
            about: document(_about(ident, quiz, len(questions))),
        }
    )


def _manifest(ident: str, assessment: str, about: str) -> Element:
    resources = element(
        "resources",
        element(
            "resource",
            element("file", href=assessment),
            element("dependency", identifierref=f"{ident}-about"),
            identifier=ident,
            type="imsqti_xmlv1p2",
        ),
        element(
            "resource",
            element("file", href=about),
            identifier=f"{ident}-about",
            type="associatedcontent/imscc_xmlv1p1/learning-application-resource",
            href=about,
        ),
    )
    metadata = element("metadata", element("schema", text="IMS Content"), element("schemaversion", text="1.1.3"))
    return element(
        "manifest", metadata, element("organizations"), resources, xmlns=PACKAGE, identifier=f"{ident}-package"
    )


def _assessment(ident: str, quiz: Quiz, questions: Sequence[Question]) -> Element:
    section = element("section", *map(qti_items.item, questions), ident="root_section")
    assessment = element("assessment", section, ident=ident, title=texts.one_line(quiz.title))
    return element("questestinterop", assessment, xmlns=QTI)


def _about(ident: str, quiz: Quiz, points: int) -> Element:
    """What Canvas wants to know of a quiz beside its questions."""
    return element(
        "quiz",
        element("title", text=texts.one_line(quiz.title)),
        element("description"),
        element("shuffle_answers", text="false"),
        element("scoring_policy", text="keep_highest"),
        element("quiz_type", text="assignment"),
        element("points_possible", text=f"{points}.0"),
        element("show_correct_answers", text="true"),
        element("allowed_attempts", text="1"),
        element("available", text="false"),
        xmlns=CANVAS,
        identifier=ident,
    )
