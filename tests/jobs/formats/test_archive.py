"""A zip of material: in the order a person would expect, without what is none."""

from jobs.formats import archive
from tests.documents import PROSE, zipped


def names(*paths: str) -> list[str]:
    return [path for path, _ in archive.files(zipped(dict.fromkeys(paths, PROSE)))]


def test_lecture_nine_comes_before_lecture_ten() -> None:
    assert names("Lecture 10.md", "lecture 9.md", "Lecture 1.md") == ["Lecture 1.md", "lecture 9.md", "Lecture 10.md"]


def test_folders_stay_together() -> None:
    assert names("b/1.md", "a/2.md", "b/2.md", "a/1.md") == ["a/1.md", "a/2.md", "b/1.md", "b/2.md"]


def test_hidden_files_and_other_kinds_are_passed_over() -> None:
    assert names("a.md", ".b.md", "__MACOSX/._a.md", ".git/c.md", "style.css", "d.md/readme") == ["a.md"]


def test_names_of_many_digits_do_no_harm() -> None:
    assert len(names("9" * 5000 + ".md", "²³.md", "٣.md")) == 3
