"""The formats by name."""

import pytest

from schemas.questions import Question
from schemas.states import QuestionType
from service.exports import formats
from service.exports.base import ExportFormat
from service.exports.formats import FORMATS
from tests.service.exports.contents import CONTENTS, one_of_each, question
from tests.web import samples
from web import wording

TYPES_OF = {"qti": 7, "qti21": 7, "moodle-xml": 7, "gift": 7, "anki": 9, "csv": 9, "json": 9}


def written(export_format: ExportFormat, *asked: Question) -> bytes:
    return export_format.write(samples.quiz(), export_format.select(asked).kept)


def test_the_formats_of_the_contract_are_there_and_a_page_names_them() -> None:
    assert list(FORMATS) == list(TYPES_OF) == list(wording.EXPORTS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_every_type_that_it_can_and_nothing_at_all(name: str) -> None:
    export_format = FORMATS[name]
    assert written(export_format, *one_of_each())
    assert isinstance(written(export_format), bytes)
    assert export_format.suffix.isalnum()
    assert "/" in export_format.media_type


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_in_the_file_is_told(name: str) -> None:
    selection = FORMATS[name].select(one_of_each())
    assert len(selection.kept) == TYPES_OF[name]
    assert {one.id for one in selection.kept} | {one.id for one in selection.left_out} == {
        one.id for one in one_of_each()
    }
    assert all(one.reason and one.preview for one in selection.left_out)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_questions_give_the_same_bytes(name: str) -> None:
    assert written(FORMATS[name], *one_of_each()) == written(FORMATS[name], *one_of_each())


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in {"qti", "qti21", "anki"}])
@pytest.mark.parametrize("question_type", CONTENTS)
def test_a_question_is_named_by_its_id_alone_or_among_others(name: str, question_type: QuestionType) -> None:
    export_format, asked = FORMATS[name], question(77, question_type)
    if not export_format.select([asked]).kept:
        return
    for others in ([], one_of_each()):
        assert written(export_format, asked, *others).count(str(asked.id).encode()) >= 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_named_by_the_code_of_its_quiz(name: str) -> None:
    assert FORMATS[name].file_name(samples.quiz(title="../../etc/passwd")) == f"quiz-amber-owl.{FORMATS[name].suffix}"


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        ("zip", "qti"),
        ("xml", "moodle-xml"),
        ("gift", "gift"),
        ("txt", "gift"),
        ("apkg", "anki"),
        ("CSV", "csv"),
        ("json", "json"),
        ("docx", None),
        ("", None),
    ],
)
def test_a_suffix_tells_the_format(suffix: str, name: str | None) -> None:
    assert formats.of_suffix(suffix) == name
