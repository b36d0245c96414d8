"""Everything about a quiz's questions as one JSON document."""

import json
from collections.abc import Sequence

from schemas.questions import Question
from schemas.quizzes import Quiz


def write(quiz: Quiz, questions: Sequence[Question]) -> bytes:
    document = {
        "quiz": {"id": str(quiz.id), "code": quiz.code, "title": quiz.title, "language": quiz.language},
        "questions": [question.model_dump(mode="json") for question in questions],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
