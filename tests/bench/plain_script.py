"""The plain DuckDB script that loads are compared with: the shortest honest way from the CSV files to the counts.

    .venv/bin/python tests/bench/plain_script.py LANDING COUNTS YEAR …

It counts processed and cleared offences of every indicator in the country, its police regions, counties and municipalities, and writes
them to one CSV file. It validates no row, derives no variant, victim group, outcome, rate or comparison, and checks and keeps nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

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


def csv(landing: Path, file: str, year: int) -> str:
    """A delivered file as DuckDB reads it."""
    types = OFFENCE_TYPES if file.endswith("offences") else DECISION_TYPES
    return f"read_csv('{landing / file.format(year)}.csv', {READ.format(types)})"


def plain(landing: Path, counts: Path, years: list[int]) -> None:
    """One query per year, which takes less memory than one for all, and is faster."""
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


if __name__ == "__main__":
    plain(Path(sys.argv[1]), Path(sys.argv[2]), [int(year) for year in sys.argv[3:]])
