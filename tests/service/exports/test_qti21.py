"""What QTI 2.1 says of a question, a converter to QTI 3 understands."""

import io
import zipfile

from hypothesis import given
from lxml import etree

from schemas.questions import FillInBlank, Question
from schemas.states import QuestionType
from service.exports.formats import FORMATS
from service.exports.qti21_items import QTI
from tests.service.exports import qti21_reader
from tests.service.exports.contents import one_of_each, question
from tests.service.exports.strategies import PATIENT, questions
from tests.web import samples

QTI21 = FORMATS["qti21"]


def kept(*asked: Question) -> list[Question]:
    return list(QTI21.select(asked).kept)


def items(*asked: Question) -> list[etree._Element]:
    with zipfile.ZipFile(io.BytesIO(QTI21.write(samples.quiz(), asked))) as files:
        return [etree.fromstring(files.read(name)) for name in files.namelist() if name.startswith("items/")]


def test_every_type_but_flashcards_is_read_as_it_is() -> None:
    asked = kept(*one_of_each())
    assert len(asked) == 7
    found = qti21_reader.read(QTI21.write(samples.quiz(), asked))
    assert found == {one.id: qti21_reader.expected(one) for one in asked}


@PATIENT
@given(asked=questions())
def test_every_text_survives(asked: list[Question]) -> None:
    fitting = kept(*asked)
    found = qti21_reader.read(QTI21.write(samples.quiz(), fitting))
    assert found == {one.id: qti21_reader.expected(one) for one in fitting}


def test_flashcards_are_left_out_with_a_reason() -> None:
    left_out = QTI21.select(one_of_each()).left_out
    assert [one.question_type for one in left_out] == [QuestionType.FLASHCARD, QuestionType.VOCABULARY]
    assert {one.reason for one in left_out} == {"QTI 2.1 has no flashcards"}


def test_the_field_stands_in_the_first_gap() -> None:
    content = FillInBlank(stem="Roots\ntake up ____ and ____.", answers=("water",))
    [item] = items(question(1, QuestionType.FILL_IN_BLANK, content=content))
    [paragraph] = item.find(f"{{{QTI}}}itemBody")
    assert etree.tostring(paragraph, encoding="unicode").partition(">")[2] == (
        'Roots<br/>take up <textEntryInteraction responseIdentifier="RESPONSE" expectedLength="20"/> and ____.</p>'
    )


def test_a_sentence_without_its_gap_has_its_field_below() -> None:
    content = FillInBlank(stem="Roots take up what?", answers=("water",))
    asked = question(1, QuestionType.FILL_IN_BLANK, content=content)
    found = qti21_reader.read(QTI21.write(samples.quiz(), [asked]))
    assert found == {asked.id: qti21_reader.expected(asked)}


def test_an_item_says_its_language_and_asks_for_truth_in_it() -> None:
    quiz = samples.quiz().model_copy(update={"language": "de"})
    package = QTI21.write(quiz, [question(1, QuestionType.TRUE_FALSE)])
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        [item] = [etree.fromstring(files.read(name)) for name in files.namelist() if name.startswith("items/")]
    assert item.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert [one.text for one in item.iter(f"{{{QTI}}}simpleChoice")] == ["Richtig", "Falsch"]


def test_each_module_is_a_section_of_the_test() -> None:
    asked = [
        question(1, QuestionType.TRUE_FALSE, text="Waves"),
        question(2, QuestionType.TRUE_FALSE, text="Other").model_copy(update={"module_id": samples.SECOND}),
        question(3, QuestionType.TRUE_FALSE, text="Waves"),
    ]
    with zipfile.ZipFile(io.BytesIO(QTI21.write(samples.quiz(title="Physics"), asked))) as files:
        test = etree.fromstring(files.read("test.xml"))
    sections = {
        section.get("title"): [one.get("identifier")[-1] for one in section]
        for section in test.iter(f"{{{QTI}}}assessmentSection")
    }
    assert test.get("title") == "Physics"
    assert sections == {"Waves": ["1", "3"], "Other": ["2"]}
