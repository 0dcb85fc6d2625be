"""The report as a PDF, set by Typst from the same words, tables and drawings as the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_pdf(path: Path, page: Any, small: Any, drawn: Any) -> None:
    """Write the PDF."""
