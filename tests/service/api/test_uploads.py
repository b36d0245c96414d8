"""Multipart forms: names that are names, material that is text, and each refusal with its reason."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.api import answers, uploads
from service.errors import QuizmillError

TEXT = b"Leaves turn light into sugar."


async def take(request: Request) -> Response:
    given = await uploads.material(request, can_see=False)
    files = [[name, content.decode("utf-8" if name.endswith(".md") else "latin-1")] for name, content in given.files]
    return JSONResponse({"title": given.title, "language": given.language, "files": files})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/", take, methods=["POST"])], exception_handlers={QuizmillError: answers.failure})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def send(http: httpx.AsyncClient, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
    parts = [("files", (name, content)) for name, content in files] or [("files", ("", b""))]
    return await http.post("/", data={"title": "Plants", **fields}, files=parts)


async def send_raw(http: httpx.AsyncClient, *lines: bytes, boundary: bytes = b"x") -> httpx.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
    return await http.post("/", content=b"\r\n".join(lines), headers=headers)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("notes.md", "notes.md"),
        ("My notes.TXT", "My notes.TXT"),
        ("../../etc/passwd", "passwd"),
        ("../../etc/notes.md", "notes.md"),
        ("/etc/notes.md", "notes.md"),
        ("C:\\x.md", "x.md"),
        ("C:\\Users\\ann\\..\\x.md", "x.md"),
        ("..\\..\\x.md", "x.md"),
        ("a/b\\c/d.md", "d.md"),
        ("a\r\nSet-Cookie: b.md", "aSet-Cookie: b.md"),
        ("a\x00b.md", "ab.md"),
        ("\u202egpj.md", "gpj.md"),
        ("\x1b[31mred.md", "[31mred.md"),
        ("Einführung 第一章.md", "Einführung 第一章.md"),
        ("  padded.md  ", "padded.md"),
        ("", "file"),
        ("/", "file"),
        ("\r\n", "file"),
        ("x" * 5000 + ".md", "x" * 120 + ".md"),
        ("a." + "y" * 5000, "a." + "y" * 19),
        ("." * 5000, "." * 120),
    ],
    ids=lambda text: text[:30].encode("unicode_escape").decode(),
)
def test_a_name_is_for_people_and_never_a_path(sent: str, shown: str) -> None:
    name = uploads.display_name(sent)
    assert name == shown
    assert name.isprintable()
    assert not set(name) & set("/\\")
    assert len(name) <= 140


async def test_files_are_taken_with_their_names_and_bytes(http: httpx.AsyncClient) -> None:
    answer = await send(http, ("../a.md", TEXT), ("b.html", b"<p>Roots</p>"), language="de")
    assert answer.json() == {
        "title": "Plants",
        "language": "de",
        "files": [["a.md", TEXT.decode()], ["b.html", "<p>Roots</p>"]],
    }


async def test_pasted_text_is_material_too(http: httpx.AsyncClient) -> None:
    answer = await send(http, ("a.md", TEXT), text="Roots take up water.")
    assert answer.json()["files"] == [["a.md", TEXT.decode()], ["Pasted text.md", "Roots take up water."]]
    assert (await send(http, text="Roots")).json()["files"] == [["Pasted text.md", "Roots"]]


async def test_a_form_without_material_names_what_is_missing(http: httpx.AsyncClient) -> None:
    answer = await send(http, text="   ")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "files", "message": "give at least one file, or text"}]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"language": "English"}, "language"),
        ({"other": "1"}, "other"),
        ({"text": "a\x00b"}, "text"),
    ],
    ids=str,
)
async def test_a_field_that_is_wrong_is_named(http: httpx.AsyncClient, fields: dict[str, str], field: str) -> None:
    answer = await send(http, ("a.md", TEXT), **fields)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("name", ["passwd", "../../etc/passwd", "slides.ppt", "a.md.exe", ".md", "md", "a.", "a.html/"])
async def test_a_kind_of_file_that_can_not_be_read_is_refused_with_what_can(http: httpx.AsyncClient, name: str) -> None:
    answer = await send(http, (name, TEXT))
    assert answer.status_code == 415
    assert ".markdown, .md, .pdf" in answer.json()["detail"]
    assert "etc" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.md is empty"),
        (b" \r\n\t ", "a.md is empty"),
        (b"\xff\xfeL\x00", "a.md is not UTF-8 text"),
        (b"a\x00b", "a.md holds the NUL character"),
    ],
)
async def test_a_file_that_is_no_text_is_refused_by_name(http: httpx.AsyncClient, content: bytes, said: str) -> None:
    answer = await send(http, ("a.md", content))
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_a_web_page_may_declare_another_encoding(http: httpx.AsyncClient) -> None:
    page = "<meta charset=latin1><p>Größe</p>"
    answer = await send(http, ("a.html", page.encode("latin-1")))
    assert answer.json()["files"] == [["a.html", page]]


def named(filename: bytes) -> list[bytes]:
    """A whole form with one file, as bytes: clients would escape what is in the name."""
    title = [b"--x", b'Content-Disposition: form-data; name="title"', b"", b"Plants"]
    header = b'Content-Disposition: form-data; name="files"; filename="%s"' % filename
    return [*title, b"--x", header, b"", TEXT, b"--x--", b""]


async def test_a_name_with_escaped_line_ends_stays_one_line(http: httpx.AsyncClient) -> None:
    answer = await send_raw(http, *named(b"a%0D%0Ab.md"))
    assert answer.json()["files"] == [["a%0D%0Ab.md", TEXT.decode()]]


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n", b"\r\n\r\n"])
async def test_a_name_with_raw_line_ends_is_refused_or_loses_them(http: httpx.AsyncClient, end: bytes) -> None:
    answer = await send_raw(http, *named(b"a" + end + b"b.md"))
    if answer.status_code == 200:
        assert answer.json()["files"] == [["ab.md", TEXT.decode()]]
    else:
        assert answer.status_code in {400, 415, 422}


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"not a form"], 400),
        ([b"--x", b"no headers"], 400),
        ([b"--x", b'Content-Disposition: form-data; name="title"', b"", b"cut off"], 422),
        ([b"--x", b"Content-Disposition: form-data", b"", b"Plants", b"--x--", b""], 400),
    ],
)
async def test_a_body_that_is_no_form_is_refused(http: httpx.AsyncClient, lines: list[bytes], status: int) -> None:
    answer = await send_raw(http, *lines)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_form_without_a_boundary_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/", content=b"--x--", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    assert "the form can't be read" in answer.json()["detail"]


async def test_no_form_holds_files_or_fields_without_end(http: httpx.AsyncClient) -> None:
    files = [(f"{number}.md", TEXT) for number in range(uploads.FILES_MAX)]
    assert (await send(http, *files)).status_code == 200
    too_many = await send(http, *files, ("one.md", TEXT))
    assert too_many.status_code == 400
    assert "Too many files" in too_many.json()["detail"]
    fields = {f"field{number}": "x" for number in range(uploads.FIELDS_MAX)}
    assert (await send(http, ("a.md", TEXT), **fields)).status_code == 400
