"""What holds for every request: known hosts, no writes from elsewhere, bounded bodies, safe headers."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.api import answers
from service.api.guard import HEADERS, Guard
from service.errors import QuizmillError
from service.settings import Settings

KB = 1024


async def echo(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())}")


async def answer_early(_request: Request) -> Response:
    return PlainTextResponse("not read")


async def framed(_request: Request) -> Response:
    return PlainTextResponse("own", headers={"Cache-Control": "max-age=60", "Content-Security-Policy": "own"})


def guarded(host: str = "127.0.0.1", hosts: str = "") -> Starlette:
    settings = Settings(host=host, hosts=hosts, body_kb_max=2, upload_mb_max=1)
    return Starlette(
        routes=[
            Route("/echo", echo, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/early", answer_early, methods=["POST"]),
            Route("/framed", framed),
            Route("/static/style.css", answer_early),
        ],
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={QuizmillError: answers.failure},
    )


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(guarded())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def chunks(count: int, size: int = KB) -> AsyncIterator[bytes]:
    """A body whose length is not told."""
    for _ in range(count):
        yield b"x" * size


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8000"])
async def test_this_machine_is_served(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.get("/echo", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:8000",
        "127.0.0.1@evil.example",
        "evil.example/127.0.0.1",
        "10.0.0.1",
        "0.0.0.0",
        "2130706433",
        "",
        "[",
        "[::1",
        "[evil]",
        "127.0.0.1:x]",
    ],
)
async def test_any_other_host_is_refused(http: httpx.AsyncClient, host: str) -> None:
    answer = await http.get("/echo", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "evil" not in answer.text


async def test_the_host_we_are_told_to_be_is_served() -> None:
    transport = httpx.ASGITransport(guarded("quiz.example"))
    async with httpx.AsyncClient(transport=transport, base_url="http://quiz.example") as client:
        assert (await client.get("/echo")).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("quiz.example", 200),
        ("Quiz.Example:8443", 200),
        ("two.example", 200),
        ("127.0.0.1:8000", 200),
        ("a.quiz.example", 400),
        ("quiz.example.evil.example", 400),
        ("example", 400),
        ("", 400),
    ],
)
async def test_names_that_a_proxy_serves_are_served_and_no_others(host: str, status: int) -> None:
    transport = httpx.ASGITransport(guarded(hosts="quiz.example, TWO.example,"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        assert (await client.get("/echo", headers={"Host": host})).status_code == status


async def test_a_write_under_a_served_name_must_come_from_its_own_pages() -> None:
    transport = httpx.ASGITransport(guarded(hosts="quiz.example,two.example"))
    async with httpx.AsyncClient(transport=transport, base_url="https://quiz.example") as client:
        for origin, status in (
            ("https://quiz.example", 200),
            ("https://two.example", 403),
            ("https://quiz.example:8443", 403),
            ("https://evil.example", 403),
        ):
            assert (await client.post("/echo", headers={"Origin": origin})).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "anything"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
    ids=str,
)
async def test_a_write_from_elsewhere_is_refused(http: httpx.AsyncClient, method: str, headers: dict[str, str]) -> None:
    answer = await http.request(method, "/echo", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
async def test_a_write_from_our_own_pages_or_a_program_is_served(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await http.post("/echo", headers=headers)).status_code == 200


async def test_reading_from_elsewhere_is_left_to_the_browser(http: httpx.AsyncClient) -> None:
    answer = await http.get("/echo", headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "bytes_max"), [("application/json", 2 * KB), ("multipart/form-data; boundary=x", 1024 * KB)]
)
async def test_a_body_may_be_as_large_as_its_kind_and_no_larger(
    http: httpx.AsyncClient, content_type: str, bytes_max: int
) -> None:
    headers = {"Content-Type": content_type}
    fits = await http.post("/echo", content=b"x" * bytes_max, headers=headers)
    assert (fits.status_code, fits.text) == (200, str(bytes_max))
    too_large = await http.post("/echo", content=b"x" * (bytes_max + 1), headers=headers)
    assert too_large.status_code == 413
    assert too_large.json()["detail"] == f"the body is larger than the {bytes_max // KB} KB allowed here"


@pytest.mark.parametrize("digits", [4, 15, 5000])
async def test_a_body_that_tells_too_great_a_length_is_refused_before_it_is_read(
    http: httpx.AsyncClient, digits: int
) -> None:
    too_large = {"Content-Length": "9" * digits}
    assert (await http.post("/early", content=b"x", headers=too_large)).status_code == 413


@pytest.mark.parametrize("told", ["-1", "abc", "", "\u00b2"])
async def test_a_length_that_is_none_counts_as_not_told(http: httpx.AsyncClient, told: str) -> None:
    headers = [(b"Content-Length", told.encode("latin-1")), (b"Content-Type", b"application/json")]
    assert (await http.post("/echo", content=chunks(3), headers=headers)).status_code == 413
    assert (await http.post("/echo", content=chunks(1), headers=headers)).status_code == 200


async def test_a_body_in_chunks_is_refused_where_it_crosses_the_limit(http: httpx.AsyncClient) -> None:
    fits = await http.post("/echo", content=chunks(2))
    assert (fits.status_code, fits.text) == (200, str(2 * KB))
    too_large = await http.post("/echo", content=chunks(3))
    assert too_large.status_code == 413
    assert too_large.headers["content-type"] == "application/problem+json"


async def test_every_answer_carries_the_headers_that_keep_it_safe(http: httpx.AsyncClient) -> None:
    for path in ("/echo", "/nowhere", "/static/style.css"):
        found = (await http.get(path)).headers
        assert {name: found[name] for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]
    assert "base-uri 'none'" in HEADERS["Content-Security-Policy"]


async def test_owners_data_is_not_kept_by_caches_but_static_files_are(http: httpx.AsyncClient) -> None:
    assert (await http.get("/echo")).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await http.get("/static/style.css")).headers


async def test_an_answer_may_have_headers_of_its_own(http: httpx.AsyncClient) -> None:
    found = (await http.get("/framed")).headers
    assert (found["cache-control"], found["content-security-policy"]) == ("max-age=60", "own")
    assert found["x-content-type-options"] == "nosniff"
