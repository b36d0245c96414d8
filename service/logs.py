"""Log lines: readable on a terminal, JSON elsewhere; always on stderr, so that stdout stays for answers."""

import logging
import sys

import structlog

from service.settings import Settings


def configure(settings: Settings) -> None:
    is_console = (settings.log_format or ("console" if sys.stderr.isatty() else "json")) == "console"
    # Its own way to show a trace prints the values of all variables, keys and prompts among them.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if is_console else structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not is_console:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_bare, renderer], foreign_pre_chain=shared))
    # Libraries speak up only when something is wrong; the SDK's debug lines would hold keys and prompts.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _bare(
    logger: structlog.typing.WrappedLogger, name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)
