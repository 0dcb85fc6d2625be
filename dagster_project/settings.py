"""Where things are: the three places the environment names, and every path inside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DBT_PROJECT = REPOSITORY / "dbt"
SEEDS = DBT_PROJECT / "seeds"
DSN_VARIABLE = "UPPKLARAT_POSTGRES_DSN"


@dataclass(frozen=True)
class Settings:
    """The landing folder (deliveries as they came), the private warehouse, the published folder, and what the environment decides."""

    landing: Path
    home: Path
    published: Path
    suppress_below: int = 5
    """From which number on a count of a county or municipality is shown; 1 withholds nothing but what was withheld before."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read `UPPKLARAT_LANDING`, `UPPKLARAT_HOME` and `UPPKLARAT_PUBLISHED`; defaults lie under `data/` here."""

        def path(variable: str, default: str) -> Path:
            return Path(environment.get(variable) or default).absolute()

        below = environment.get("UPPKLARAT_SUPPRESS_BELOW") or cls.suppress_below
        if not str(below).isdecimal() or int(below) < 1:
            raise ValueError(f"UPPKLARAT_SUPPRESS_BELOW is {below!r}, but must be a whole number from 1 on")
        return cls(
            landing=path("UPPKLARAT_LANDING", "data/landing"),
            home=path("UPPKLARAT_HOME", "data/warehouse"),
            published=path("UPPKLARAT_PUBLISHED", "data/published"),
            suppress_below=int(below),
        )

    @property
    def raw(self) -> Path:
        """Typed Parquet per source, year and delivery."""
        return self.home / "raw"

    @property
    def ledger(self) -> Path:
        """Which delivery is active for each source and year, and since when."""
        return self.home / "ledger.json"

    @property
    def landing_index(self) -> Path:
        """What the landing folder looked like when it was last read; a cache."""
        return self.home / "landing_index.json"

    @property
    def rejections(self) -> Path:
        """Why folders were rejected when they were last read."""
        return self.home / "rejections.json"

    @property
    def key_file(self) -> Path:
        """The key of the pseudonyms, where the environment does not hold it."""
        return self.home / "pseudonym.key"

    @property
    def corrections(self) -> Path:
        """What people declared to be wrong in deliveries; beside the sources' folders."""
        return self.landing / "corrections.yml"

    @property
    def waivers(self) -> Path:
        """Thresholds that somebody decided to waive, until a day."""
        return self.home / "waivers.yml"

    @property
    def catalogue(self) -> Path:
        """Who publishes and under which licence, if you say it."""
        return self.home / "catalogue.yml"

    @property
    def own_offence_codes(self) -> Path:
        """The user's additions and corrections to the catalogue of offence codes."""
        return self.home / "offence_codes.csv"

    @property
    def kept(self) -> Path:
        """Published figures of years whose raw rows were purged, and the offences of them that later years look back to."""
        return self.home / "kept"

    @property
    def kept_description(self) -> Path:
        """Which years were purged, and which publication their figures are kept from."""
        return self.home / "kept.json"

    @property
    def withheld(self) -> Path:
        """Every figure of a county or municipality that a publication withheld: later ones withhold it too."""
        return self.home / "withheld.parquet"

    @property
    def suppression_audit(self) -> Path:
        """Why each figure that the latest build withholds is withheld; private, since it holds the counts."""
        return self.audit / "suppression.csv"

    @property
    def warehouse_file(self) -> Path:
        """The working DuckDB database; derived, and rebuilt when it is missing."""
        return self.home / "warehouse.duckdb"

    @property
    def quarantined_decisions(self) -> Path:
        """Rows that the latest build quarantined because no offence fits them, by file and line."""
        return self.home / "quarantined_decisions.parquet"

    @property
    def audit(self) -> Path:
        """Results of the checks, as JSON, and the validation pages."""
        return self.home / "audit"

    @property
    def data_tests(self) -> Path:
        """Results of dbt's data tests in the latest build."""
        return self.audit / "data_tests.json"

    @property
    def audit_results(self) -> Path:
        """What the latest audit found."""
        return self.audit / "results.json"

    @property
    def validation_page(self) -> Path:
        """The same for people."""
        return self.audit / "validation.html"

    @property
    def activation(self) -> Path:
        """Which publication somebody made active instead of the newest."""
        return self.home / "activation.json"

    @property
    def draft(self) -> Path:
        """The publication in the making; hidden from readers, and in the folder where it will be renamed."""
        return self.published / ".draft"

    @property
    def draft_description(self) -> Path:
        """What the manifest of the draft will say."""
        return self.audit / "draft.json"

    @property
    def dagster_home(self) -> Path:
        """The Dagster instance."""
        return self.home / "dagster"

    @property
    def scratch(self) -> Path:
        """Temporary files; whatever is left here by a crash is cleaned away by the next load."""
        return self.home / "scratch"

    @property
    def lock(self) -> Path:
        """Held by the one process that may write to the warehouse."""
        return self.home / "lock"

    @property
    def current(self) -> Path:
        """The pointer to the publication that readers open."""
        return self.published / "current"


@dataclass(frozen=True)
class PostgresSettings:
    """The PostgreSQL server that also serves the marts; read where it is used, so that no record ever holds the password."""

    dsn: str = field(repr=False)
    reader: str = "uppklarat_reader"
    """The role that may read the marts and nothing else."""
    keep: int = 5
    """How many publications stay loaded, the current one included."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> PostgresSettings | None:
        """Read `UPPKLARAT_POSTGRES_DSN`, `_READER` and `_KEEP`; None where no server is named."""
        if not (dsn := environment.get(DSN_VARIABLE)):
            return None
        keep = environment.get("UPPKLARAT_POSTGRES_KEEP") or str(cls.keep)
        if not keep.isdecimal() or int(keep) < 1:
            raise ValueError(f"UPPKLARAT_POSTGRES_KEEP is {keep!r}, but must be a whole number from 1 on")
        return cls(dsn, environment.get("UPPKLARAT_POSTGRES_READER") or cls.reader, int(keep))
