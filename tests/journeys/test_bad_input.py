"""Bad input gets a clear answer that names the field, and leaves nothing half-created."""

from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.orders import module
from tests.system import System

CHOICE = "multiple_choice"
pytestmark = pytest.mark.parametrize("connect_redis", ["fakeredis"], indirect=True)

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is refused is refused before the database matters."""
    return sqlite_url


def order(**changes: Any) -> dict[str, Any]:
    return {"title": "A quiz", "modules": [module("Leaves", (CHOICE, 3))], **changes}


def with_batch(**changes: Any) -> dict[str, Any]:
    batch = {"question_type": CHOICE, "target_count": 3, **changes}
    return {"title": "A quiz", "modules": [{"name": "Leaves", "text": "Leaves are green.", "batches": [batch]}]}


def with_module(**changes: Any) -> dict[str, Any]:
    return {"title": "A quiz", "modules": [{**module("Leaves", (CHOICE, 3)), **changes}]}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("empty module", with_module(text=""), "modules.0.text"),
    ("module of white space", with_module(text=" \n\t "), "modules.0.text"),
    ("module without a name", with_module(name=""), "modules.0.name"),
    ("text with NUL", with_module(text="a\x00b"), "modules.0.text"),
    ("unknown type", with_batch(question_type="essay"), "modules.0.batches.0.question_type"),
    ("unknown difficulty", with_batch(difficulty="brutal"), "modules.0.batches.0.difficulty"),
    ("count 0", with_batch(target_count=0), "modules.0.batches.0.target_count"),
    ("count below 0", with_batch(target_count=-1), "modules.0.batches.0.target_count"),
    ("count as text", with_batch(target_count="5"), "modules.0.batches.0.target_count"),
    ("count as truth", with_batch(target_count=True), "modules.0.batches.0.target_count"),
    ("count with a fraction", with_batch(target_count=1.5), "modules.0.batches.0.target_count"),
    ("count above the limit", with_batch(target_count=51), "modules.0.batches.0.target_count"),
    ("huge count", with_batch(target_count=10**9), "modules.0.batches.0.target_count"),
    ("no modules", order(modules=[]), "modules"),
    ("no batches", with_module(batches=[]), "modules.0.batches"),
    ("no title", order(title="  "), "title"),
    ("unknown field", order(colour="red"), "colour"),
    ("language that is none", order(language="English, please"), "language"),
    ("the same batch twice", order(modules=[module("Leaves", (CHOICE, 3), (CHOICE, 3))]), "modules.0.batches.1"),
    ("more batches than allowed", order(modules=[module("Leaves", *[(CHOICE, 1)] * 1001)]), "batches"),
]


@pytest.mark.parametrize(("body", "field"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_an_order_that_makes_no_sense_is_refused_by_field(
    offline_system: System, body: dict[str, Any], field: str
) -> None:
    response = await offline_system.http.post("/api/generations", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert field in [error["field"] for error in problem["errors"]]
    assert problem["status"] == 422
    assert (await offline_system.get("/api/quizzes"))["items"] == [], "nothing half-created"
    assert (await offline_system.get("/api/generations"))["items"] == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"\xff\xfe{\x00}\x00", JSON, 400),
        (b"\xef\xbb\xbf{}", JSON, 400),
        (b'{"title": "a", "title": "b"}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"title": NaN}', JSON, 422),
        (b'{"title": ' + b"9" * 100_000 + b"}", JSON, 422),
        (b'{"title": "\\ud800"}', JSON, 422),
        (b"title=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {}, 415),
        (b'{"title": "' + b"a" * 3_000_000 + b'"}', JSON, 413),
    ],
    ids=[
        "half JSON", "UTF-16", "BOM", "a key twice", "deep nesting", "NaN", "many digits", "lone surrogate", "a form",
        "no content type", "too large",
    ],
)  # fmt: skip
async def test_a_body_that_can_not_be_read_is_refused(
    offline_system: System, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = await offline_system.http.post("/api/generations", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_module_of_another_quiz_is_refused(offline_system: System) -> None:
    quiz = await offline_system.post(
        "/api/quizzes", {"title": "A", "modules": [{"name": "B", "text": "C is a D."}]}, expect=201
    )
    batch = {"module_id": str(uuid4()), "question_type": CHOICE, "target_count": 1}
    response = await offline_system.http.post(f"/api/quizzes/{quiz['id']}/generations", json={"batches": [batch]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "batches.0.module_id"
    assert (await offline_system.get("/api/generations"))["items"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/quizzes/{id}"),
        ("GET", "/api/generations/{id}"),
        ("GET", "/api/generations/{id}/events"),
        ("GET", "/api/generations/{id}/questions"),
        ("GET", "/api/generations/{id}/attempts"),
        ("POST", "/api/generations/{id}/retry"),
        ("POST", "/api/generations/{id}/cancel"),
        ("DELETE", "/api/generations/{id}"),
        ("GET", "/generations/{id}"),
        ("GET", "/quizzes/{id}"),
        ("GET", "/api/generations/not-an-id"),
        ("GET", "/nowhere"),
    ],
)
async def test_what_is_not_there_is_a_404(offline_system: System, method: str, path: str) -> None:
    response = await offline_system.http.request(method, path.format(id=uuid4()))
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/generations?status=done", 422),
        ("/api/generations?resumable=perhaps", 422),
        ("/api/generations?quiz_id=1", 422),
        ("/api/generations?cursor=forged", 400),
        ("/api/generations?limit=0", 400),
        ("/api/generations?limit=many", 400),
        ("/api/generations?limit=1000000000", 200),
    ],
)
async def test_a_query_is_checked(offline_system: System, path: str, status: int) -> None:
    assert (await offline_system.http.get(path)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 400),
    ],
)
async def test_other_origins_and_hosts_are_kept_out(
    offline_system: System, headers: dict[str, str], status: int
) -> None:
    response = await offline_system.http.post("/api/generations", json=order(), headers=headers)
    assert response.status_code == status
    assert (await offline_system.get("/api/generations"))["items"] == []


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("notes.md", b"", 422),
        ("notes.md", b"  \n ", 422),
        ("notes.txt", b"\xff\xfe\x00x", 422),
        ("notes.md", b"a\x00b", 422),
        ("program.exe", b"MZ", 415),
        ("slides.pdf", b"<!doctype html>", 415),
    ],
)
async def test_a_file_that_can_not_be_material_is_refused(
    offline_system: System, name: str, content: bytes, status: int
) -> None:
    response = await offline_system.http.post("/api/quizzes", data={"title": "A"}, files=[("files", (name, content))])
    assert response.status_code == status, response.text
    assert name in response.json()["detail"] or "files" in response.text
    assert (await offline_system.get("/api/quizzes"))["items"] == []


async def test_no_answer_lets_a_browser_guess_or_frame(offline_system: System) -> None:
    for path in ("/", "/api/quizzes", "/nowhere", "/livez"):
        headers = (await offline_system.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
