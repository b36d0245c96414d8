"""Small quizzes, generations and questions for the tests of the pages."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.calls import Usage
from schemas.events import Event, Happening
from schemas.generations import Batch, BatchAttempt, BatchError, Generation, GenerationAttempt, Links
from schemas.questions import (
    Content,
    Evidence,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    Question,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from schemas.quizzes import Extraction, GenerationMetadata, Module, Quiz
from schemas.states import (
    AttemptOutcome,
    BatchState,
    CognitiveLevel,
    Difficulty,
    EntityType,
    ErrorCode,
    FailureReason,
    GenerationState,
    Priority,
    QuestionType,
    QuizStatus,
    Review,
)
from web.forms import Limits

AT = datetime(2026, 3, 5, 9, 7, 30, tzinfo=UTC)
LIMITS = Limits(upload_mb_max=50, questions_per_batch_max=50, batches_per_generation_max=1000)
OVERLOADED = BatchError(code=ErrorCode.PROVIDER_OVERLOADED, message="the provider was overloaded for 10 minutes")
FIRST, SECOND = UUID(int=11), UUID(int=12)
ATTACK = "<script>alert(1)</script>\"'{{7*7}}<img src=x onerror=alert(1)>"

CONTENTS: dict[QuestionType, Content] = {
    QuestionType.MULTIPLE_CHOICE: MultipleChoice(stem=ATTACK, options=(ATTACK, "b", "c"), answer=0),
    QuestionType.MULTIPLE_RESPONSE: MultipleResponse(stem=ATTACK, options=("a", ATTACK, "c"), answers=(1, 2)),
    QuestionType.TRUE_FALSE: TrueFalse(stem=ATTACK, answer=False),
    QuestionType.FILL_IN_BLANK: FillInBlank(stem=f"{ATTACK} ____", answers=(ATTACK, ATTACK)),
    QuestionType.SHORT_ANSWER: ShortAnswer(stem=ATTACK, answers=(ATTACK,)),
    QuestionType.MATCHING: Matching(stem=ATTACK, pairs=(Pair(left=ATTACK, right=ATTACK),) * 3, extra_rights=(ATTACK,)),
    QuestionType.NUMERIC: Numeric(stem=ATTACK, answer=5, tolerance=0.5),
    QuestionType.FLASHCARD: Flashcard(front=ATTACK, back=ATTACK),
    QuestionType.VOCABULARY: Vocabulary(term=ATTACK, definition=ATTACK, example=ATTACK),
}


def module(module_id: UUID = FIRST, name: str = "Basics", characters: int = 1200) -> Module:
    return Module(id=module_id, name=name, characters=characters)


def quiz(
    status: QuizStatus = QuizStatus.CREATED,
    *,
    title: str = "Biology",
    modules: tuple[Module, ...] = (module(), module(SECOND, "Advanced Topics", 1)),
    failure: FailureReason | None = None,
    extraction: Extraction | None = None,
    question_count: int = 0,
) -> Quiz:
    return Quiz(
        id=UUID(int=1),
        code="amber-owl",
        title=title,
        language="en",
        status=status,
        failure_reason=failure,
        modules=modules,
        generation_metadata=GenerationMetadata(),
        question_count=question_count,
        approved_count=0,
        extraction=extraction,
        created_at=AT,
    )


def batch(
    number: int = 1,
    status: BatchState = BatchState.PENDING,
    *,
    target: int = 20,
    held: int = 0,
    error: BatchError | None = None,
    name: str = "Advanced Topics",
) -> Batch:
    return Batch(
        id=UUID(int=100 + number),
        batch_key=f"{SECOND}_multiple_choice_{target}_{number}",
        module_id=SECOND,
        module_name=name,
        question_type=QuestionType.MULTIPLE_CHOICE,
        difficulty=Difficulty.HARD,
        target_count=target,
        saved_count=target if status is BatchState.COMPLETED else 0,
        held_count=held,
        status=status,
        attempts=0 if status is BatchState.PENDING else number,
        error=error,
    )


def generation(status: GenerationState, *batches: Batch, message: str = "", usage: Usage | None = None) -> Generation:
    asked = sum(one.target_count for one in batches)
    saved = sum(one.saved_count for one in batches)
    failed = [one for one in batches if one.status is BatchState.FAILED]
    return Generation(
        id=UUID(int=2),
        quiz_id=UUID(int=1),
        entity_type=EntityType.QUESTION,
        status=status,
        priority=Priority.NORMAL,
        requested_count=asked,
        generated_count=saved,
        failed_count=sum(one.target_count for one in failed),
        held_count=sum(one.held_count for one in batches),
        message=message or f"{saved} of {asked} questions created",
        error=failed[0].error if failed else None,
        can_resume=bool(failed),
        requested_at=AT,
        started_at=None if status is GenerationState.PENDING else AT,
        completed_at=AT + timedelta(seconds=83) if status.is_terminal else None,
        last_event_id=48,
        batches=batches,
        usage=usage or Usage(),
        links=Links(events="/e", questions="/q", retry="/r"),
    )


def attempt(
    batch: Batch,
    outcome: AttemptOutcome,
    *,
    number: int = 1,
    worker: str = "host:1:aa",
    start: float = 0,
    end: float | None = 10,
    error: BatchError | None = None,
) -> BatchAttempt:
    """`start` and `end` in seconds after AT."""
    return BatchAttempt(
        batch_id=batch.id,
        batch_key=batch.batch_key,
        number=number,
        worker=worker,
        outcome=outcome,
        error=error,
        started_at=AT + timedelta(seconds=start),
        ended_at=None if end is None else AT + timedelta(seconds=end),
        seconds=None if end is None else end - start,
    )


def run(*attempts: BatchAttempt, number: int = 1) -> GenerationAttempt:
    return GenerationAttempt(
        attempt_number=number,
        outcome="running",
        error_codes=(),
        llm_calls=0,
        input_tokens=0,
        output_tokens=0,
        seconds=0.0,
        batches=attempts,
    )


def event(happening: Happening, *, seq: int = 1, at: float = 0) -> Event:
    """`at`: seconds after AT."""
    moment = (AT + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"type": happening.type, "seq": seq, "at": moment, **happening.model_dump(mode="json")}
    return Event(generation_id=UUID(int=2), seq=seq, type=happening.type, data=json.dumps(data))


def partial() -> Generation:
    """The example of the contract: 15 of 35."""
    return generation(
        GenerationState.PARTIAL,
        batch(1, BatchState.COMPLETED, target=15),
        batch(3, BatchState.FAILED, target=20, held=5, error=OVERLOADED),
    )


def question(
    content: Content | None = None,
    *,
    question_type: QuestionType = QuestionType.MULTIPLE_CHOICE,
    module_id: UUID = FIRST,
    text: str = "plain",
    flaws: tuple[str, ...] = (),
) -> Question:
    """`text` stands in every free text beside the content."""
    return Question(
        id=UUID(int=500),
        quiz_id=UUID(int=1),
        generation_id=UUID(int=2),
        batch_id=UUID(int=101),
        batch_key="key",
        module_id=module_id,
        module_name=text,
        question_type=question_type,
        difficulty=Difficulty.EASY,
        content=content or MultipleChoice(stem="Which is blue?", options=("Grass", "The sky", "Snow"), answer=1),
        evidence=Evidence(quote=text, module_id=module_id, start=0, end=5),
        explanation=text,
        cognitive_level=CognitiveLevel.REMEMBER,
        tags=(text,),
        flaws=flaws,
        quality=0.9,
        review=Review.UNREVIEWED,
        version=1,
        generated_at=AT,
    )
