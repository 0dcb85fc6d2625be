"""Every file and folder that is written or read, relative to the three places of the settings.

What the folder of one delivery or publication holds is named where it is written; the supplier's manifest has several readers.
"""

from pathlib import Path

# In the landing folder.
CORRECTIONS = Path("corrections.yml")
"""What people declared to be wrong in deliveries; beside the sources' folders."""
MANIFEST = "manifest.json"
"""What a supplier promises of a delivery, in its folder; uploaded last."""

# In the private warehouse.
RAW_STORE = Path("raw")
"""Typed Parquet per source, year and delivery."""
LEDGER = Path("ledger.json")
"""Which delivery is active for each source and year, and since when."""
LANDING_INDEX = Path("landing_index.json")
"""What the landing folder looked like when it was last read; a cache."""
REJECTIONS = Path("rejections.json")
"""Why folders were rejected when they were last read."""
KEY_FILE = Path("pseudonym.key")
"""The key of the pseudonyms, where the environment does not hold it."""
WAIVERS = Path("waivers.yml")
"""Thresholds that somebody decided to waive, until a day."""
CATALOGUE = Path("catalogue.yml")
"""Who publishes and under which licence, if you say it."""
OWN_OFFENCE_CODES = Path("offence_codes.csv")
"""The user's additions and corrections to the catalogue of offence codes."""
POPULATION = Path("population.csv")
"""Inhabitants by year and municipality, if the user declares them."""
KEPT = Path("kept")
"""Published figures of years whose raw rows were purged, and the offences of them that later years look back to."""
PURGED = Path("kept.json")
"""Which years were purged, and which publication their figures are kept from."""
WITHHELD = Path("withheld.parquet")
"""Every figure of a county or municipality that a publication withheld: later ones withhold it too."""
AUDIT = Path("audit")
"""Results of the checks, as JSON, and the validation pages."""
SUPPRESSION_AUDIT = AUDIT / "suppression.csv"
"""Why each figure that the latest build withholds is withheld; private, since it holds the counts."""
PARSED = Path("parsed")
"""The dbt project as dbt parsed it, by version of the project; derived."""
WAREHOUSE = Path("warehouse.duckdb")
"""The working DuckDB database; derived, and rebuilt when it is missing."""
QUARANTINED_DECISIONS = Path("quarantined_decisions.parquet")
"""Rows that the latest build quarantined because no offence fits them, by file and line."""
DATA_TESTS = AUDIT / "data_tests.json"
"""Results of dbt's data tests in the latest build."""
AUDIT_RESULTS = AUDIT / "results.json"
"""What the latest audit found."""
VALIDATION_PAGE = AUDIT / "validation.html"
"""The same for people."""
ACTIVATION = Path("activation.json")
"""Which publication somebody made active instead of the newest."""
DRAFT_DESCRIPTION = AUDIT / "draft.json"
"""What the manifest of the draft will say."""
DBT_LOGS = Path("logs")
"""The log of dbt."""
DAGSTER_HOME = Path("dagster")
"""The Dagster instance."""
SCRATCH = Path("scratch")
"""Temporary files; whatever is left here by a crash is cleaned away by the next load."""
LOCK = Path("lock")
"""Held by the one process that may write to the warehouse."""

# In the folder that BI reads.
DRAFT = Path(".draft")
"""The publication in the making; hidden from readers, and in the folder where it will be renamed."""
CURRENT = Path("current")
"""The pointer to the publication that readers open."""
NEXT_CURRENT = Path(".current")
"""The next pointer, until it takes the place of `current` in one rename."""
