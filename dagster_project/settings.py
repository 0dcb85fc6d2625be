"""All that the environment decides, and where things are in the three places that it names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    PositiveInt,
    SecretStr,
    ValidationError,
    WrapValidator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[1]
DBT_PROJECT = REPOSITORY / "dbt"
SEEDS = DBT_PROJECT / "seeds"
PREFIX = "UPPKLARAT_"
DSN_VARIABLE = f"{PREFIX}POSTGRES_DSN"
# What Python takes with dbt, Dagster, Great Expectations and the figures in it (measured: docs/performance.md).
PYTHON_MEMORY = 1 << 30
_LEAST_MEMORY = PYTHON_MEMORY + (512 << 20)


def _enough_memory(given: object, parse: Callable[[object], ByteSize]) -> ByteSize:
    with suppress(ValueError):
        if (size := parse(given)) >= _LEAST_MEMORY:
            return size
    raise ValueError("it must be a size like 4GB, and 1.5GiB at least")


_Place = Annotated[Path, AfterValidator(Path.absolute)]


class PostgresSettings(BaseModel):
    """The PostgreSQL server that also serves the marts, if there is a connection string."""

    model_config = ConfigDict(frozen=True)

    dsn: SecretStr = SecretStr("")
    reader: str = "uppklarat_reader"
    """The role that may read the marts and nothing else."""
    keep: PositiveInt = 5
    """How many publications stay loaded, the current one included."""


class Settings(BaseSettings):
    """What is not given comes from the environment (`UPPKLARAT_HOME`, `UPPKLARAT_POSTGRES_DSN`), and else from here.

    An empty variable is none. No secret is shown where settings are printed.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        hide_input_in_errors=True,
    )

    landing: _Place = Path("data/landing")
    """Deliveries as they came."""
    home: _Place = Path("data/warehouse")
    """The private warehouse."""
    published: _Place = Path("data/published")
    """What BI reads."""
    suppress_below: PositiveInt = 5
    """From which number on a count of a county or municipality is shown; 1 withholds nothing but what was withheld before."""
    memory: Annotated[ByteSize, WrapValidator(_enough_memory)] = ByteSize(4 << 30)
    """What a load may take."""
    key: SecretStr = SecretStr("")
    """The key of the pseudonyms; without it, the key file holds one."""
    schedule: str = "0 6 1 3 *"
    """When the yearly load runs, in cron notation."""
    postgres: PostgresSettings = PostgresSettings()

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment; raises ValueError, which names each variable that cannot be, but not its value."""
        try:
            return cls()
        except ValidationError as error:
            problems = [
                f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {one['msg'].removeprefix('Value error, ')}"
                for one in error.errors(include_input=False)
            ]
            raise ValueError("; ".join(problems)) from None

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
