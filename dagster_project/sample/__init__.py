"""Synthetic deliveries: extracts that no person is in, drawn so that the official figures come out of them again.

`reference` (facts) and `assumptions` (inventions) → `kinds` (what can be told apart) → `nation` (the country in figures)
→ `plan` (one year's cells at a scale) → `rows` with `statements` and `scripts` (drawn and written) → `dirt` →
`deliveries`.
"""

from dagster_project.sample.deliveries import write_sample

__all__ = ["write_sample"]
