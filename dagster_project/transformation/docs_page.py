"""Writes dbt's documentation as a single page that cannot access the network: `make docs`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from dagster_project.files import write_text
from dagster_project.settings import DBT_PROJECT
from dagster_project.transformation.dbt_project import TransformationFailedError, invoke_parsed, prepare_manifest

PAGE = DBT_PROJECT / "target" / "docs.html"
# dbt's page contains a tracker, which this policy blocks in the browser.
CONTENT_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)


def write_docs_page(page: Path = PAGE) -> Path:
    """Write the page from the parsed project, without opening a database.

    Raises `TransformationFailedError` if dbt cannot generate the page or the policy cannot be added.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(prepare_manifest(), folder)
        project = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", folder]
        command = ["docs", "generate", "--static", "--no-compile", "--empty-catalog"]
        outcome = invoke_parsed([*command, "--log-path", folder, *project])
        if not outcome.success:
            raise TransformationFailedError(f"dbt could not generate the page: {outcome.exception}")
        html = (Path(folder) / "static_index.html").read_text(encoding="utf-8")
    before, head, after = html.partition("<head>")
    if not head:
        raise TransformationFailedError("dbt's page has no <head>")
    write_text(page, f"{before}{head}{CONTENT_POLICY}{after}")
    return page


if __name__ == "__main__":
    print(write_docs_page())
