"""Uppklarat: computes eleven audited indicators from police and prosecution extracts.

The folders follow the data: `contract` (what may be delivered) → `ingestion` (how it is read and validated) → `transformation` (how dbt
derives the marts) → `disclosure` (what is withheld) → `quality` (what is checked) → `report` and `publication` (what is published).
Only `defs` and `definitions` import Dagster.
"""
