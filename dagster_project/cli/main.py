"""The command line `uppklarat`: arguments, output and exit codes."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster_project import paths
from dagster_project.cli.load_result import outcome_as_json, outcome_as_text
from dagster_project.cli.progress import show_progress
from dagster_project.cli.publication_list import list_publications, publications_as_text
from dagster_project.cli.quarantine import quarantine_as_text
from dagster_project.cli.status import status_as_text, warehouse_status
from dagster_project.contract import input_contract
from dagster_project.ingestion.landing import OFFICIAL_SOURCES, UnreadableLandingError
from dagster_project.notification import FAILED as FAILED_TEXT
from dagster_project.notification import Problem
from dagster_project.notification import notify as send_notification
from dagster_project.settings import NotifySettings, Settings, unknown_variables
from dagster_project.state import read_state
from dagster_project.state import withdraw as withdraw_delivery
from dagster_project.years import format_years, parse_years

# Documented in docs/operating.md.
OK, FAILED, USAGE, REJECTED, BLOCKED, NOTHING_ARRIVED, NOT_SERVED = range(7)
EXIT_CODES = {"blocked": BLOCKED, "missing": NOTHING_ARRIVED, "not_served": NOT_SERVED, "rejected": REJECTED}

# Disable usage statistics of dbt, Dagster and Great Expectations.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(_read_settings(options), options))
    except KeyboardInterrupt:
        print("stopped; the next load finishes the work", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader (head, less) closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if options.verbose and not isinstance(error, UnreadableLandingError):
            raise
        if getattr(options, "json", False):
            print(json.dumps({"error": str(error)}, ensure_ascii=False))
        print(f"uppklarat: {error}", file=sys.stderr)
        if isinstance(error, UnreadableLandingError):
            return NOTHING_ARRIVED
        print("(`uppklarat --verbose …` shows the traceback; nothing that was published has changed)", file=sys.stderr)
        return FAILED


def _read_settings(options: argparse.Namespace) -> Settings:
    """Read the settings; notify a person of an invalid one, because nobody watches the output of a scheduled load."""
    for name in unknown_variables():
        print(f"warning: {name} is no setting, and is ignored", file=sys.stderr)
    try:
        return Settings.from_environment()
    except ValueError as error:
        if options.run is load:
            # The invalid setting may be the notification address itself.
            with contextlib.suppress(ValueError):
                _notify(NotifySettings.from_environment(), [Problem("failed", f"invalid settings: {error}")])
        raise


def sample(settings: Settings, options: argparse.Namespace) -> int:
    """Write synthetic deliveries into the landing folder."""
    from dagster_project.sample import write_sample

    with show_progress():
        folders = write_sample(
            settings.landing,
            options.years,
            options.scale,
            options.seed,
            logging.getLogger("uppklarat").info,
            options.others,
        )
    print(f"wrote {len(folders)} synthetic deliveries to {settings.landing}")
    print("next: uppklarat load")
    return OK


def check(settings: Settings, options: argparse.Namespace) -> int:
    """Validate one delivery without loading it."""
    from dagster_project.cli.check import check_delivery

    try:
        checked = check_delivery(options.folder, settings)
    except ValueError as error:
        print(f"uppklarat: {error}", file=sys.stderr)
        return USAGE
    print("\n".join(checked.lines))
    return OK if checked.would_be_published else REJECTED


def load(settings: Settings, options: argparse.Namespace) -> int:
    """Load new and changed deliveries and publish."""
    from dagster_project.cli.load import load

    try:
        with show_progress():
            outcome = load(settings, options.years or (), options.expect or ())
    except UnreadableLandingError as error:
        _notify(settings, [Problem("landing_unreadable", str(error))])
        raise
    except Exception as error:
        _notify(settings, [Problem("failed", FAILED_TEXT.format(type(error).__name__))])
        raise
    not_notified = _notify(settings, outcome.problems, outcome.run_id)
    if options.json:
        document = {**outcome_as_json(read_state(settings), outcome), "not_notified": not_notified}
        print(json.dumps(document, ensure_ascii=False, indent=1))
    for text in outcome.rejected:
        print(f"rejected: {text}", file=sys.stderr)
    if outcome.blocked:
        print(f"not published: {outcome.blocked}", file=sys.stderr)
        print(f"see {settings.home / paths.VALIDATION_PAGE}; the earlier publication stays current", file=sys.stderr)
    elif not options.json:
        print(outcome_as_text(read_state(settings), outcome))
    for text in outcome.missing:
        print(f"missing: {text}", file=sys.stderr)
    if outcome.not_served:
        print(f"not served: {outcome.not_served}", file=sys.stderr)
    # All conditions are printed; the exit code is that of the most severe one.
    return next((EXIT_CODES[problem.event] for problem in outcome.problems), OK)


def _notify(settings: NotifySettings, problems: Sequence[Problem], run_id: str | None = None) -> str | None:
    """Notify a person; a failure is printed and has no other effect."""
    if not_notified := send_notification(settings, problems, run_id):
        print(not_notified, file=sys.stderr)
    return not_notified


def notify(settings: Settings, options: argparse.Namespace) -> int:
    """Send a test message, or the news of a killed load, to the recipient in UPPKLARAT_NOTIFY."""
    if not settings.notify.get_secret_value():
        print("uppklarat: UPPKLARAT_NOTIFY names nobody", file=sys.stderr)
        return USAGE
    problem = (
        Problem(
            "failed",
            f"a load ended before it could report the reason ({options.failed}); nothing that was published has changed",
        )
        if options.failed is not None
        else Problem("test", "this is a test: notifications from Uppklarat reach you")
    )
    if _notify(settings, [problem]):
        return FAILED
    print("sent")
    return OK


def status(settings: Settings, options: argparse.Namespace) -> int:
    """Show what is loaded, quarantined, published and waiting."""
    document = warehouse_status(read_state(settings))
    print(json.dumps(document, ensure_ascii=False, indent=1) if options.json else status_as_text(document))
    return NOTHING_ARRIVED if document["landing_unreadable"] else OK


def quarantine(settings: Settings, options: argparse.Namespace) -> int:
    """List the quarantined rows by reason, with file and line."""
    print(quarantine_as_text(read_state(settings), options.year, options.source))
    return OK


def withdraw(settings: Settings, options: argparse.Namespace) -> int:
    """Withdraw a delivery: the previous one becomes active again."""
    with _writing(settings):
        state = read_state(settings)
        try:
            withdrawn, before = withdraw_delivery(state, options.source, options.year)
        except KeyError:
            problem = (
                "the year was purged"
                if options.year < state.purged.before
                else f"no delivery of {options.source}/{options.year} is loaded"
            )
            print(f"uppklarat: {problem}", file=sys.stderr)
            return USAGE
    print(f"withdrawn: {withdrawn.label}, delivery {withdrawn.delivery_id} of {withdrawn.loaded_at[:10]}")
    print(
        f"active again: delivery {before.delivery_id} of {before.loaded_at[:10]}"
        if before
        else f"no earlier delivery of {withdrawn.label} was loaded: the year waits for one"
    )
    print("next: `uppklarat load`; until then, the current publication is based on the withdrawn delivery")
    return OK


def purge(settings: Settings, options: argparse.Namespace) -> int:
    """Remove the raw rows of old years; their published figures are kept."""
    from dagster_project.cli.purge import purge

    with _writing(settings):
        carried = purge(settings, options.before)
    print(f"no raw row of a year before {options.before} is left in {settings.home}")
    print(
        f"figures of {format_years(carried) or 'no year'} are kept as published; the next load publishes without raw rows"
    )
    print(f"files in {settings.landing} are not deleted: delete them yourself")
    return OK


def publications(settings: Settings, options: argparse.Namespace) -> int:
    """List the publications, or activate an earlier one."""
    from dagster_project.publications import activate, changed_files
    from dagster_project.publications import publications as kept_publications

    if options.activate:
        selected = [
            publication for publication in kept_publications(settings) if publication.publication_id == options.activate
        ]
        if not selected:
            print(
                f"uppklarat: there is no publication {options.activate}; `uppklarat publications` lists them",
                file=sys.stderr,
            )
            return USAGE
        if damaged := changed_files(selected[0]):
            print(f"uppklarat: {options.activate} is damaged: {', '.join(damaged)}; it stays inactive", file=sys.stderr)
            return FAILED
        from dagster_project.disclosure.withheld import count_figures_withheld_since
        from dagster_project.publication.comparison import FIGURES

        if shown := count_figures_withheld_since(settings, selected[0].folder / FIGURES):
            print(
                f"note: {options.activate} shows {shown:,} figures of counties or municipalities that were withheld since",
                file=sys.stderr,
            )
        with _writing(settings):
            activate(settings, options.activate)
            if settings.postgres.dsn:
                from dagster_project.publication.postgres import NotServedError, serve

                try:
                    serve(settings, settings.postgres)
                except NotServedError as error:
                    print(f"uppklarat: readers of files open {options.activate}, but {error}", file=sys.stderr)
                    return NOT_SERVED
    document = list_publications(settings)
    print(json.dumps(document, ensure_ascii=False, indent=1) if options.json else publications_as_text(document))
    return OK


def explain(settings: Settings, options: argparse.Namespace) -> int:
    """Explain a published figure; the offences behind it are private."""
    from dagster_project.cli.explain import explain
    from dagster_project.cli.explain.figure import UnknownFigureError
    from dagster_project.cli.explain.text import format_explanation

    try:
        document = explain(
            settings, options.indicator, options.year, options.geography, options.victim_group, options.variant
        )
    except UnknownFigureError as error:
        if options.json:
            print(json.dumps({"error": str(error)}, ensure_ascii=False))
        print(f"uppklarat: {error}", file=sys.stderr)
        return USAGE
    print(
        json.dumps(document, ensure_ascii=False, indent=1, default=str)
        if options.json
        else format_explanation(document)
    )
    if not document["private"].get("adds_up", True):
        print("uppklarat: the offences do not add up to the figure", file=sys.stderr)
        return FAILED
    return OK


def diff(settings: Settings, options: argparse.Namespace) -> int:
    """List the figures that differ between two publications, from the earlier to the later."""
    from dagster_project.cli.diff import describe_difference, difference_as_text

    try:
        document = describe_difference(settings, options.first, options.second, options.indicator, options.year)
    except KeyError as error:
        print(
            f"uppklarat: there is no publication {error.args[0]}; `uppklarat publications` lists them", file=sys.stderr
        )
        return USAGE
    except LookupError as error:
        print(f"uppklarat: {error}", file=sys.stderr)
        return USAGE
    print(json.dumps(document, ensure_ascii=False, indent=1) if options.json else difference_as_text(document))
    return OK


@contextlib.contextmanager
def _writing(settings: Settings) -> Iterator[None]:
    """Hold the writer lock of the warehouse."""
    lock = settings.home / paths.LOCK
    from dagster_project.files import hold_writer_lock, release_writer_lock

    hold_writer_lock(lock, lambda text: print(text, file=sys.stderr))
    try:
        yield
    finally:
        release_writer_lock(lock)


def _years(text: str) -> list[int]:
    try:
        return parse_years(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="uppklarat", description="Computes audited indicators from police and prosecution extracts."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('uppklarat')}")
    parser.add_argument("--verbose", action="store_true", help="show where an unexpected failure happened")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Settings, argparse.Namespace], int], **named: Any) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=(run.__doc__ or "").rstrip("."), **named)
        subparser.set_defaults(run=run)
        return subparser

    sample_parser = command("sample", sample)
    sample_parser.add_argument(
        "--years", type=_years, default=parse_years("2014-2025"), help="2024, 2019-2025 or 2019,2022"
    )
    sample_parser.add_argument("--scale", type=_positive, default=1.0, help="1 (default) = the country's volume")
    sample_parser.add_argument(
        "--others", type=_positive, default=0.01, help="share of the offences of no indicator (default 0.01; 1 = all)"
    )
    sample_parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    check_parser = command("check", check)
    check_parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folder of a source and year, such as police/2025"
    )
    load_parser = command("load", load)
    load_parser.add_argument(
        "--years", type=_years, help="only deliveries of these years: 2024, 2019-2025 or 2019,2022"
    )
    load_parser.add_argument(
        "--expect", type=_years, metavar="YEARS", help="exit with an error unless these years are published"
    )
    status_parser = command("status", status)
    quarantine_parser = command("quarantine", quarantine)
    quarantine_parser.add_argument("--year", type=int)
    quarantine_parser.add_argument("--source", choices=list(input_contract().sources))
    withdraw_parser = command("withdraw", withdraw)
    withdraw_parser.add_argument("source", choices=[*input_contract().sources, *OFFICIAL_SOURCES])
    withdraw_parser.add_argument("year", type=int)
    purge_parser = command("purge", purge)
    purge_parser.add_argument(
        "--before", type=int, required=True, metavar="YEAR", help="the first year whose rows are kept"
    )
    publications_parser = command("publications", publications)
    publications_parser.add_argument("--activate", metavar="ID", help="activate this publication")
    notify_parser = command("notify", notify)
    notify_parser.add_argument(
        "--failed", metavar="WHY", help="report a killed load instead of a test, with the reason from systemd"
    )
    diff_parser = command("diff", diff)
    diff_parser.add_argument("first", metavar="A", help="the id of a publication, `current` or `newest`")
    diff_parser.add_argument("second", metavar="B", help="the id of another publication")
    diff_parser.add_argument("--indicator", metavar="ID", help="only figures of this indicator")
    diff_parser.add_argument("--year", type=int, help="only figures of this year")
    explain_parser = command("explain", explain)
    explain_parser.add_argument("--indicator", required=True, metavar="ID", help="as in dim_indicator, e.g. valdtakt")
    explain_parser.add_argument("--year", type=int, required=True)
    explain_parser.add_argument("--geography", required=True, metavar="CODE", help="SE, Rn03, 01, 0180, lan/okand")
    explain_parser.add_argument("--victim-group", default="total", metavar="G")
    explain_parser.add_argument("--variant", metavar="V", help="by default the first one of the indicator")
    for with_json in (load_parser, status_parser, publications_parser, diff_parser, explain_parser):
        with_json.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 100")
    return number


if __name__ == "__main__":
    sys.exit(main())
