"""Canvas finds every question in the package and reads it as it is."""

import io
import zipfile

from hypothesis import given
from lxml import etree

from schemas.questions import Matching, Numeric, Pair, Question
from schemas.states import QuestionType
from service.exports.formats import FORMATS
from tests.service.exports import qti_reader
from tests.service.exports.contents import one_of_each, question
from tests.service.exports.qti_reader import CANVAS, QTI
from tests.service.exports.reading import expected
from tests.service.exports.strategies import PATIENT, questions
from tests.web import samples

CANVAS_QUIZ = FORMATS["qti"]


def kept(*asked: Question) -> list[Question]:
    return list(CANVAS_QUIZ.select(asked).kept)


def test_every_type_but_flashcards_is_read_as_it_is() -> None:
    asked = kept(*one_of_each())
    assert len(asked) == 7
    found = qti_reader.read(CANVAS_QUIZ.write(samples.quiz(), asked))
    assert found == {one.id: expected(one) for one in asked}


@PATIENT
@given(asked=questions())
def test_every_text_survives(asked: list[Question]) -> None:
    fitting = kept(*asked)
    found = qti_reader.read(CANVAS_QUIZ.write(samples.quiz(), fitting))
    assert found == {one.id: expected(one) for one in fitting}


def test_flashcards_are_left_out_with_a_reason() -> None:
    left_out = CANVAS_QUIZ.select(one_of_each()).left_out
    assert [one.question_type for one in left_out] == [QuestionType.FLASHCARD, QuestionType.VOCABULARY]
    assert {one.reason for one in left_out} == {"QTI 1.2 and the quizzes of Canvas have no flashcards"}


def test_canvas_is_told_the_name_and_the_points_of_the_quiz() -> None:
    asked = kept(*one_of_each())
    package = CANVAS_QUIZ.write(samples.quiz(title="R&D <b>"), asked)
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        [name] = [name for name in files.namelist() if name.endswith("/assessment_meta.xml")]
        about = etree.fromstring(files.read(name))
    assert about.findtext(f"{CANVAS}title") == "R&D <b>"
    assert about.findtext(f"{CANVAS}points_possible") == "7.0"
    quiz = qti_reader.assessment(package).find(f"{QTI}assessment")
    assert (quiz.get("title"), quiz.get("ident")) == ("R&D <b>", about.get("identifier"))


def test_rights_stand_in_an_order_that_tells_nothing() -> None:
    pairs = tuple(Pair(left=left, right=right) for left, right in (("1", "pear"), ("2", "Fig"), ("3", "apple")))
    content = Matching(stem="Match.", pairs=pairs, extra_rights=("lime",))
    package = CANVAS_QUIZ.write(samples.quiz(), [question(1, QuestionType.MATCHING, content=content)])
    for response in qti_reader.assessment(package).iter(f"{QTI}response_lid"):
        texts = [one.text for one in response.iterfind(f"{QTI}render_choice//{QTI}mattext")]
        assert texts == ["apple", "Fig", "lime", "pear"]


def test_the_ends_of_a_tolerance_are_exact() -> None:
    content = Numeric(stem="How many?", answer=0.1, tolerance=0.2)
    package = CANVAS_QUIZ.write(samples.quiz(), [question(1, QuestionType.NUMERIC, content=content)])
    root = qti_reader.assessment(package)
    assert [root.find(f".//{QTI}{end}").text for end in ("vargte", "varlte")] == ["-0.1", "0.3"]
