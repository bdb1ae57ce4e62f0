"""The log: for people on the console, as JSON lines in a rotating file, without secrets and without prompts.

Modules log with `logging.getLogger(__name__)`; what `extra` holds becomes the line's fields. Fields that
belong to a whole request, such as `request_id`, are bound with `structlog.contextvars.bind_contextvars`.
"""

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog

from server.config.paths import make_private_dir
from server.config.settings import Settings
from server.core.redaction import redact

MAX_FILE_BYTES = 5_000_000
OLDER_FILES = 4
OWN_LOGGERS = ("server", "tray_app")

PROMPT_FIELDS = frozenset(
    {"answer", "body", "content", "input", "line", "messages", "prompt", "request_body", "response_body"}
    | {"system", "text"}
)
"""Fields that hold what people write or read; the log shows only how long they are."""

# pydantic quotes the value that it complains of, which may be a whole conversation.
_QUOTED_INPUT = re.compile(r"input_value=.*?, input_type=", re.DOTALL)

# A stream that failed is left without its end on purpose, and what failed is logged where it did.
_UNFINISHED = "ASGI callable returned without completing response."

EventDict = MutableMapping[str, Any]

log = logging.getLogger(__name__)


def log_file(data_dir: Path) -> Path:
    """Where the log is written; older parts stand beside it as `server.log.1` and so on."""
    return data_dir / "logs" / "server.log"


def configure_logs(settings: Settings, *, console: TextIO | None = None) -> None:
    """Send all logging to the console (standard error if None) and the log file; an earlier set-up goes.

    A file that cannot be written is no reason to stop: the console says so, and is the only log then.
    """
    _remove_handlers()
    _set_levels(settings.log_level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    stream = console or sys.stderr
    if stream is not None:  # a program without a console has no standard error on Windows
        _add_handler(logging.StreamHandler(stream), _console_processors(stream), settings)
    try:
        handler = _LogFileHandler(log_file(settings.data_dir))
    except OSError as error:
        log.warning("the log file cannot be written, so the log goes to the console alone: %s", error)
    else:
        _add_handler(handler, _file_processors(), settings)


class _LogFileHandler(RotatingFileHandler):
    """A rotating file for the user's eyes alone, whose failures are told once and do not stop anything."""

    def __init__(self, path: Path) -> None:
        make_private_dir(path.parent)
        self._failure_logged = False
        super().__init__(path, maxBytes=MAX_FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8")

    def _open(self) -> io.TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._failure_logged:
            self._failure_logged = True
            log.warning("the log file cannot be written any more: %s", error)

    def close(self) -> None:
        # Closing writes what is left, which fails where writing did.
        with contextlib.suppress(OSError):
            super().close()


def _shared_processors() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]


def _console_processors(stream: TextIO) -> list[structlog.typing.Processor]:
    # Colours on Windows would need one more package.
    colors = stream.isatty() and sys.platform != "win32" and not os.environ.get("NO_COLOR")
    return [
        structlog.processors.TimeStamper("%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback),
    ]


def _file_processors() -> list[structlog.typing.Processor]:
    return [structlog.processors.TimeStamper("iso"), structlog.processors.JSONRenderer()]


def _add_handler(handler: logging.Handler, processors: list[structlog.typing.Processor], settings: Settings) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared_processors(), structlog.stdlib.ExtraAdder(), _drop_formatted],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _show_prompts if settings.log_prompts else _hide_prompts,
            lambda _logger, _method, event: redact(event),
            *processors,
        ],
    )
    handler.setFormatter(formatter)
    handler.addFilter(_is_reportable)
    logging.getLogger().addHandler(handler)


def _drop_formatted(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """What other formatters left in the record, and uvicorn's coloured copy, are no extra fields."""
    for name in ("message", "asctime", "color_message"):
        event.pop(name, None)
    return event


def _show_prompts(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return event


def _hide_prompts(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name in PROMPT_FIELDS & event.keys():
        event[name] = f"[{len(str(event[name]))} characters]"
    if "exception" in event:
        event["exception"] = _QUOTED_INPUT.sub("input_value=..., input_type=", str(event["exception"]))
    return event


def _is_reportable(record: logging.LogRecord) -> bool:
    return record.msg != _UNFINISHED


def _set_levels(level: str) -> None:
    """Other people's packages speak only of what goes wrong, unless everything is asked for."""
    logging.getLogger().setLevel(logging.INFO if level == "debug" else logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())


def _remove_handlers() -> None:
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)
            handler.close()
