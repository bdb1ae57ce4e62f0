"""The log: readable lines on the console and JSON lines in a rotating file, without secrets and prompts.

Modules log with `logging.getLogger(__name__)`; the items of `extra` become fields of the line. Fields that belong to
a whole request, such as `request_id`, are bound with `structlog.contextvars.bind_contextvars`.
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
"""Fields with the text of requests and answers. The log shows only their length."""

# pydantic's errors quote the invalid value, which may be a whole conversation.
_QUOTED_INPUT = re.compile(r"input_value=.*?, input_type=", re.DOTALL)

# uvicorn's message about a failed stream, which has no end on purpose. The failure is logged where it happens.
_UNFINISHED = "ASGI callable returned without completing response."

EventDict = MutableMapping[str, Any]

log = logging.getLogger(__name__)


def log_file(data_dir: Path) -> Path:
    """Path of the log file; older parts are beside it as `server.log.1` and so on."""
    return data_dir / "logs" / "server.log"


def configure_logs(settings: Settings, *, console: TextIO | None = None) -> None:
    """Send all logging to the console (standard error if None) and the log file; replaces an earlier configuration.

    If the file cannot be written, a warning is logged on the console, which is then the only log.
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
        log.warning("the log file cannot be written, so the log goes to the console only: %s", error)
    else:
        _add_handler(handler, _file_processors(), settings)


class _LogFileHandler(RotatingFileHandler):
    """A rotating file that only the user can read. Its first failure is logged on the console; none is raised."""

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
            log.warning("the log file can no longer be written: %s", error)

    def close(self) -> None:
        # Closing flushes the buffer, which fails like the write before it.
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
    # Colours on Windows need another package.
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
    """Drop what other formatters and uvicorn add to the record's attributes."""
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
    """Set the level of this program's loggers; other packages log warnings only, unless the level is debug."""
    logging.getLogger().setLevel(logging.INFO if level == "debug" else logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())


def _remove_handlers() -> None:
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(handler)
            handler.close()
