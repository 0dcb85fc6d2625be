"""Ready-made views over the published tables."""

from __future__ import annotations

from collections.abc import Mapping


def published_views() -> Mapping[str, str]:
    """Name of each view and its select statement, which names tables as `marts.<table>`."""
    return {}
