"""How figures, times and states read on a page. static/figures.js writes the same figures in the browser."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.base import Frozen
from schemas.calls import Usage
from schemas.estimates import Estimate
from schemas.generations import Batch, Generation
from schemas.orders import KINDS, Preset
from schemas.states import (
    AttemptOutcome,
    BatchState,
    FailureReason,
    GenerationState,
    PublicationState,
    QuestionType,
    QuizStatus,
)

STATIC_DIR = Path(__file__).parent / "static"
GRAINS_MAX = 50
ROWS_WITH_GRAINS_MAX = 100
"""In longer lists a batch is one bar: ten thousands of cells would be nothing to look at, and slow."""

ROWS_TOGETHER = 25
"""Rows of a list: the browser looks at each list, not at each row, whether it is in sight."""


class Kind(Frozen):
    """A filter of the log: which events it shows."""

    label: str
    types: tuple[str, ...]


class Words(Frozen):
    """Texts that the server and the live page share."""

    headings: dict[GenerationState, str]
    states: dict[GenerationState, str]
    batches: dict[BatchState, str]
    actions: dict[GenerationState, dict[str, str]]
    types: dict[QuestionType, str]
    safe: str
    limit: str
    retry_one: str
    connections: dict[str, str]
    unknown: str
    idle: dict[GenerationState, str]
    waits: str
    outcomes: dict[AttemptOutcome, str]
    kinds: dict[str, Kind]
    reasons: dict[str, str]
    events: dict[str, str]


def _shared_words() -> Words:
    script = (STATIC_DIR / "words.js").read_text(encoding="utf-8")
    return Words.model_validate_json(script.partition("export default")[2].rstrip().removesuffix(";"))


WORDS = _shared_words()

TYPE_NAMES = WORDS.types
TYPE_HINTS = {
    QuestionType.MULTIPLE_CHOICE: "one right answer among three to six",
    QuestionType.MULTIPLE_RESPONSE: "two or more right answers among three to six",
    QuestionType.TRUE_FALSE: "a statement to judge",
    QuestionType.FILL_IN_BLANK: "a sentence with a gap",
    QuestionType.SHORT_ANSWER: "a word or a phrase",
    QuestionType.MATCHING: "pairs of what belongs together",
    QuestionType.NUMERIC: "a number, with the error that is allowed",
    QuestionType.FLASHCARD: "a front and a back",
    QuestionType.VOCABULARY: "a term, its meaning, an example",
}
assert set(TYPE_NAMES) == set(TYPE_HINTS) == set(QuestionType), "every question type needs its name and its hint"

EXPORTS = {
    "qti": "Canvas (QTI 1.2)",
    "qti21": "QTI 2.1",
    "moodle-xml": "Moodle XML",
    "gift": "GIFT",
    "anki": "Anki deck",
    "csv": "Spreadsheet (CSV)",
    "json": "JSON",
}
"""The formats of an export and what they are for."""

PRESETS = {
    "": "My own choice, below",
    Preset.QUIZ: "A quiz: multiple choice, easy and medium",
    Preset.FLASHCARDS: "Flashcards",
    Preset.BOTH: "Both: the quiz and the flashcards",
}
assert set(PRESETS) == {"", *Preset}, "every preset needs its words"

QUIZ_STATES = {
    QuizStatus.CREATED: "Ready for an order",
    QuizStatus.EXTRACTING_CONTENT: "Reading the material",
    QuizStatus.GENERATING_QUESTIONS: "Generating questions",
    QuizStatus.READY_FOR_REVIEW: "Ready for review",
    QuizStatus.READY_FOR_REVIEW_PARTIAL: "Ready for review, some batches failed",
    QuizStatus.EXPORTING_TO_CANVAS: "Exporting to Canvas",
    QuizStatus.PUBLISHED: "Published",
    QuizStatus.FAILED: "Failed",
}
assert set(QUIZ_STATES) == set(QuizStatus), "every quiz status needs its words"

PUBLICATIONS = {
    PublicationState.EXPORTING: "Being sent:",
    PublicationState.PUBLISHED: "Published:",
    PublicationState.FAILED: "Not published:",
}
assert set(PUBLICATIONS) == set(PublicationState), "every state of a publication needs its words"

FAILURES = {
    FailureReason.NO_CONTENT: "The material holds no text that questions could be asked about.",
    FailureReason.EXTRACTION_FAILED: "The files could not be read. They may be damaged, protected or of another kind.",
    FailureReason.LLM_GENERATION_ERROR: "The question generator kept answering with an error.",
    FailureReason.NO_QUESTIONS_GENERATED: "No question could be made from the material.",
    FailureReason.CANVAS_ERROR: "It could not be published in Canvas.",
}
assert set(FAILURES) == set(FailureReason), "every failure reason needs its words"


def batches_of(preset: str) -> int:
    """How many batches a preset makes of a module; 0: as many as are chosen."""
    return len(KINDS[Preset(preset)]) if preset else 0


def label(name: str) -> str:
    """A code's name on a page: `medium` as Medium."""
    return name.replace("_", " ").capitalize()


