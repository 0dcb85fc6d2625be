"""SQL templates that generate a year from the plan's cells, and the expressions of each column of the files."""

from __future__ import annotations

# Numbers of slots for municipalities (of a region, of the country), codes and outcomes
REGION_SLOTS, COUNTRY_SLOTS, CODE_SLOTS, CRIME_SLOTS = 4096, 16384, 1_000_000, 1024
SPELLINGS = 8
# Multiplying by one prime modulo another spreads case numbers over all seven-digit numbers without collisions
SPREAD_BY, CASES = 7919, 9_999_991

# Independent numbers by hash and purpose (`salt`): 64 bits, from 0 to below 1, from 0 to below n. DuckDB's `hash` of
# several values only combines their hashes linearly; hashing the result again makes the purposes independent.
MACROS = (
    "create macro mixed(h, salt) as hash(hash(h, salt))",
    "create macro u(h, salt) as (mixed(h, salt) >> 11) * 1.1102230246251565e-16",
    "create macro one_of(h, salt, n) as (mixed(h, salt) % n)::int",
)

# The columns of an offence that do not depend on the year of its decision
OFFENCE = (
    "h",
    "office",
    "number",
    "reported_year",
    "brottsnummer",
    "code",
    "provision",
    "spelling",
    "reported",
    "crime",
    "kommun",
    "shown_region",
    "kon",
    "alder",
)
# Four consecutive offences either share one case or have one each. The office encodes the years from report to decision,
# so that numbers of different decision years never collide.
_CASE = """
    i // 4 * 4 as quarter,
    u(hash({hashed}, quarter), 'case') < {assumptions.CASES_OF_SEVERAL} as several,
    1 + (if(several, quarter, i)::bigint * {spread_by} + {shift}) % {cases} as number,
    if(several, 1 + i % 4, 1) as brottsnummer,
    5000 + 100 * region + year(day_zero + decided) - year(day_zero + reported) as office,
    year(day_zero + reported) % 100 as reported_year,
"""
_CRIME_DAY = """
    case
        when u(h, 'crime') < {assumptions.NO_CRIME_DATE} then null
        when u(h, 'crime') < {assumptions.NO_CRIME_DATE} + {assumptions.OLD_CRIME}
            then reported - floor(-ln(1 - u(h, 'age')) * {assumptions.OLD_CRIME_DAYS})::int
        else reported - floor(-ln(1 - u(h, 'age')) * {assumptions.CRIME_DAYS})::int
    end as crime,
"""
_LAG = """case
            when u(h, 'long') < {assumptions.LONG_SHARE}
                then 365 + floor(365 * {assumptions.LONG_YEARS} * u(h, 'lag') * u(h, 'lag'))::int
            else floor(-ln(1 - u(h, 'lag')) * getvariable('mean_days')[1 + outcome])::int
        end"""
_SPELLING = """
        when u(h, 'spelling') < {assumptions.NO_PROVISION} then null
        when u(h, 'spelling') < {assumptions.NO_PROVISION} + {assumptions.PLAIN_PROVISION} then 0
        else floor(u(h, 'other spelling') * {spellings})::int
    end as spelling,
"""

