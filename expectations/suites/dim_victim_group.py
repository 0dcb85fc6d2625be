"""Expectations on the list of victim groups."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectNoRowsWhere

suite = ExpectationSuite(
    name="dim_victim_group",
    meta={"layer": "marts", "asset": "dim_victim_group", "table": "marts.dim_victim_group"},
    expectations=[
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="victim_group",
            value_set=["total", "kvinna", "man", "flicka", "pojke", "okand"],
            severity="critical",
            notes="the groups are those of the official statistics, plus total and unknown",
            meta={"name": "groups_are_the_six", "owner": "us", "limit": "total, kvinna, man, flicka, pojke and okand"},
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="sort_order",
            severity="critical",
            notes="the display order of groups must be unambiguous",
            meta={"name": "order_is_unique", "owner": "us", "limit": "no duplicate sort position"},
        ),
        ExpectNoRowsWhere(
            condition="sort_order is null or coalesce(trim(name_sv), '') = '' or coalesce(trim(name_en), '') = ''",
            severity="critical",
            notes="readers identify groups by name, in Swedish and English",
            meta={"name": "texts_are_filled", "owner": "us", "limit": "0 rows without a name or a sort position"},
        ),
    ],
)
