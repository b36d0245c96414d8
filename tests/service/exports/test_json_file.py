"""Everything about a quiz's questions, there and back."""

import json

from schemas.questions import CONTENT_OF, Question
from schemas.states import QuestionType
from service.exports import json_file
from tests.service.exports.contents import one_of_each
from tests.web import samples


def test_questions_come_back_as_they_went() -> None:
    written = json_file.write(samples.quiz(title="Größe 💧"), one_of_each())
    document = json.loads(written)
    back = []
    for entry in document["questions"]:
        content = CONTENT_OF[QuestionType(entry["question_type"])].model_validate(entry.pop("content"))
        placeholder = one_of_each()[0].content
        question = Question.model_validate({**entry, "content": placeholder})
        back.append(question.model_copy(update={"content": content}))
    assert back == one_of_each()


def test_the_quiz_is_named() -> None:
    quiz = samples.quiz(title="Größe 💧")
    document = json.loads(json_file.write(quiz, []))
    assert document == {
        "quiz": {"id": str(quiz.id), "code": quiz.code, "title": "Größe 💧", "language": "en"},
        "questions": [],
    }


def test_people_can_read_it() -> None:
    written = json_file.write(samples.quiz(title="Größe 💧"), one_of_each()).decode()
    assert "Größe 💧" in written
    assert written.endswith("}\n")


def test_the_same_questions_give_the_same_bytes() -> None:
    assert json_file.write(samples.quiz(), one_of_each()) == json_file.write(samples.quiz(), one_of_each())
