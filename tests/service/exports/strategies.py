"""Questions with all kinds of texts, for hypothesis."""

from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.questions import (
    Content,
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
from schemas.states import QuestionType
from tests.service.exports.contents import question

# Questions are large, and a busy machine makes them slowly.
PATIENT = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What means something to one of the formats.
FRAGMENTS = (
    '<b>bold</b>', '</p>', '<script>alert(1)</script>', '<!--', ']]>', '<br>', 'a < b > c', '&', '&lt;',
    '&amp;', '&#65;', '&nbsp;', '&&058;', '\\', '\\n', '\\\\', '\\(\\frac{a}{b}\\)', '\\[x^2\\]',
    '$x$', '$$y$$', '$CATEGORY: x', '{', '}', '{{c1::gap}}', '}}', '{T}', '~',
    '=', '#', '####', ':', '::', '::a::', '//', '/', '[html]',
    '[plain]', '[id:x]', '[sound:a.mp3]', '[', ']', '%50%', '%', '*', '\\*',
    '**', '?', '->', '--', '\n', '\n\n', '\r\n', '\r', '\t',
    '  ', ' ', '\xa0', '____', '_____', '\x00', '\x01', '\x0b', '\x0c',
    '\x1f', '\x7f', '\x85', '\u2028', '\ufffe', '\uffff', '💧', '\U0001f469\u200d\U0001f52c',
    '水', 'שלום', 'مرحبا', '\u202e', 'é', 'é', "'", '"', '`',
    '|', ';', ',', 'TRUE', 'F', '-1', 'word', 'Roots',
)  # fmt: skip


def texts(*, without: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Never blank, since no check lets a blank text pass."""
    # A zero-width space is a space to JavaScript and none to Python.
    characters = st.characters(exclude_categories=("Cs",), exclude_characters="\ufeff")
    parts = st.lists(st.sampled_from(FRAGMENTS) | characters, min_size=1, max_size=8)
    joined = parts.map("".join).filter(lambda text: bool("".join(map(_visible, text)).strip()))
    return joined.filter(lambda text: not any(fragment in text for fragment in without))


def _visible(character: str) -> str:
    return character if character.isprintable() else " "


def different(least: int, most: int) -> st.SearchStrategy[list[str]]:
    """Texts that differ in more than spaces, as the checks demand."""
    return st.lists(texts(), min_size=least, max_size=most, unique_by=lambda text: " ".join(text.split()).casefold())


@st.composite
def choices(draw: st.DrawFn) -> MultipleChoice:
    options = draw(different(3, 6))
    return MultipleChoice(stem=draw(texts()), options=tuple(options), answer=draw(st.integers(0, len(options) - 1)))


@st.composite
def responses(draw: st.DrawFn) -> MultipleResponse:
    options = draw(different(3, 6))
    keys = draw(st.sets(st.integers(0, len(options) - 1), min_size=2, max_size=len(options) - 1))
    return MultipleResponse(stem=draw(texts()), options=tuple(options), answers=tuple(sorted(keys)))


@st.composite
def gaps(draw: st.DrawFn) -> FillInBlank:
    stem = f"{draw(texts())} ____ {draw(texts(without=('_',)))}"
    return FillInBlank(stem=stem, answers=tuple(draw(different(1, 3))))


@st.composite
def matchings(draw: st.DrawFn) -> Matching:
    lefts = draw(different(3, 8))
    rights = draw(different(len(lefts), len(lefts) + 4))
    pairs = tuple(Pair(left=left, right=right) for left, right in zip(lefts, rights, strict=False))
    return Matching(stem=draw(texts()), pairs=pairs, extra_rights=tuple(rights[len(lefts) :]))


numbers = st.builds(
    Numeric,
    stem=texts(),
    answer=st.floats(allow_nan=False, allow_infinity=False),
    tolerance=st.just(0.0) | st.floats(min_value=0, max_value=1e12, allow_nan=False),
)
CONTENTS: dict[QuestionType, st.SearchStrategy[Content]] = {
    QuestionType.MULTIPLE_CHOICE: choices(),
    QuestionType.MULTIPLE_RESPONSE: responses(),
    QuestionType.TRUE_FALSE: st.builds(TrueFalse, stem=texts(), answer=st.booleans()),
    QuestionType.FILL_IN_BLANK: gaps(),
    QuestionType.SHORT_ANSWER: st.builds(ShortAnswer, stem=texts(), answers=different(1, 3).map(tuple)),
    QuestionType.MATCHING: matchings(),
    QuestionType.NUMERIC: numbers,
    QuestionType.FLASHCARD: st.builds(Flashcard, front=texts(), back=texts()),
    QuestionType.VOCABULARY: st.builds(Vocabulary, term=texts(), definition=texts(), example=texts()),
}
assert set(CONTENTS) == set(QuestionType), "every question type needs its strategy"


@st.composite
def questions(draw: st.DrawFn) -> list[Question]:
    """A few of any type, about two modules."""
    types = draw(st.lists(st.sampled_from(list(QuestionType)), min_size=1, max_size=5))
    found = []
    for number, question_type in enumerate(types, start=1):
        plain = question(number, question_type, content=draw(CONTENTS[question_type]), text=draw(texts()))
        module = UUID(int=draw(st.integers(11, 12)))
        found.append(plain.model_copy(update={"module_id": module, "explanation": draw(st.just("") | texts())}))
    return found
