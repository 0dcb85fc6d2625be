"""Shows the progress of a command: a status line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def show_progress() -> Iterator[None]:
    """Show messages of the logger `uppklarat` on standard error, with the seconds since the start."""
    logger = logging.getLogger("uppklarat")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    began = time.monotonic()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = f"{time.monotonic() - began:6.1f} s  {record.getMessage()}"
            if status is not None and record.levelno < logging.WARNING:
                status.update(text)
            else:
                console.print(text, markup=False)

    status = console.status("starting") if sys.stderr.isatty() else None
    handler = Handler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    # Dagster adds handlers to the root logger that would print messages twice.
    logger.propagate = False
    try:
        if status is not None:
            with status:
                yield
        else:
            yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(level)
