"""What a reviewer's edit makes of a question. Pure."""

from collections.abc import Sequence

from pydantic import ValidationError

from schemas.problems import FieldProblem
from schemas.questions import CONTENT_OF, Content, Question
from schemas.reviews import QuestionEdit, Shown
from schemas.states import Review
from service.errors import Invalid
from service.rules.fields import tidied, tidied_tags, tidied_text
from service.rules.structure import rejection_of


def edited(question: Question, edit: QuestionEdit) -> Question:
    """The next version, not reviewed. Raises Invalid for what would not work as a question of its type.

    Flaws are those of the text that was generated: with another text they are gone. The evidence stays.
    """
    content = question.content if edit.content is None else _content(question, edit.content)
    explanation = question.explanation if edit.explanation is None else tidied_text(edit.explanation)
    rejection = rejection_of(content, explanation)
    if rejection:
        raise Invalid.field("content", rejection.message)
    is_rewritten = content != question.content
    return question.model_copy(
        update={
            "content": content,
            "explanation": explanation,
            "difficulty": edit.difficulty if "difficulty" in edit.model_fields_set else question.difficulty,
            "tags": question.tags if edit.tags is None else tidied_tags(edit.tags),
            "flaws": () if is_rewritten else question.flaws,
            "quality": 1.0 if is_rewritten else question.quality,
            "review": Review.UNREVIEWED,
            "version": question.version + 1,
        }
    )


def _content(question: Question, given: dict[str, object]) -> Content:
    try:
        return tidied(CONTENT_OF[question.question_type].model_validate(given))
    except ValidationError as error:
        raise Invalid(
            [
                FieldProblem(field=".".join(map(str, ("content", *detail["loc"]))), message=detail["msg"])
                for detail in error.errors(include_input=False, include_url=False)
            ]
        ) from None


def shown(questions: Sequence[Question], wanted: Shown) -> list[Question]:
    """Those that match in everything that is asked for."""
    return [question for question in questions if _matches(question, wanted)]


def _matches(question: Question, wanted: Shown) -> bool:
    return (
        wanted.module_id in {None, question.module_id}
        and wanted.question_type in {None, question.question_type}
        and wanted.difficulty in {None, question.difficulty}
        and wanted.review in {None, question.review}
        and (wanted.flaw is None or wanted.flaw in question.flaws)
    )
