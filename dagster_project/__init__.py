"""Uppklarat: police and prosecution extracts in, the eleven audited indicators out.

Read in the direction of the data: `contract` (what may come in) → `deliveries` (where it comes in and is judged) →
`transform` (where it is derived, by the dbt project) → `audit` (where it is judged again) → `publish` (where it leaves).
`orchestration` holds all that knows Dagster; nothing else in here imports it.
"""
