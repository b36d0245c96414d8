"""What holds for every request: known hosts, no writes from other origins, bounded bodies, safe headers."""

import asyncio
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.answers import failure
from service.errors import BadRequest, Forbidden, QuizmillError, TooLarge, TooSlow
from service.settings import Settings, is_loopback

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_SECONDS_MAX: Final = 30
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
}


class Guard:
    """Pure ASGI: nothing is buffered."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._hosts = {settings.host, *settings.public_hosts}
        self._upload_bytes_max = settings.upload_mb_max * 1024 * 1024
        self._body_bytes_max = settings.body_kb_max * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message), scope["path"])
            await send(message)

        headers = Headers(scope=scope)
        try:
            self._require_known_host(headers)
            _require_same_origin(scope["method"], headers)
            bounded = self._bounded(headers, receive)
        except QuizmillError as error:
            await failure(Request(scope), error)(scope, receive, send_guarded)
            return
        await self._app(scope, bounded, send_guarded)

    def _bounded(self, headers: Headers, receive: Receive) -> Receive:
        """A body larger than its kind may be is refused: at once where its length is told, else at the limit."""
        is_upload = headers.get("content-type", "").lower().startswith("multipart/")
        bytes_max = self._upload_bytes_max if is_upload else self._body_bytes_max
        told = headers.get("content-length", "0")
        if told.isascii() and told.isdigit():
            _require_size(int(told[:20]), bytes_max)
        received, is_complete = 0, False

        async def receive_bounded() -> Message:
            nonlocal received, is_complete
            try:
                async with asyncio.timeout(None if is_complete else BODY_SECONDS_MAX):
                    message = await receive()
            except TimeoutError:
                raise TooSlow(f"nothing of the body came for {BODY_SECONDS_MAX} seconds") from None
            is_complete = not message.get("more_body", False)
            received += len(message.get("body", b""))
            _require_size(received, bytes_max)
            return message

        return receive_bounded

    def _require_known_host(self, headers: Headers) -> None:
        """DNS rebinding: a page of someone else's domain that resolves to us must not be served."""
        name = _split(f"//{headers.get('host', '')}").hostname or ""
        if not is_loopback(name) and name not in self._hosts:
            raise BadRequest("this host name is not served here")


def _require_size(size: int, bytes_max: int) -> None:
    if size > bytes_max:
        raise TooLarge(f"the body is larger than the {bytes_max // 1024} KB allowed here")


def last_answer(request: Request, error: Exception) -> Response:
    """For an error that nobody foresaw: Starlette answers it from outside of the guard."""
    response = failure(request, error)
    _secure(response.headers, request.url.path)
    return response


def _secure(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if not path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")


def _require_same_origin(method: str, headers: Headers) -> None:
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site", "none")
    if site not in {"same-origin", "none"}:
        raise Forbidden("writes from other origins are refused")
    origin = headers.get("origin")
    if origin and _split(origin).netloc != headers.get("host"):
        raise Forbidden("writes from other origins are refused")


def _split(address: str) -> SplitResult:
    """Its parts; all empty for what is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
