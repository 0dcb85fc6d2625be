"""All files and folders that are written or read, relative to the three folders in the settings.

Files within a delivery or publication are named in the module that writes them; the manifest is here because it has several readers.
"""

from pathlib import Path

# In the landing folder.
CORRECTIONS = Path("corrections.yml")
"""Declared corrections of deliveries; beside the sources' folders."""
MANIFEST = "manifest.json"
"""The supplier's manifest in a delivery's folder; uploaded last."""

# In the private warehouse.
RAW_STORE = Path("raw")
"""Typed Parquet per source, year and delivery."""
LEDGER = Path("ledger.json")
"""The active delivery of each source and year, and when it became active."""
LANDING_INDEX = Path("landing_index.json")
"""The state of the landing folder when it was last read; a cache."""
REJECTIONS = Path("rejections.json")
"""The reasons for which folders were rejected when they were last read."""
KEY_FILE = Path("pseudonym.key")
"""The key of the pseudonyms, if it is not set in the environment."""
WAIVERS = Path("waivers.yml")
"""Waivers of thresholds, each with an expiry date."""
CATALOGUE = Path("catalogue.yml")
"""Publisher and licence, if the user declares them."""
OWN_OFFENCE_CODES = Path("offence_codes.csv")
"""The user's additions and corrections to the catalogue of offence codes."""
POPULATION = Path("population.csv")
"""Inhabitants by year and municipality, if the user declares them."""
KEPT = Path("kept")
"""Published figures of purged years, and the offences of these years that later years look up."""
PURGED = Path("kept.json")
"""The purged years, and the publication from which their figures are kept."""
WITHHELD = Path("withheld.parquet")
"""Every county or municipality figure that a publication withheld; later publications withhold it too."""
AUDIT = Path("audit")
"""Results of the checks, as JSON, and the validation pages."""
SUPPRESSION_AUDIT = AUDIT / "suppression.csv"
"""The reason for each figure that the latest build withholds; private, because it contains the counts."""
PARSED = Path("parsed")
"""The parsed dbt project, by version of the project; derived."""
WAREHOUSE = Path("warehouse.duckdb")
"""The working DuckDB database; derived, rebuilt if it is missing."""
QUARANTINED_DECISIONS = Path("quarantined_decisions.parquet")
"""Decisions that the latest build quarantined because no offence matches them, by file and line."""
DATA_TESTS = AUDIT / "data_tests.json"
"""Results of dbt's data tests in the latest build."""
AUDIT_RESULTS = AUDIT / "results.json"
"""Results of the latest audit, as JSON."""
VALIDATION_PAGE = AUDIT / "validation.html"
"""The same results as a web page."""
ACTIVATION = Path("activation.json")
"""The publication that was activated by request instead of the newest."""
DRAFT_DESCRIPTION = AUDIT / "draft.json"
"""The content of the draft's future manifest."""
DBT_LOGS = Path("logs")
"""The log of dbt."""
DAGSTER_HOME = Path("dagster")
"""The Dagster instance."""
SCRATCH = Path("scratch")
"""Temporary files; the next load deletes what a crash leaves here."""
LOCK = Path("lock")
"""The writer lock of the warehouse."""

# In the published folder, which BI tools read.
DRAFT = Path(".draft")
"""The draft of the next publication; hidden from readers, in the folder in which it will be renamed."""
CURRENT = Path("current")
"""The pointer to the publication that readers open."""
NEXT_CURRENT = Path(".current")
"""The next pointer, until a rename replaces `current` with it."""