def sentence(words: str) -> str:
    """With a capital and a full stop."""
    return words[:1].upper() + words[1:].rstrip(".") + "."


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """One decimal, rounded half up in whole numbers; 100.0% only when nothing is missing."""
    if whole <= 0:
        return "0.0%"
    permille = (2000 * part + whole) // (2 * whole)
    if part < whole:
        permille = min(permille, 999)
    return f"{permille // 10}.{permille % 10}%"


def cost(usd: float) -> str:
    """Dollars with cents; below one dollar four decimals, because a call costs fractions of a cent."""
    ten_thousandths = int(usd * 10_000 + 0.5)
    if 0 < ten_thousandths < 10_000:
        return f"$0.{ten_thousandths:04d}"
    cents = int(usd * 100 + 0.5)
    return f"${cents // 100:,}.{cents % 100:02d}"


def estimated(estimate: Estimate) -> str:
    """What an order would cost and take, in one line."""
    span = estimate.cost_usd
    price = "price unknown" if span is None else f"about {cost(span.expected)} ({cost(span.low)} to {cost(span.high)})"
    return f"{price}, {duration(timedelta(seconds=math.ceil(estimate.seconds.expected)))}"


def waste(reason: str, calls: int, usd: float) -> str:
    return f"{label(reason)}: {plural(calls, 'call')}, {cost(usd)}"


def per_question(usage: Usage) -> str:
    usd = usage.cost_per_accepted_usd
    return "" if usd is None else f"{cost(usd)} a question"


def spent(usage: Usage) -> str:
    """What it has cost, with a word on what that leaves out."""
    if not usage.unpriced_calls:
        return cost(usage.cost_usd)
    if usage.unpriced_calls == usage.llm_calls:
        return "price unknown"
    return f"{cost(usage.cost_usd)} and {plural(usage.unpriced_calls, 'call')} of unknown price"


def duration(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def elapsed(generation: Generation) -> str:
    """From start to end; empty while one of them lies ahead (the script counts meanwhile)."""
    if generation.started_at is None or generation.completed_at is None:
        return ""
    return duration(generation.completed_at - generation.started_at)


def clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S}"


def moment(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def machine_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def batches_completed(generation: Generation) -> int:
    return sum(batch.status is BatchState.COMPLETED for batch in generation.batches)


def tally(batch: Batch) -> str:
    """What became of the batch's questions so far."""
    if batch.status is BatchState.COMPLETED:
        return f"{batch.saved_count}/{batch.target_count} saved"
    if batch.status in {BatchState.FAILED, BatchState.CANCELLED}:
        return f"{batch.held_count} held, {batch.target_count - batch.held_count} missing"
    return f"{batch.held_count}/{batch.target_count} held"


def can_be_accepted(batch: Batch, generation: GenerationState) -> bool:
    is_short = batch.status is BatchState.FAILED and batch.held_count > 0
    return is_short and generation is not GenerationState.CANCELLED


def can_be_retried(batch: Batch, generation: GenerationState) -> bool:
    return batch.status is BatchState.FAILED and generation in {GenerationState.PARTIAL, GenerationState.FAILED}


def accepting(batch: Batch) -> str:
    """What the button does that makes a failed batch of what it holds."""
    return f"Finish this batch with its {plural(batch.held_count, 'question')}"


def grains(batch: Batch) -> list[str]:
    """One cell per question, each `saved`, `held`, `missing` or `open`; a larger batch is drawn to scale."""
    count = min(batch.target_count, GRAINS_MAX)
    saved = batch.saved_count * count // batch.target_count
    kept = (batch.saved_count + batch.held_count) * count // batch.target_count
    rest = "missing" if batch.status in {BatchState.FAILED, BatchState.CANCELLED} else "open"
    return ["saved"] * saved + ["held"] * (kept - saved) + [rest] * (count - kept)
