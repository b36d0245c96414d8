"""Log lines: readable on a terminal, JSON elsewhere; always on stderr, so that stdout stays for answers."""

import logging
import sys
import time

import structlog

from service.settings import Settings

REPEAT_SECONDS = 10.0


def configure(settings: Settings) -> None:
    is_console = (settings.log_format or ("console" if sys.stderr.isatty() else "json")) == "console"
    # Its own way to show a trace prints the values of all variables, keys and prompts among them.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if is_console else structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        Repeats(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not is_console:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # One write a line: those of several processes in one file would run into each other.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_bare, renderer], foreign_pre_chain=shared))
    # Libraries speak up only when something is wrong; the SDK's debug lines would hold keys and prompts.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class Repeats:
    """A warning about the same error is told once in REPEAT_SECONDS; the next line says how often it was left out.

    A disk that is full or a Redis that is away is met by every batch of every worker, several times a second.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[float, int]] = {}
        """When, and how often it was left out since."""

    def __call__(
        self, _logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        if method != "warning" or "error" not in event:
            return event
        key, now = (str(event["event"]), str(event["error"])), time.monotonic()
        told_at, left_out = self._told.get(key, (None, 0))
        if told_at is not None and now - told_at < REPEAT_SECONDS:
            self._told[key] = (told_at, left_out + 1)
            raise structlog.DropEvent
        self._told = {known: told for known, told in self._told.items() if now - told[0] < REPEAT_SECONDS}
        self._told[key] = (now, 0)
        return {**event, "left_out": left_out} if left_out else event


def _bare(
    logger: structlog.typing.WrappedLogger, name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)
