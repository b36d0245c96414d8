"""Other people's parser reads every question as it is."""

from collections.abc import Iterator

import pytest
from hypothesis import given

from schemas.questions import Content, FillInBlank, Matching, Numeric, Pair, Question, ShortAnswer
from schemas.states import QuestionType
from service.exports.formats import FORMATS
from tests.service.exports import gift_reader
from tests.service.exports.contents import one_of_each, question
from tests.service.exports.gift_reader import Reader
from tests.service.exports.reading import expected
from tests.service.exports.strategies import PATIENT, questions
from tests.web import samples

GIFT = FORMATS["gift"]


@pytest.fixture(scope="module")
def pegjs() -> Iterator[Reader]:
    with gift_reader.reader() as found:
        yield found


def kept(*asked: Question) -> list[Question]:
    return list(GIFT.select(asked).kept)


def test_every_type_but_flashcards_is_read_as_it_is(pegjs: Reader) -> None:
    asked = kept(*one_of_each())
    assert len(asked) == 7
    assert pegjs.read(GIFT.write(samples.quiz(), asked)) == {one.id: expected(one) for one in asked}


@PATIENT
@given(asked=questions())
def test_every_text_survives(pegjs: Reader, asked: list[Question]) -> None:
    fitting = kept(*asked)
    found = pegjs.read(GIFT.write(samples.quiz(), fitting))
    assert found == {one.id: expected(one) for one in fitting}


def test_a_mark_of_the_readers_in_an_accepted_answer_leaves_the_question_out(pegjs: Reader) -> None:
    pairs = tuple(Pair(left=f"&&058;{number}", right=f"&&010{number}") for number in range(3))
    asked = [
        question(1, QuestionType.SHORT_ANSWER, content=ShortAnswer(stem="Which?", answers=("a", "&&058;"))),
        question(2, QuestionType.MATCHING, content=Matching(stem="&&058;", pairs=pairs, extra_rights=("&&092;",))),
    ]
    selection = GIFT.select(asked)
    assert [one.id.int for one in selection.left_out] == [1]
    assert pegjs.read(GIFT.write(samples.quiz(), selection.kept)) == {asked[1].id: expected(asked[1])}


@pytest.mark.parametrize(
    ("question_type", "content"),
    [
        (QuestionType.SHORT_ANSWER, ShortAnswer(stem="What follows?", answers=("b", "a -> b"))),
        (QuestionType.FILL_IN_BLANK, FillInBlank(stem="It is ____.", answers=("->",))),
    ],
)
def test_an_arrow_in_an_accepted_answer_leaves_the_question_out(question_type: QuestionType, content: Content) -> None:
    selection = GIFT.select([question(1, question_type, content=content), question(2, QuestionType.TRUE_FALSE)])
    assert [one.id.int for one in selection.kept] == [2]
    [left_out] = selection.left_out
    assert left_out.id.int == 1
    assert "->" in left_out.reason


def test_an_arrow_elsewhere_is_an_arrow(pegjs: Reader) -> None:
    pairs = tuple(Pair(left=f"{number} -> x", right=f"y -> {number}") for number in range(3))
    asked = [
        question(1, QuestionType.MATCHING, content=Matching(stem="A -> B", pairs=pairs, extra_rights=("-> z",))),
        question(2, QuestionType.SHORT_ANSWER, content=ShortAnswer(stem="A -> ?", answers=("B",)), text="A -> B"),
    ]
    assert pegjs.read(GIFT.write(samples.quiz(), asked)) == {one.id: expected(one) for one in asked}


def test_no_answer_is_taken_for_a_format_or_a_weight() -> None:
    content = ShortAnswer(stem="Which?", answers=("%50%x", "[html]x", "x"))
    written = GIFT.write(samples.quiz(), [question(1, QuestionType.SHORT_ANSWER, content=content)]).decode()
    assert "\n\t=[plain]%50%x\n\t=[plain][html]x\n\t=x\n" in written


def test_a_question_holds_no_blank_line(pegjs: Reader) -> None:
    content = ShortAnswer(stem="One\n\n\nTwo", answers=("a\n\nb",))
    written = GIFT.write(samples.quiz(), [question(1, QuestionType.SHORT_ANSWER, content=content, text="x\n\n\ny")])
    assert written.count(b"\n\n") == 2, "after the category and after the question"
    assert len(pegjs.parse(written)) == 2


@pytest.mark.parametrize(("answer", "written"), [(1e-7, "#0.0000001:0"), (-2e20, "#-200000000000000000000:0")])
def test_numbers_have_no_exponent(answer: float, written: str) -> None:
    content = Numeric(stem="How many?", answer=answer, tolerance=0)
    assert written in GIFT.write(samples.quiz(), [question(1, QuestionType.NUMERIC, content=content)]).decode()


def test_each_module_is_a_category_of_the_quiz(pegjs: Reader) -> None:
    asked = [question(1, QuestionType.TRUE_FALSE, text="Waves/particles: C:\\new")]
    category, _ = pegjs.parse(GIFT.write(samples.quiz(title="Physics"), asked))
    assert category == {"type": "Category", "title": "top/Physics/Waves//particles: C:\\\\new"}


def test_labels_become_tags(pegjs: Reader) -> None:
    asked = question(1, QuestionType.TRUE_FALSE, text="Light [2]").model_copy(update={"tags": ("a]b", "two words")})
    _, found = pegjs.parse(GIFT.write(samples.quiz(), [asked]))
    assert found["tags"] == ["Light (2)", "easy", "remember", "a)b", "two words"]


def test_nothing_is_an_empty_file() -> None:
    assert GIFT.write(samples.quiz(), []) == b""
