"""How canvasapi's requests are sent: bounded, without redirects, and every failure in our words."""

from collections import deque
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from canvasapi.requester import Requester

from jobs.canvas.errors import CanvasBusy, CanvasError, CanvasMissing
from jobs.canvas.line import Line, LineAdapter

CONNECT_SECONDS_MAX: Final = 10.0
SILENCE_SECONDS_MAX: Final = 30.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
WORDS_MAX: Final = 300
CHUNK_BYTES: Final = 65_536

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
MISSING: Final = 404
TOO_MANY: Final = 429
REFUSED: Final = 400
MOVED: Final = 300
BROKEN: Final = 500
THROTTLED: Final = "rate limit exceeded"


class _Bearer(requests.auth.AuthBase):
    """Stands in the place of what a .netrc file has for that host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class BoundedRequester(Requester):
    """canvasapi sends through the methods below. They raise CanvasError."""

    def __init__(self, canvas_url: str, token: str) -> None:
        super().__init__(canvas_url, token)
        self._token = token
        self._line = Line(urlsplit(canvas_url).hostname or "")
        self._session.trust_env = False
        self._session.auth = _Bearer(token)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, LineAdapter(self._line))

    def cut(self) -> None:
        """From another thread: the call that is under way fails at once, and every later one."""
        self._line.cut()

    def close(self) -> None:
        self._line.cut()
        self._session.close()

    def _get_request(self, url: str, headers: dict[str, str], params: object = None, **_: object) -> requests.Response:
        return self._send("GET", url, headers, params=params)

    def _post_request(self, url: str, headers: dict[str, str], data: object = None, **_: object) -> requests.Response:
        return self._send("POST", url, headers, data=data)

    def _put_request(self, url: str, headers: dict[str, str], data: object = None, **_: object) -> requests.Response:
        return self._send("PUT", url, headers, data=data)

    def _delete_request(self, url: str, headers: dict[str, str], data: object = None, **_: object) -> requests.Response:
        return self._send("DELETE", url, headers, data=data)

    def _send(self, method: str, url: str, headers: dict[str, str], **content: Any) -> requests.Response:
        try:
            response: requests.Response = self._session.request(
                method,
                url,
                headers={**headers, "Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS_MAX, SILENCE_SECONDS_MAX),
                allow_redirects=False,
                stream=True,
                **content,
            )
            _read(response)
        except requests.exceptions.SSLError:
            raise CanvasError("the connection to Canvas is not safe: its certificate is not accepted") from None
        except requests.Timeout:
            raise CanvasBusy("Canvas did not answer in time") from None
        except requests.RequestException as error:
            raise CanvasBusy(f"Canvas can't be reached ({type(error).__name__})") from None
        self._require_success(response)
        return response

    def _require_success(self, response: requests.Response) -> None:
        status = response.status_code
        if status < MOVED:
            return
        words = _words(response).replace(self._token, "***")[:WORDS_MAX]
        if status < REFUSED:
            raise CanvasError("Canvas sends to another address: give the one it has now, such as https://HOST")
        if status == TOO_MANY or (status == FORBIDDEN and THROTTLED in words.lower()):
            raise CanvasBusy("Canvas asks for fewer calls (rate limit)", retry_after_seconds=_pause_seconds(response))
        if status >= BROKEN:
            raise CanvasBusy(f"Canvas has an error of its own ({status})", retry_after_seconds=_pause_seconds(response))
        said = f": {words}" if words else ""
        if status == UNAUTHORIZED and "WWW-Authenticate" in response.headers:
            raise CanvasError("Canvas does not accept the token: it is wrong, has expired or was revoked")
        if status in {UNAUTHORIZED, FORBIDDEN}:
            raise CanvasError(f"the token's owner may not make quizzes in this course ({status}){said}")
        if status == MISSING:
            raise CanvasMissing("there is no such course in Canvas, or the token's owner does not see it (404)")
        raise CanvasError(f"Canvas refuses ({status}){said}")


def _read(response: requests.Response) -> None:
    """The whole body, if it is bounded. Raises CanvasError."""
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            response.close()
            raise CanvasError("the answer of Canvas is too large")
    response._content = bytes(body)  # noqa: SLF001 # requests has no other way to read with a limit


def _words(response: requests.Response) -> str:
    """What Canvas says about it, in one line; nothing where it speaks HTML."""
    response.encoding = "utf-8"  # some that a server may name take minutes
    if "json" not in response.headers.get("Content-Type", ""):
        text = response.text if "text/plain" in response.headers.get("Content-Type", "") else ""
    else:
        text = "; ".join(_messages(response))
    return " ".join(text.split())


def _messages(response: requests.Response) -> list[str]:
    """Every text under a `message`, wherever Canvas has put it."""
    try:
        found: object = response.json()
    except (ValueError, RecursionError):
        return []
    messages: list[str] = []
    waiting = deque([found])
    while waiting:
        match waiting.popleft():
            case dict() as fields:
                messages += [text for name, text in fields.items() if name == "message" and isinstance(text, str)]
                waiting += [value for value in fields.values() if isinstance(value, dict | list)]
            case list() as entries:
                waiting += [entry for entry in entries if isinstance(entry, dict | list)]
    return messages


def _pause_seconds(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
