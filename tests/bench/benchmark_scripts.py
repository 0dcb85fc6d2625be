"""What the load is compared with: the same counts by a plain script (DuckDB, pandas, polars), and only scanning the files.

    .venv/bin/python tests/bench/benchmark_scripts.py plain|pandas|polars LANDING COUNTS YEAR …
    .venv/bin/python tests/bench/benchmark_scripts.py scan-csv|scan-parquet|keep FOLDER YEAR …

Each is a process of its own and imports nothing that it does not need. A plain script is the shortest honest way from the CSV files to
processed and cleared offences of every indicator in the country, its police regions, counties and municipalities, written to one
CSV file: no row is judged, no variant, victim group, outcome, rate or comparison is made, nothing is checked or kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dagster_project.settings import SEEDS

ENDS_NOTHING = ("OVERLAMNAD", "ATERUPPTAGEN")
CLEARS = ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE")
# No part of the decided indicator 5.
LEFT_OUT = "barnaktenskap"
# One provision of the Penal Code in any of its spellings, as chapter, section and letter.
PROVISION = r"(\d+) ?(?:kap ?\.?|:) ?(\d+) ?([a-z]\b)?"
FILES = ("police/{}/offences", "police/{}/decisions", "prosecution/{}/decisions")
READ = "delim = ';', header = true, ignore_errors = true, types = {}"
OFFENCE_TYPES = (
    "{'brottskod': 'VARCHAR', 'kommunkod': 'VARCHAR', 'brottsnummer': 'INTEGER', 'brottsantal': 'INTEGER', "
    "'anmalningsdatum': 'DATE'}"
)
DECISION_TYPES = "{'brottsnummer': 'INTEGER', 'beslutsdatum': 'DATE'}"
OFFENCE_COLUMNS = [
    "diarienummer", "brottsnummer", "brottskod", "lagrum", "brottsantal", "anmalningsdatum", "kommunkod", "handlaggande_region"
]  # fmt: skip
DECISION_COLUMNS = ["diarienummer", "brottsnummer", "beslutsdatum", "beslut"]
KEY = ["diarienummer", "brottsnummer"]
COUNTED = ["year", "indicator_id", "geography_level", "geography_code", "processed", "cleared"]


def csv(landing: Path, file: str, year: int) -> str:
    """A delivered file as DuckDB reads it."""
    types = OFFENCE_TYPES if file.endswith("offences") else DECISION_TYPES
    return f"read_csv('{landing / file.format(year)}.csv', {READ.format(types)})"


def plain(landing: Path, counts: Path, years: list[int]) -> None:
    """One query per year, which takes less memory than one for all, and is faster."""
    import duckdb

    with duckdb.connect() as connection:
        for number, year in enumerate(years):
            counted = plain_query(landing, year)
            connection.execute(f"create table counts as {counted}" if number == 0 else f"insert into counts {counted}")
        connection.execute(f"copy (from counts order by all) to '{counts}' (header)")


def plain_query(landing: Path, year: int) -> str:
    """The counts of a year as one query on its three files."""
    offences, police, prosecution = (csv(landing, file, year) for file in FILES)
    return f"""
        with offence as (
            select o.*, coalesce(c.indicator_id, p.indicator_id) as indicator_id
            from (select {", ".join(OFFENCE_COLUMNS)} from {offences}) as o
            left join read_csv('{SEEDS}/offence_code.csv', all_varchar = true) as c using (brottskod)
            left join read_csv('{SEEDS}/legal_provision.csv', all_varchar = true) as p on p.provision = case
                when c.brottskod is null and regexp_matches(o.lagrum, 'BrB|brottsbalken') then rtrim(
                    regexp_replace(regexp_extract(o.lagrum, '{PROVISION}'), '{PROVISION}', 'BrB \\1:\\2 \\3')
                )
            end
            where (c.role = 'core' and c.part is distinct from '{LEFT_OUT}') or p.provision is not null
        ),
        decision as (
            select {", ".join(DECISION_COLUMNS)} from {police} union all select {", ".join(DECISION_COLUMNS)} from {prosecution}
        ),
        decided as (
            select o.*, d.beslutsdatum, d.beslut, d.beslut in {CLEARS} as clears,
                max(case when d.beslut = 'ATERUPPTAGEN' then d.beslutsdatum end) over (
                    partition by o.diarienummer, o.brottsnummer
                ) as reopened
            from offence as o
            join decision as d on o.diarienummer = d.diarienummer and o.brottsnummer = d.brottsnummer
            where d.beslutsdatum >= o.anmalningsdatum and year(d.beslutsdatum) = {year}
        ),
        processed as (
            select indicator_id, diarienummer, brottsnummer, min(brottsantal) as weight, bool_or(clears) as cleared,
                any_value(kommunkod) as kommunkod, any_value(handlaggande_region) as region
            from decided
            where beslut not in {ENDS_NOTHING} and (clears or reopened is null or beslutsdatum >= reopened)
            group by all
        ),
        placed as (
            select p.*, coalesce(p.region, c.region_code) as region_code, coalesce(m.county_code, 'okand') as county_code,
                coalesce(m.municipality_code, 'okand') as municipality_code
            from processed as p
            left join read_csv('{SEEDS}/municipality.csv', all_varchar = true) as m on p.kommunkod = m.municipality_code
            left join read_csv('{SEEDS}/county.csv', all_varchar = true) as c using (county_code)
        )
        select {year} as year, indicator_id,
            case grouping(region_code, county_code, municipality_code)
                when 7 then 'riket' when 3 then 'polisregion' when 5 then 'lan' else 'kommun'
            end as geography_level,
            coalesce(region_code, county_code, municipality_code, 'SE') as geography_code,
            sum(weight) as processed, sum(case when cleared then weight else 0 end) as cleared
        from placed
        group by indicator_id, grouping sets ((), (region_code), (county_code), (municipality_code))
        having grouping(region_code) = 1 or region_code is not null
    """


def pandas(landing: Path, counts: Path, years: list[int]) -> None:
    """The same in pandas: all as text, since dates written year first compare as text."""
    import pandas as pd

    def read(place: Path, columns: list[str], separator: str = ";") -> Any:
        return pd.read_csv(place, sep=separator, usecols=columns, dtype=str, on_bad_lines="skip")

    codes = read(SEEDS / "offence_code.csv", ["brottskod", "role", "indicator_id", "part"], ",")
    provisions = read(SEEDS / "legal_provision.csv", ["provision", "indicator_id"], ",")
    municipalities = read(SEEDS / "municipality.csv", ["municipality_code", "county_code"], ",")
    municipalities = municipalities.merge(read(SEEDS / "county.csv", ["county_code", "region_code"], ","))
    found = []
    for year in years:
        files = [landing / f"{file.format(year)}.csv" for file in FILES]
        offences = read(files[0], OFFENCE_COLUMNS)
        offences["brottsantal"] = pd.to_numeric(offences["brottsantal"], errors="coerce")
        core = codes[(codes["role"] == "core") & (codes["part"] != LEFT_OUT)]
        by_code = offences.merge(core[["brottskod", "indicator_id"]], on="brottskod")
        rest = offences[~offences["brottskod"].isin(codes["brottskod"])]
        rest = rest[rest["lagrum"].str.contains("BrB|brottsbalken", na=False)]
        spelt = rest["lagrum"].str.extract(PROVISION).fillna("")
        rest = rest.assign(provision=("BrB " + spelt[0] + ":" + spelt[1] + " " + spelt[2]).str.rstrip())
        offence = pd.concat([by_code, rest.merge(provisions, on="provision")])
        decision = pd.concat([read(file, DECISION_COLUMNS) for file in files[1:]])
        # Of keys that are missing pandas thinks that they are the same.
        decided = offence.dropna(subset=KEY).merge(decision, on=KEY)
        decided = decided[
            (decided["beslutsdatum"] >= decided["anmalningsdatum"]) & decided["beslutsdatum"].str.startswith(str(year))
        ]
        reopened = decided[decided["beslut"] == "ATERUPPTAGEN"].groupby(KEY)["beslutsdatum"].max().rename("reopened")
        decided = decided.join(reopened, on=KEY)
        decided["clears"] = decided["beslut"].isin(CLEARS)
        stands = decided["clears"] | decided["reopened"].isna() | (decided["beslutsdatum"] >= decided["reopened"])
        # Of offences that were delivered twice and not alike, the lesser number: the scripts shall choose alike.
        standing = decided[stands & ~decided["beslut"].isin(ENDS_NOTHING)].sort_values(
            ["clears", "brottsantal"], ascending=[False, True]
        )
        processed = standing.drop_duplicates([*KEY, "indicator_id"])
        placed = processed.merge(municipalities, left_on="kommunkod", right_on="municipality_code", how="left")
        placed["riket"] = "SE"
        placed["polisregion"] = placed["handlaggande_region"].fillna(placed["region_code"])
        placed["lan"] = placed["county_code"].fillna("okand")
        placed["kommun"] = placed["municipality_code"].fillna("okand")
        placed["cleared"] = placed["brottsantal"].where(placed["clears"], 0)
        for level in ("riket", "polisregion", "lan", "kommun"):
            sums = placed.groupby(["indicator_id", level])[["brottsantal", "cleared"]].sum().astype(int).reset_index()
            sums = sums.rename(columns={level: "geography_code", "brottsantal": "processed"})
            found.append(sums.assign(year=year, geography_level=level))
    pd.concat(found)[COUNTED].to_csv(counts, index=False)


def polars(landing: Path, counts: Path, years: list[int]) -> None:
    """The same in polars, lazily, so that it reads only what it needs."""
    import polars as pl

    def read(place: Path, columns: list[str], separator: str = ";") -> Any:
        whole = pl.scan_csv(
            place, separator=separator, infer_schema=False, truncate_ragged_lines=True, null_values=[""]
        )
        return whole.select(columns)

    codes = read(SEEDS / "offence_code.csv", ["brottskod", "role", "indicator_id", "part"], ",")
    provisions = read(SEEDS / "legal_provision.csv", ["provision", "indicator_id"], ",")
    municipalities = read(SEEDS / "municipality.csv", ["municipality_code", "county_code"], ",").join(
        read(SEEDS / "county.csv", ["county_code", "region_code"], ","), on="county_code"
    )
    core = codes.filter((pl.col("role") == "core") & pl.col("part").ne_missing(LEFT_OUT))
    found = []
    for year in years:
        files = [landing / f"{file.format(year)}.csv" for file in FILES]
        offences = read(files[0], OFFENCE_COLUMNS).with_columns(pl.col("brottsantal").cast(pl.Int64, strict=False))
        rest = offences.join(codes, on="brottskod", how="anti").filter(
            pl.col("lagrum").str.contains("BrB|brottsbalken")
        )
        spelt = [pl.col("lagrum").str.extract(PROVISION, group).fill_null("") for group in (1, 2, 3)]
        by_provision = rest.with_columns(provision=pl.format("BrB {}:{} {}", *spelt).str.strip_chars_end()).join(
            provisions, on="provision"
        )
        columns = [*OFFENCE_COLUMNS, "indicator_id"]
        offence = pl.concat([offences.join(core, on="brottskod").select(columns), by_provision.select(columns)])
        decision = pl.concat([read(file, DECISION_COLUMNS) for file in files[1:]])
        decided = (
            offence.join(decision, on=KEY)
            .filter(
                pl.col("beslutsdatum") >= pl.col("anmalningsdatum"), pl.col("beslutsdatum").str.starts_with(str(year))
            )
            .with_columns(
                clears=pl.col("beslut").is_in(CLEARS),
                reopened=pl.col("beslutsdatum").filter(pl.col("beslut") == "ATERUPPTAGEN").max().over(KEY),
            )
        )
        stands = pl.col("clears") | pl.col("reopened").is_null() | (pl.col("beslutsdatum") >= pl.col("reopened"))
        placed = (
            decided.filter(stands & ~pl.col("beslut").is_in(ENDS_NOTHING))
            .group_by([*KEY, "indicator_id"])
            .agg(
                pl.col("brottsantal").min(),
                pl.col("kommunkod", "handlaggande_region").first(),
                pl.col("clears").any().alias("clears"),
            )
            .join(municipalities.with_columns(kommun=pl.col("municipality_code")), left_on="kommunkod",
                  right_on="municipality_code", how="left")
            .select(
                "indicator_id",
                processed=pl.col("brottsantal"),
                cleared=pl.when("clears").then("brottsantal").otherwise(0),
                riket=pl.lit("SE"),
                polisregion=pl.coalesce("handlaggande_region", "region_code"),
                lan=pl.col("county_code").fill_null("okand"),
                kommun=pl.col("kommun").fill_null("okand"),
            )
            .collect()
        )  # fmt: skip
        for level in ("riket", "polisregion", "lan", "kommun"):
            sums = placed.drop_nulls(level).group_by("indicator_id", geography_code=level)
            found.append(
                sums.agg(pl.col("processed", "cleared").sum()).with_columns(year=year, geography_level=pl.lit(level))
            )
    pl.concat(found, how="diagonal").select(COUNTED).write_csv(counts)


def scan_csv(landing: Path, years: list[int]) -> None:
    """The limit: every field of every file is read and typed, and nothing is done with it."""
    _scan([csv(landing, file, year) for year in years for file in FILES])


def scan_parquet(folder: Path, years: list[int]) -> None:
    """The same limit where the files are Parquet."""
    _scan([f"read_parquet('{folder / file.format(year)}.parquet')" for year in years for file in FILES])


def keep(landing: Path, years: list[int]) -> None:
    """What any load pays that keeps rows: each is read, typed, given its pseudonyms and written as Parquet, judged by nobody."""
    import tempfile

    import duckdb

    from dagster_project.contract import input_contract
    from dagster_project.ingestion.pseudonyms import create_pseudonym_macro

    identifying = {
        (file.source, file.name): [column.name for column in file.columns if column.identifying]
        for file in input_contract().files
    }
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        create_pseudonym_macro(connection, b"a key that keeps nothing secret.")
        for year in years:
            for file in FILES:
                source, _, name = file.split("/")
                hidden = ", ".join(
                    f"pseudonym('{column}', {column}) as {column}" for column in identifying[source, name]
                )
                connection.execute(
                    f"copy (select * replace ({hidden}) from {csv(landing, file, year)}) "
                    f"to '{folder}/{source}-{name}-{year}.parquet' (compression zstd)"
                )


def to_parquet(landing: Path, folder: Path, years: list[int]) -> None:
    """The deliveries as Parquet, to be scanned; not measured."""
    import duckdb

    for file in (file.format(year) for year in years for file in FILES):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        duckdb.execute(f"copy (from {csv(landing, file, 0)}) to '{folder / file}.parquet' (compression zstd)")


def _scan(files: list[str]) -> None:
    import duckdb

    for file in files:
        # All columns at once, so that none is left unread and none is kept.
        print(duckdb.execute(f"select bit_xor(hash(f)) from {file} as f").fetchone())


if __name__ == "__main__":
    what, *places = sys.argv[1:]
    if what in ("plain", "pandas", "polars"):
        count = {"plain": plain, "pandas": pandas, "polars": polars}[what]
        count(Path(places[0]), Path(places[1]), [int(year) for year in places[2:]])
    else:
        read = {"scan-csv": scan_csv, "scan-parquet": scan_parquet, "keep": keep}[what]
        read(Path(places[0]), [int(year) for year in places[1:]])
