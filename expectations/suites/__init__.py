"""The expectation suites: one module per asset, each with an `ExpectationSuite` named `suite`.

A suite's `meta` names its `layer`, `asset` and `table`. A table with `may_be_empty` is not evaluated when empty. `follows` lists the
upstream assets: if one of their checks blocks, a failure here may be its consequence.

An expectation's `severity` is `critical` (blocks publishing) or `warning`, its `notes` explain why it matters, and its `meta` holds
its `name`, its `owner` (who corrects failures: `us` or the `supplier`) and its `limit` in words. `may_be_all_null` lets a stock
expectation pass on a column that is all null; `of_one_delivery` marks the row balance checks that `uppklarat check` runs on a
single delivery.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.results import Layer


@cache
def load_suites(*layers: Layer) -> tuple[ExpectationSuite, ...]:
    """Return the suites of the given layers, or all suites, sorted by name."""
    suites = [import_module(f"{__name__}.{module.name}").suite for module in iter_modules(__path__)]
    check_suites(suites)
    return tuple(suite for suite in suites if not layers or suite.meta["layer"] in layers)


def check_suites(suites: Sequence[ExpectationSuite]) -> None:
    """Reject suites that would check less than they appear to.

    Raises:
        ValueError: A suite or expectation is missing, a name is missing or duplicated, a severity is unknown, an expectation
            passes on empty data, or a suite follows an asset without a suite.
    """
    if not suites:
        raise ValueError("there is no suite, and without one everything passes")
    assets = {suite.meta["asset"] for suite in suites}
    names: set[str] = set()
    for suite in suites:
        if not suite.expectations:
            raise ValueError(f"{suite.name}: no expectation, and an empty suite passes everything")
        if unknown := sorted(set(suite.meta.get("follows", ())) - assets):
            raise ValueError(f"{suite.name} follows {', '.join(unknown)}, of which there is no suite")
        for expectation in suite.expectations:
            if missing := [key for key in ("name", "owner", "limit") if key not in (expectation.meta or {})]:
                raise ValueError(f"{suite.name}: an expectation lacks {', '.join(missing)} in its meta")
            name = f"{suite.meta['asset']}.{expectation.meta['name']}"
            if name in names:
                raise ValueError(f"{name} is declared twice")
            names.add(name)
            if expectation.severity not in ("critical", "warning"):
                raise ValueError(f"{name}: its severity must be critical or warning")
            if isinstance(expectation, gxe.ExpectColumnDistinctValuesToBeInSet):
                raise ValueError(f"{name}: ExpectColumnDistinctValuesToBeInSet passes on an empty column")