# The offences of the catalogue, from the cells of the plan
PLANNED = (
    """
create or replace temp table {table} as
with cell as (
    select unnest(?::int[]) as kind, unnest(?::int[]) as region, unnest(?::int[]) as outcome,
        unnest(?::int[]) as brottsantal, unnest(?::int[]) as amount, unnest(?::int[]) as first
),
drawn as (
    select kind, region, outcome, brottsantal, (first + unnest(range(amount)))::int as i, mixed(hash({hashed}), i) as h
    from cell
),
dated as (
    select drawn.*, kind.* exclude (kind),
        greatest({start}, least(first_day, {end})) as earliest,
        earliest + floor(u(h, 'decided') * ({end} - earliest + 1))::int as decided,
        decided - """
    + _LAG
    + """ as wished,
        case
            when wished < first_day then first_day + floor(u(h, 'window') * (decided - first_day + 1))::int
            when wished > last_day and u(h, 'ended code') < {assumptions.ENDED_CODE_SHARE}
                then least(wished, last_day + floor(u(h, 'window') * {assumptions.ENDED_CODE_DAYS})::int)
            when wished > last_day then greatest(first_day, last_day - floor(u(h, 'window') * 300)::int)
            else wished
        end as reported,
        if(u(h, 'late code') < {assumptions.LATE_CODE_SHARE}, reported - {assumptions.LATE_CODE_DAYS}, reported) as wished_coded,
        least(last_day, greatest(first_day, wished_coded)) as coded,
        floor(u(h, 'code') * {code_slots})::int as code_slot,
        {assumptions.NO_MUNICIPALITY} + {assumptions.UNKNOWN_MUNICIPALITY} as no_place,
        case
            when region = {nowhere} or u(h, 'place') < no_place then null
            when u(h, 'place') < no_place + {assumptions.OTHER_REGION}
                then (region + 1 + one_of(h, 'other region', {nowhere} - 1)) % {nowhere}
            else region
        end as area
    from drawn
    join kind using (kind)
),
coded as (
    select dated.*, code.*, date '1970-01-01' as day_zero,
        -- places are assigned in turn, so that every county gets its share even of few offences
        floor(
            {region_slots} * (row_number() over same - 1 + u(hash({hashed}), indicator || region))
            / count(*) over everywhere
        )::int % {region_slots} as turn
    from dated
    join era
        on dated.kind = era.kind and coded between era.opens and era.closes
        and code_slot >= slot_from and code_slot < slot_to
    join code on era.code = code.code
    window
        same as (partition by indicator, region order by h, i),
        everywhere as (partition by indicator, region)
)
select i, h, kind, coded.region, outcome, brottsantal, counted, decided, reported, code, provision,
"""
    + _CASE
    + _CRIME_DAY
    + """
    case
        when place.kommun is not null then place.kommun
        when u(h, 'place') < {assumptions.UNKNOWN_MUNICIPALITY} or (coded.region = {nowhere} and u(h, 'place') > 0.8)
            then getvariable('unknown_places')[1 + one_of(h, 'unknown place', {unknown})]
    end as kommun,
    case
        when coded.region = {nowhere} then null
        when coded.area = coded.region and u(h, 'region') < {assumptions.NO_REGION} then null
        else coded.region
    end as shown_region,
    case
        when unlisted then floor(u(h, 'spelling') * {spellings})::int"""
    + _SPELLING
    + """
    u(h, 'victim') as victim,
    sex is null and victim > 0.8 and odd_sex is not null
        and greatest(youngest, odd_low) <= least(oldest, odd_high) as odd,
    greatest(youngest, if(odd, odd_low, low)) as from_age,
    least(oldest, if(odd, odd_high, high)) as to_age,
    case
        when odd then odd_sex
        when sex is null then if(victim between 0.55 and 0.8, if(u(h, 'sex') < 0.5, 'K', 'M'), null)
        when carries and u(h, 'sex') < {assumptions.NO_SEX} then null
        else sex
    end as kon,
    case
        when sex is null and not odd and victim not between 0.3 and 0.55 then null
        when sex is not null and carries and u(h, 'no age') < {assumptions.NO_AGE} then null
        else from_age + floor((to_age - from_age + 1) * pow(u(h, 'years'), if(from_age >= 18, 2.2, 0.6)))::int
    end as alder
from coded
left join place on coded.area = place.area and coded.turn = place.slot
"""
)

# All other offences: the same columns, generated independently of the plan
OTHER_CRIME = (
    """
select i, outcome, brottsantal, decided, h as own, false as reopened,
    h, code, provision, reported, kommun, kon, alder,
"""
    + _CASE
    + _CRIME_DAY
    + """
    case"""
    + _SPELLING
    + """
    if(u(h, 'region') < {assumptions.NO_REGION}, null, region) as shown_region
from (
    select drawn.i, drawn.h, crime_kind.code, code.provision, place_region as region, outcome, date '1970-01-01' as day_zero,
        if(u(h, 'several') < 0.015, 2 + one_of(h, 'how many', 4), 1) as brottsantal,
        {start} + floor(u(h, 'decided') * ({end} - {start} + 1))::int as decided,
        decided - """
    + _LAG
    + """ as reported,
        if(u(h, 'place') < {assumptions.NO_MUNICIPALITY}, null, place.kommun) as kommun,
        u(h, 'victim') < victims as victim,
        if(victim, if(u(h, 'sex') < {assumptions.OTHER_CRIME_WOMEN}, 'K', 'M'), null) as kon,
        if(victim, 4 + floor(86 * pow(u(h, 'years'), 1.4))::int, null) as alder
    from (
        select ({first} + range)::int as i, mixed(hash({hashed}), i) as h,
            one_of(h, 'what', {crime_slots}) as crime_slot,
            one_of(h, 'outcome', {crime_slots}) as outcome_slot,
            one_of(h, 'town', {country_slots}) as place_slot
        from range({rows})
    ) as drawn
    join crime_kind on crime_slot = crime_kind.slot
    join code using (code)
    join crime_outcome on crime_kind.crime_kind = crime_outcome.crime_kind and outcome_slot = crime_outcome.slot
    join place on place.area = {nowhere} and place_slot = place.slot
)
"""
)

