"""Expectations on the list of places."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="dim_geography",
    meta={"layer": "marts", "asset": "dim_geography", "table": "marts.dim_geography"},
    expectations=[
        ExpectNoRows(
            query="""
                with
                expected (geography_level, places, unknown) as (
                    values ('riket', 1, 0), ('polisregion', 7, 0), ('lan', 21, 1), ('kommun', 290, 1)
                ),
                found as (
                    select
                        geography_level,
                        count(*) filter (where geography_code <> 'okand') as places,
                        count(*) filter (where geography_code = 'okand') as unknown
                    from marts.dim_geography
                    group by geography_level
                )
                (select * from expected except select * from found) union all (select * from found except select * from expected)
            """,
            severity="critical",
            notes="a place without a row here has no figures",
            meta={
                "name": "all_places_are_there",
                "owner": "us",
                "limit": "the country, 7 regions, 21 counties, 290 municipalities, and one unknown county and municipality",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                not case geography_level
                    when 'riket' then geography_code = 'SE'
                    when 'polisregion' then regexp_full_match(geography_code, 'Rn0[1-7]')
                    when 'lan' then regexp_full_match(geography_code, '[0-9]{2}|okand')
                    when 'kommun' then regexp_full_match(geography_code, '[0-9]{4}|okand')
                    else false
                end
            """,
            severity="critical",
            notes="codes without their leading zero do not join to any other table",
            meta={
                "name": "codes_fit_their_level",
                "owner": "us",
                "limit": "SE, Rn01–Rn07, two digits, four digits or okand",
            },
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="name_sv",
            min_value=2,
            severity="critical",
            notes="readers identify places by name",
            meta={"name": "names_are_filled", "owner": "us", "limit": "0 names shorter than 2 characters"},
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="name_sv",
            severity="critical",
            notes="readers identify places by name",
            meta={"name": "no_place_is_nameless", "owner": "us", "limit": "0 rows without a name"},
        ),
        ExpectNoRows(
            query="""
                select place.geography_code
                from marts.dim_geography as place
                left join marts.dim_geography as county
                    on county.geography_level = 'lan' and place.county_code = county.geography_code
                left join marts.dim_geography as region
                    on region.geography_level = 'polisregion' and place.region_code = region.geography_code
                where
                    case
                        when place.geography_level = 'riket' or place.geography_code = 'okand'
                            then place.region_code is not null or place.county_code is not null
                        when place.geography_level = 'polisregion'
                            then place.region_code is distinct from place.geography_code or place.county_code is not null
                        else
                            place.county_code is distinct from place.geography_code[1:2]
                            or county.geography_code is null
                            or region.geography_code is null
                            or place.region_code <> county.region_code
                    end
            """,
            severity="critical",
            notes="municipalities are aggregated to counties, and counties to regions",
            meta={
                "name": "parents_are_there_and_agree",
                "owner": "us",
                "limit": "a municipality belongs to the county of its first two digits and to that county's region",
            },
        ),
    ],
)
