"""What can go wrong with Canvas, in words for the person who publishes; never the token.

CanvasError            it ends the publication
|-- CanvasMissing      there is no such course, quiz or question
`-- CanvasBusy         it may pass: Canvas is asked again after a while
"""

from service.errors import QuizmillError


class CanvasError(QuizmillError):
    title = "Canvas did not take it"


class CanvasMissing(CanvasError):
    pass


class CanvasBusy(CanvasError):
    """`retry_after_seconds`: how long Canvas itself wants to be left alone."""

    def __init__(self, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