# A whole year: the plan's offences, some of them reopened from the year before, and all others
YEAR = """
create temp table {table} as
with donor as (
    select *, row_number() over (partition by kind, region, brottsantal order by h, i) as turn
    from earlier
    where counted and outcome between {first_donor} and {last_donor}
        and one_of(h, 'again', {assumptions.REOPENED_LATER_ONE_IN}) = 0 and one_of(h, 'reopened', {assumptions.REOPENED_ONE_IN}) > 0
),
taker as (
    select *, counted and one_of(h, 'reopened', {assumptions.REOPENED_ONE_IN}) = 0 as takes,
        row_number() over (partition by kind, region, brottsantal, takes order by h, i) as turn
    from planned
),
every as (
    select taker.i, taker.outcome, taker.brottsantal, taker.decided, taker.h as own, donor.i is not null as reopened,
        {taken}
    from taker
    left join donor
        on taker.takes and taker.kind = donor.kind and taker.region = donor.region
        and taker.brottsantal = donor.brottsantal and taker.turn = donor.turn
    union all by name
    select {columns} from ({other_crime})
),
timed as (
    select *, greatest(reported, {start}) as opens, decided - opens as span,
        case when span < 3 then 0 when reopened then 2 else 1 end as time, one_of(own, 'script', {slots}) as slot
    from every
)
select i, brottsantal, opens, span, script, {offence},
    decided + floor(u(own, 'after') * ({end} - decided + 1))::int as later
from timed
join pick using (outcome, time, slot)
order by number, brottsnummer, i
"""

# The offences reported in a year, whenever they are decided; one that is decided again occurs once
REPORTED = """
create or replace temp view report as
select distinct brottsantal, {offence} from ({offences}) where reported between {start} and {end}
order by number, brottsnummer
"""

_KEY = {"diarienummer": "printf('%04d-K%d-%02d', office, number, reported_year)", "brottsnummer": "brottsnummer"}
_DAY = "date '1970-01-01' + (case event % 8 when 4 then later else opens + span * (event % 8) // 3 end)::int"
# For each file the expressions of its columns, and their source
FILES: dict[str, tuple[dict[str, str], str]] = {
    "police_offences": (
        {
            **_KEY,
            "brottskod": "getvariable('codes')[1 + code]",
            "lagrum": f"getvariable('provisions')[1 + provision * {SPELLINGS} + spelling]",
            "brottsantal": "brottsantal",
            "anmalningsdatum": "date '1970-01-01' + reported",
            "brottsdatum": "date '1970-01-01' + crime",
            "kommunkod": "printf('%04d', kommun)",
            "handlaggande_region": "getvariable('regions')[1 + shown_region]",
            "malsagande_kon": "kon",
            "malsagande_alder": "alder",
        },
        "offence",
    ),
    "police_decisions": (
        {
            **_KEY,
            "beslutsdatum": _DAY,
            "beslut": "getvariable('police_decisions')[1 + event // 32]",
            "utredning": "if(event // 16 % 2 = 1, 'J', 'N')",
            "skaligen_misstankt": "if(event // 8 % 2 = 1, 'J', 'N')",
        },
        "(select *, unnest(getvariable('police')[1 + script]) as event from offence)",
    ),
    "prosecution_decisions": (
        {
            "aklagarnummer": f"printf('AM-%d-%02d', 1 + number * 31 % {CASES}, year(date '1970-01-01' + later) % 100)",
            **_KEY,
            "misstanke_id": "if(event // 8 % 4 = 0, null, lower(lpad(to_hex(mixed(h, event // 8 % 4)), 16, '0')))",
            "beslutsdatum": _DAY,
            "beslut": "getvariable('prosecutor_decisions')[1 + event // 32]",
        },
        "(select *, unnest(getvariable('prosecutor')[1 + script]) as event from offence)",
    ),
}
# The columns that both have are the same.
FILES["police_reports"] = (FILES["police_offences"][0], "report")
