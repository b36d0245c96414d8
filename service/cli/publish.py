"""`quizmill publish`: a quiz into a course in Canvas, and the wait for it."""

import os
import time
from typing import Final
from uuid import UUID

from schemas.quizzes import Quiz
from schemas.states import QuizStatus
from service.cli.client import Client
from service.errors import QuizmillError

LOOK_SECONDS: Final = 0.5


def publish(client: Client, quiz_id: UUID, *, canvas_url: str, course_id: str, token_env: str) -> Quiz:
    """The quiz once its publication has ended. The token comes in a variable: arguments can be read by everyone.

    Raises QuizmillError where there is no token.
    """
    token = os.environ.get(token_env, "").strip()
    if not token:
        raise QuizmillError(f"{token_env} is empty: put the access token of Canvas into it, or name another variable")
    quiz = client.publish(quiz_id, canvas_url=canvas_url, course_id=course_id, token=token)
    while quiz.status is QuizStatus.EXPORTING_TO_CANVAS:
        # A quiz has no event stream; asking again is the only way. The service itself ends what takes too long.
        time.sleep(LOOK_SECONDS)
        quiz = client.quiz(quiz_id)
    return quiz
