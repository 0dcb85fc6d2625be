"""Years as people write them on the command line and read them in messages."""

from __future__ import annotations

import re

import pytest

from dagster_project.years import format_years, parse_years


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2014", [2014]),
        ("2019-2021", [2019, 2020, 2021]),
        ("2019-2019", [2019]),
        ("2022,2019", [2019, 2022]),
        (" 2019 , 2021-2022 ", [2019, 2021, 2022]),
        ("2019-2021,2020-2022", [2019, 2020, 2021, 2022]),
    ],
)
def test_years_and_ranges(text: str, years: list[int]) -> None:
    assert parse_years(text) == years


@pytest.mark.parametrize(
    "text",
    ["", "24", "20240", "2024-", "-2024", "2019-21", "2019–2021", "2019-2020-2021", "tjugo", "２０２４", "2024,,2025"],
)
def test_what_are_no_years(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(repr(text))} is not like 2024, 2019-2025 or 2019,2022$"):
        parse_years(text)


@pytest.mark.parametrize(
    ("text", "part"), [("2013", "2013"), ("2020, 2022-2021", "2022-2021"), ("2013-2015", "2013-2015")]
)
def test_years_that_cannot_be(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=f"^'{part}' runs backwards or begins before 2014$"):
        parse_years(text)


@pytest.mark.parametrize(
    ("years", "spelt"),
    [
        ([], ""),
        ([2014], "2014"),
        ([2014, 2015], "2014–2015"),
        ([2019, 2014, 2016, 2015], "2014–2016, 2019"),
        ([2014, 2016, 2018, 2019], "2014, 2016, 2018–2019"),
    ],
)
def test_years_are_spelt_shortly(years: list[int], spelt: str) -> None:
    assert format_years(years) == spelt
