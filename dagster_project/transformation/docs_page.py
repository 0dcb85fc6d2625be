"""dbt's documentation of all models, columns, metrics and readers as one page that can reach no network: `make docs`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from dagster_project.files import write_text
from dagster_project.settings import DBT_PROJECT
from dagster_project.transformation.dbt_project import TransformationFailedError, invoke_parsed, require_manifest

PAGE = DBT_PROJECT / "target" / "docs.html"
# dbt's page holds a tracker that is only asked to be silent; with this the browser lets it reach nothing.
SEAL = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)


def write_docs_page(page: Path = PAGE) -> Path:
    """Write the page from the parsed project alone; no database is opened, and no row is in it.

    Raises `TransformationFailedError` where dbt cannot make it, or makes a page of another form than can be sealed.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(require_manifest(), folder)
        project = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", folder]
        what = ["docs", "generate", "--static", "--no-compile", "--empty-catalog"]
        outcome = invoke_parsed([*what, "--log-path", folder, *project])
        if not outcome.success:
            raise TransformationFailedError(f"dbt could not make the page: {outcome.exception}")
        made = (Path(folder) / "static_index.html").read_text(encoding="utf-8")
    before, head, after = made.partition("<head>")
    if not head:
        raise TransformationFailedError("dbt's page has no head to seal")
    write_text(page, f"{before}{head}{SEAL}{after}")
    return page


if __name__ == "__main__":
    print(write_docs_page())
