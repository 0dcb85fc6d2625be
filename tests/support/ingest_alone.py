"""Loads a delivery in a separate process and prints the outcome and the peak memory."""

from __future__ import annotations

import json
import re
import sys
import traceback
from pathlib import Path

from dagster_project.ingestion.ingest import ingest
from dagster_project.ingestion.landing import DeliveryFolder
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.settings import Settings


def main() -> None:
    landing, home, published, source, year = sys.argv[1:]
    settings = Settings(landing=Path(landing), home=Path(home), published=Path(published))
    rejection, printed = None, ""
    try:
        ingest(DeliveryFolder(settings.landing, source, int(year)), settings)
    except RejectedDeliveryError as error:
        printed = "".join(traceback.format_exception(error))
        rejection = {"where": error.where, "problem": error.problem, "remedy": error.remedy, "message": str(error)}
    # Not getrusage, where a child starts with the peak of its parent.
    peak = re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    assert peak
    print(json.dumps({"rejection": rejection, "printed": printed, "megabytes": int(peak[1]) // 1024}))


if __name__ == "__main__":
    main()
