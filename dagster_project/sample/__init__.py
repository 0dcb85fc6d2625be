"""Synthetic deliveries: extracts without real persons whose totals reproduce the official figures.

`reference` (facts) and `assumptions` (inventions) → `kinds` (distinguishable kinds of offences) → `nation` (national figures)
→ `plan` (one year's cells at a scale) → `rows` with `statements` and `scripts` (generated and written) → `faults` →
`deliveries`.
"""

from dagster_project.sample.deliveries import write_sample

__all__ = ["write_sample"]
