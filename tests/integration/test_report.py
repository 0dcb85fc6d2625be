"""The report that people read: its numbers are the marts', whatever is chosen, with and without script."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_reader import Reader, formatted, rows, table, words

from dagster_project import paths
from dagster_project.settings import Settings

pytest_plugins = ["report_fixtures"]

FIGURES = """
    select year, processed, cleared, clearance_pct, clearance_pct_low, clearance_pct_high, clearance_change_pp
    from @fct_indicator_year
    where indicator_id = ? and variant = 'beslutad' and geography_level = ? and geography_code = ? and victim_group = ?
    order by year
"""


def expected_trend(publication: Path, *key: str, language: str = "sv") -> list[list[str]]:
    return [
        [
            str(year),
            formatted(processed, 0, language),
            formatted(cleared, 0, language),
            *(formatted(one, 1, language) for one in shares),
        ]
        for year, processed, cleared, *shares in rows(publication, FIGURES, *key)
    ]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_without_script_the_numbers_are_those_of_the_marts(
    publication: Path, plain_reader: Reader, language: str
) -> None:
    for (indicator,) in rows(publication, "select distinct indicator_id from @dim_indicator where kind = 'decided'"):
        page = plain_reader.open(publication / "report" / language / f"{indicator}.html")
        name = f"name_{language}"
        shown = page.locator("#h-says [data-place]").inner_text()
        ((*place,),) = rows(
            publication, f"select geography_level, geography_code from @dim_geography where {name} = ?", shown
        )
        trend = [row[:7] for row in table(page, "trend")]
        assert trend == expected_trend(publication, indicator, *place, "total", language=language)
        assert not page.locator("#chooser").is_visible()


def test_the_script_shows_first_what_was_there_without_it(
    publication: Path, reader: Reader, plain_reader: Reader
) -> None:
    """Two programs make the same page: what the one wrote, the other redraws."""
    seen = []
    for one in (reader, plain_reader):
        page = one.open(publication / "report" / "en" / "misshandel_nara_relation.html")
        names = page.locator("table[data-name]").evaluate_all("found => found.map(one => one.dataset.name)")
        assert {"trend", "ranking", "flow", "time"} <= set(names)
        text = "[...document.querySelectorAll('#says p, #formulas p, .chart text')].map(one => one.textContent).sort()"
        drawn = (
            page.evaluate(text)
            if one is reader
            else page.locator("#says p, #formulas p, .chart text").all_text_contents()
        )
        seen.append(({name: table(page, name) for name in names}, sorted(drawn)))
        for name in ("index", "commitments"):
            page = one.open(publication / "report" / "sv" / f"{name}.html")
            written = "#h-headline, #finding, #says p, #summary p, #withheld, .card p, .card li, .chart text, #of-place, table.areas"
            seen[-1] += (sorted(page.locator(written).all_text_contents()),)
    assert seen[0] == seen[1]


CHOICES = (
    ("misshandel_nara_relation", "riket", "SE", 2023, "kvinna"),
    ("valdtakt", "polisregion", "Rn05", 2024, "flicka"),
    ("valdtakt", "lan", "14", 2023, "total"),
    ("misshandel_nara_relation", "kommun", "0180", 2024, "total"),
)


@pytest.mark.parametrize(("indicator", "level", "code", "year", "group"), CHOICES)
def test_a_link_shows_what_it_names(
    publication: Path, reader: Reader, indicator: str, level: str, code: str, year: int, group: str
) -> None:
    page = reader.open(
        publication / "report" / "sv" / f"{indicator}.html", f"#{indicator}/{level}/{code}/{year}/{group}"
    )
    assert [row[:7] for row in table(page, "trend")] == expected_trend(publication, indicator, level, code, group)
    ((name,),) = rows(
        publication, "select name_sv from @dim_geography where (geography_level, geography_code) = (?, ?)", level, code
    )
    for heading in ("#h-says", "section[aria-labelledby=h-cite]"):
        assert f"{name}{' (kommun)' if level == 'kommun' else ''} {year}" in page.locator(heading).inner_text()
    assert page.locator("#picture-readings svg.wide rect").count() == page.locator("#table-readings tbody tr").count()
    assert page.locator("#table-readings caption").inner_text().endswith("Hela landet 2024")
    saved_as = page.locator("#download-trend").get_attribute("download") or ""
    assert saved_as.startswith(f"{indicator}-trend-{level}-{code}-{year}")
    figures = {row[0]: row for row in rows(publication, FIGURES, indicator, level, code, group)}
    share = figures[year][3]
    says = words(page.locator("#says"))
    nothing = "inget ledde" if share == 0 else "visas inte" if figures[year][1] is None else "finns ingen andel"
    # None and all are exact, and shown without a decimal.
    rate = "100 procent" if share == 100 else f"{formatted(share, 1)} procent"
    assert (rate if share else nothing) in says
    assert reader.complaints == []


@pytest.mark.parametrize(("indicator", "level", "code", "year", "group"), CHOICES)
def test_a_place_below_the_region_shows_the_details_of_its_region(
    publication: Path, reader: Reader, indicator: str, level: str, code: str, year: int, group: str
) -> None:
    page = reader.open(
        publication / "report" / "sv" / f"{indicator}.html", f"#{indicator}/{level}/{code}/{year}/{group}"
    )
    ((wide_level, wide_code, name),) = rows(
        publication,
        "select wide.geography_level, wide.geography_code, wide.name_sv from @dim_geography as place "
        "inner join @dim_geography as wide on (wide.geography_level, wide.geography_code) = "
        "case when place.region_code is null then ('riket', 'SE') else ('polisregion', place.region_code) end "
        "where (place.geography_level, place.geography_code) = (?, ?)",
        level, code,
    )  # fmt: skip
    of_wide = (indicator, wide_level, wide_code, year)
    flow = rows(
        publication,
        "select offences from @fct_case_flow_year where (indicator_id, geography_level, geography_code, year) "
        "= (?, ?, ?, ?) and variant = 'beslutad' order by stage_order",
        *of_wide,
    )
    assert [row[1] for row in table(page, "flow")] == [formatted(offences, 0) for (offences,) in flow]
    time = rows(
        publication,
        "select days_median from @fct_processing_time_year where (indicator_id, geography_level, geography_code, year) "
        "= (?, ?, ?, ?) and variant = 'beslutad' order by outcome = 'all', outcome",
        *of_wide,
    )
    assert [row[4] for row in table(page, "time") if row[0] == str(year)] == [formatted(days, 0) for (days,) in time]
    figures = (
        "from @fct_indicator_year where variant = 'beslutad' and victim_group = ? "
        "and (indicator_id, geography_level, geography_code, year) = (?, ?, ?, ?)"
    )
    columns = "processed, investigated, limited_investigated, cleared"
    ((*counts, share),) = rows(publication, f"select {columns}, prosecution_pct {figures}", group, *of_wide)
    (measures,) = (row for row in table(page, "measures") if row[0] == str(year))
    assert [*measures[1:5], measures[6]] == [*(formatted(count, 0) for count in counts), formatted(share, 1)]
    outcomes = rows(publication, f"select cleared_indictment, other_dismissed {figures}", group, *of_wide)
    shown = [row[1] for row in table(page, "outcomes")]
    assert [(shown[0], shown[-1])] == [(formatted(first, 0), formatted(last, 0)) for first, last in outcomes]
    for about in ("measures", "flow", "outcomes", "time"):
        assert name in page.locator(f"#table-{about} caption").inner_text()
        assert f"-{about}-{wide_level}-{wide_code}-" in (
            page.locator(f"#download-{about}").get_attribute("download") or ""
        )
        output = page.locator(f"section[aria-labelledby=h-{about}] [data-of-region]")
        if level in ("lan", "kommun"):
            assert words(output) == f"Siffrorna gäller {name}: de redovisas inte för län och kommuner."
        else:
            assert not output.is_visible()
    assert ("Lagföringsprocent" in words(page.locator("#formulas"))) == (level not in ("lan", "kommun"))


MEASURED = "select indicator_id from @dim_indicator where variant in ('beslutad', 'egen') order by indicator_number"
REPORTED = (
    "select reported, decided_of_reported_pct, cleared_of_reported_pct, 2 * (reported < 30)::int from @fct_reported_year "
    "where variant in ('beslutad', 'egen') and by_year = (select max(year) from @dim_year)"
)
# Of each table: its counts, its shares and how many of them stand in italics; its rows; the numbers of counts and shares.
SIDE_BY_SIDE = {
    "clearance": (
        "select processed, cleared, clearance_pct, "
        "case when clearance_change_comparable then clearance_change_pp end, small_number "
        "from @fct_indicator_year where variant in ('beslutad', 'egen') and victim_group = 'total'",
        "select indicator_id from @dim_indicator where variant = 'egen' order by indicator_number",
        (2, 2),
    ),
    "suspicions": (
        "select suspicions_decided, suspicions_prosecuted, 0 from @fct_prosecution_year where true",
        "values ('manniskohandel_sexuella_andamal'), ('koppleri')",
        (2, 0),
    ),
    "reported in the newest year": (REPORTED, MEASURED, (1, 2)),
    "reported in the oldest year": (REPORTED, MEASURED, (1, 2)),
    "within 90 days": (
        "select offences, decided_within_90_days, decided_within_90_days_pct, offences < 30 "
        "from @fct_processing_time_year where variant in ('beslutad', 'egen') and outcome = 'all'",
        MEASURED,
        (2, 1),
    ),
}


@pytest.mark.parametrize(
    ("choice", "of", "year"),
    [("", "", ""), ("#alla/polisregion/Rn05/2023", "Polisregion Väst", "2023"), ("#alla/kommun/0380/2024", "Polisregion Mitt", "2024"),
     ("#alla/riket/SE/2023", "Hela landet", "2023")],
)  # fmt: skip
def test_the_measures_of_commitments_are_those_of_the_marts(
    publication: Path, reader: Reader, plain_reader: Reader, choice: str, of: str, year: str
) -> None:
    page = (reader if choice else plain_reader).open(publication / "report" / "sv" / "commitments.html", choice)
    assert f"gäller {of} {year}".lower().strip() in words(page.locator("#of-place")).lower()
    assert page.locator("table.areas").count() == len(SIDE_BY_SIDE)
    ((newest, oldest),) = rows(publication, "select max(year), min(year) from @fct_reported_year")
    kept = {"reported in the newest year": newest, "reported in the oldest year": oldest}
    for number, (about, (figures, measures, (counts, shares))) in enumerate(SIDE_BY_SIDE.items()):
        areas = page.locator("table.areas").nth(number).locator("th[scope=colgroup]").all_inner_texts()
        if about in kept:
            prefix = f"Anmälda {kept[about]}: "
            assert all(area.startswith(prefix) for area in areas)
            areas = [f"{area.removeprefix(prefix)} {kept[about]}" for area in areas]
        assert f"{of} {kept.get(about, year)}".strip() in areas[0]
        assert [area for area in areas if "Hela landet" in area] == areas[-1:]
        shown = page.locator("table.areas").nth(number)
        expected = []
        for (indicator,) in rows(publication, measures):
            cells, in_italics = [], 0
            for area in areas:
                name, of_year = area.rsplit(" ", 1)
                found = rows(
                    publication,
                    f"{figures} and (geography_level, geography_code) in (select geography_level, geography_code "
                    f"from @dim_geography where name_sv = ?) and (indicator_id, year) = (?, ?)",
                    name, indicator, int(of_year),
                )  # fmt: skip
                *values, small = found[0] if found else (None,) * (counts + shares + 1)
                cells += [formatted(value, int(at >= counts)) for at, value in enumerate(values)]
                if number == 0 and (values[-1] or 0) > 0:
                    cells[-1] = f"+{cells[-1]}"
                in_italics += (small or 0) if values[0] else 0
            expected.append([indicator, in_italics, cells])
        assert expected == shown.locator("tbody").evaluate(
            "body => [...body.rows].map(row => [row.dataset.indicator, row.querySelectorAll('i').length,"
            " [...row.cells].slice(1).map(cell => cell.textContent)])"
        )
        if number == 0:
            for indicator, _, (processed, cleared, *_) in expected:
                card = words(page.locator(f".card[data-indicator={indicator}]"))
                assert ("Inga handlagda brott" if processed == "0" else f"{cleared} av {processed} brott") in card


def test_without_reports_nothing_is_said_of_them(published_world: Settings) -> None:
    page = (published_world.published / paths.CURRENT / "report" / "en" / "commitments.html").read_text(
        encoding="utf-8"
    )
    assert 'id="h-reported"' not in page
    assert 'id="h-within-90"' in page


CARDS = """
    with figure as (
        select *, first_comparable_year as first, min(year) over place as first_there
        from @fct_indicator_year as shown inner join @dim_indicator as indicator using (indicator_id, variant)
        where variant = 'beslutad' and (geography_level, geography_code, victim_group) = (?, ?, 'total')
        window place as (partition by indicator_id, year >= coalesce(first_comparable_year, 0))
    ),

    since as (
        select *, first_value(clearance_pct) over place as first_pct,
            lag(year) over (partition by indicator_id order by year) as previous
        from figure
        window place as (partition by indicator_id, year >= coalesce(first, 0) order by year)
    )

    select
        indicator_id, indicator_number, processed, cleared, clearance_pct, suppression, small_number, previous,
        case when clearance_change_comparable and previous is not null then clearance_change_pp end,
        case when year >= coalesce(first, 0) and first_there < year - 1 then clearance_pct - first_pct end, first_there,
        clearance_pct_country, clearance_pct_median_region, clearance_pct_median_county,
        (select processed < 30 from @fct_indicator_year as country where country.geography_level = 'riket'
            and country.victim_group = 'total' and country.variant = 'beslutad'
            and (country.indicator_id, country.year) = (since.indicator_id, since.year))
    from since
    where year = ?
    order by indicator_number
"""


def expected_cards(publication: Path, level: str, code: str, year: int) -> dict[str, list[str] | None]:
    """What each card says but for its verdict; None of those withheld."""
    cards: dict[str, list[str] | None] = {}

    def signed(points: float) -> str:
        rounded = formatted(points, 1)
        return f"+{rounded}" if points > 0 and rounded != "0,0" else rounded.replace("−0,0", "0,0")

    for indicator, _, processed, cleared, pct, withheld, small, previous, change, since, first, *shares, few in rows(
        publication, CARDS, level, code, year
    ):
        if withheld:
            cards[indicator] = None
            continue
        leading = [f"{formatted(pct, 1)} procent", f"{formatted(cleared, 0)} av {formatted(processed, 0)} brott"]
        facts = [
            *([f"{signed(change)} procentenheter från {previous}"] if change is not None else []),
            *([f"{signed(since)} procentenheter från {first}"] if since is not None else []),
        ]
        for share, name in zip(shares, ("Hela landet", "Regionernas median", "Länens median"), strict=True):
            if share is not None and (name, level) != ("Hela landet", "riket"):
                facts.append(
                    f"{name} {formatted(share, 1)} %" + " (färre än 30 brott)" * (name == "Hela landet" and few)
                )
        if processed == 0:
            leading = ["Inga handlagda brott", ""]
        cards[indicator] = [*(leading[::-1] if small and processed else leading), *facts]
    return cards


@pytest.mark.parametrize(
    ("language_page", "choice"),
    [("sv/index.html", ""), ("index.html", "/lan/04/2023"), ("sv/index.html", "/lan/09/2024"), ("sv/index.html", "/riket/SE/2024"),
     ("sv/index.html", "/polisregion/Rn07/2023")],
)  # fmt: skip
def test_the_first_screen_is_that_of_the_marts(
    publication: Path, reader: Reader, plain_reader: Reader, language_page: str, choice: str
) -> None:
    """The cards, those withheld, and the finding that leads."""
    page = (reader if choice else plain_reader).open(publication / "report" / language_page, f"#alla{choice}")
    place = page.locator("#h-year [data-place]").inner_text()
    year = int(page.locator("#h-year [data-year]").inner_text())
    ((level, code),) = rows(
        publication, "select geography_level, geography_code from @dim_geography where name_sv = ? and geography_level <> 'kommun'", place
    )  # fmt: skip
    assert not choice or choice == f"/{level}/{code}/{year}"
    expected = expected_cards(publication, level, code, year)
    shown = page.locator(".card:visible").evaluate_all(
        "cards => cards.map(card => [card.dataset.indicator, [...card.querySelectorAll('.level, .counts, .facts li')]"
        ".map(one => one.textContent.replaceAll('\u00a0', ' '))])"
    )
    assert dict(map(tuple, shown)) == {name: card for name, card in expected.items() if card is not None}
    withheld = page.locator("#withheld a").evaluate_all("links => links.map(link => link.dataset.keepsChoice)")
    assert withheld == [name for name, card in expected.items() if card is None]
    assert page.locator("#withheld").is_visible() == bool(withheld)
    assert page.locator("#wider").is_visible() == (2 * len(withheld) > len(expected))

    figures = rows(
        publication,
        "select name_sv, indicator_id, processed, cleared from @fct_indicator_year as figure "
        "inner join @dim_indicator as one using (indicator_id, variant) "
        "where variant = 'beslutad' and victim_group = 'total' and (geography_level, geography_code, year) = (?, ?, ?) "
        "and processed > 0 order by processed desc, indicator_number",
        level, code, year,
    )  # fmt: skip
    link = page.locator("#h-headline a")
    if not figures:
        assert link.inner_text() == f"{place} {year}"
        assert link.get_attribute("href") is None
        assert words(page.locator("#finding")).startswith(f"Ingen av indikatorerna kan visas för {place} {year}")
        assert page.locator("#picture-headline svg").count() == 0
        return
    name, indicator, processed, cleared = figures[0]
    assert link.inner_text().replace("\u00a0", " ") == f"{name}: {place} {year}"
    folder = "sv/" if language_page == "index.html" else ""
    assert (link.get_attribute("href") or "").startswith(
        f"{folder}{indicator}.html" + (f"#{indicator}{choice}" if choice else "")
    )
    assert formatted(processed, 0) in page.locator("#finding").inner_text()
    assert cleared == 0 or f"ledde {formatted(cleared, 0)} av" in words(page.locator("#finding"))
    drawn = page.locator("#picture-headline svg.wide")
    assert place in (drawn.get_attribute("aria-label") or "")
    assert reader.complaints == []


@pytest.mark.parametrize(("indicator", "year"), [("misshandel_nara_relation", 2023), ("konsstympning", 2024)])
def test_a_ranking_ends_with_the_unknown_and_names_who_has_no_share(
    publication: Path, reader: Reader, indicator: str, year: int
) -> None:
    page = reader.open(publication / "report" / "sv" / f"{indicator}.html", f"#{indicator}/riket/SE/{year}")
    ranked = rows(
        publication,
        "select name_sv, geography_level_sv, clearance_pct from @fct_indicator_year as figure "
        "inner join @dim_geography as place using (geography_level, geography_code) where variant = 'beslutad' "
        "and victim_group = 'total' and geography_level <> 'kommun' and (indicator_id, year) = (?, ?) "
        "order by geography_level_order, geography_code = 'okand', clearance_pct desc",
        indicator, year,
    )  # fmt: skip
    shown = [(*row[:2], row[4]) for row in table(page, "ranking")]
    assert [share for *_, share in shown] == [formatted(share, 1) for *_, share in ranked if share is not None]
    assert {row[:2] for row in shown} == {row[:2] for row in ranked if row[2] is not None}
    named = words(page.locator("#missing-places")).lower()
    without = [name.lower() for name, _, share in ranked if share is None]
    assert without[-1] in named
    assert all(name in named or "alla län" in named for name in without)
    assert ("alla län" in named) == (len(without) >= 21)

    for place, name in (("kommun/0180", "Stockholm (kommun)"), ("lan/okand", "Okänd plats")):
        page = reader.open(publication / "report" / "sv" / f"{indicator}.html", f"#{indicator}/{place}/{year}")
        for column in (None, 2, 4):
            if column:
                page.locator("#table-ranking thead button").nth(column).click()
            names = [row[0] for row in table(page, "ranking")]
            assert name in names[-2:] if column is None else name in names
            assert "Okänd plats" not in names[:-1]
        heat = page.locator("#picture-heat table.wide tbody th").all_inner_texts()
        assert name in heat[-2:]
        assert "Okänd plats" not in heat[:-1]


def test_the_years_side_by_side_are_those_of_the_marts(publication: Path, reader: Reader) -> None:
    page = reader.open(publication / "report" / "en" / "misshandel_nara_relation.html")
    shares: dict[str, list[str]] = {}
    for name, share, withheld in rows(
        publication,
        "select name_en, clearance_pct, suppression is not null from @fct_indicator_year as figure "
        "inner join @dim_geography as place using (geography_level, geography_code) where variant = 'beslutad' "
        "and geography_level <> 'kommun' and indicator_id = 'misshandel_nara_relation' and victim_group = 'total' order by year",
    ):
        missing = "×" if withheld else "–"
        shares.setdefault(name, []).append(missing if share is None else formatted(share, 1, "en"))
    expected = {name: of for name, of in shares.items() if set(of) - {"×", "–"}}
    assert {"Sweden", "Police Region Stockholm"} <= set(expected)
    for kind, script in (
        ("wide", "body => [...body.rows].map(row => [...row.cells].map(cell => cell.textContent))"),
        ("narrow", "body => [...body.rows].filter((_, n) => n % 2 === 0)"
         ".map(row => [row, row.nextSibling].flatMap(one => [...one.cells].map(cell => cell.textContent)))"),
    ):  # fmt: skip
        shown = page.locator(f"#picture-heat table.{kind} tbody").evaluate(script)
        assert {name: of for name, *of in shown} == expected


def test_choosing_by_mouse_and_keyboard(publication: Path, reader: Reader) -> None:
    page = reader.open(publication / "report" / "sv" / "valdtakt.html")
    page.locator("#choose-place").select_option("lan/12")
    assert page.url.endswith("#valdtakt/lan/12/2024")
    page.locator("#choose-year").focus()
    page.keyboard.press("ArrowDown")
    assert page.url.endswith("#valdtakt/lan/12/2023")
    assert [row[:7] for row in table(page, "trend")] == expected_trend(publication, "valdtakt", "lan", "12", "total")
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("/en/valdtakt.html#valdtakt/lan/12/2023")
    page.get_by_role("link", name="Overview").click()
    page.locator("#choose-place").select_option("riket/SE")
    page.locator('[data-indicator="valdtakt"] a').click()
    assert page.url.endswith("/en/valdtakt.html#valdtakt/riket/SE/2023")
    page.locator("#choose-group").select_option("flicka")
    page.get_by_role("link", name="Counties and police regions", exact=True).click()
    for link in ("Quality", "Svenska", "Översikt", "Våldtäkt", "English"):
        page.get_by_role("link", name=link, exact=True).click()
    assert page.url.endswith("/en/valdtakt.html#valdtakt/riket/SE/2023/flicka")
    assert [row[:3] for row in table(page, "trend")] == [
        row[:3] for row in expected_trend(publication, "valdtakt", "riket", "SE", "flicka", language="en")
    ]
    page.locator("#choose-group").select_option("total")
    page.locator("details:has(#table-ranking) > summary").click()
    header = page.locator("#table-ranking thead button").nth(2)
    header.press("Enter")
    processed = [row[2].replace(",", "") for row in table(page, "ranking")]
    shown = [int(number) for number in processed if number != "–"]
    assert shown == sorted(shown)
    assert "–" not in processed[: len(shown)]
    page = reader.open(publication / "report" / "sv" / "index.html", "#alla/lan/09/2024/kvinna")
    assert page.locator("#wider a").all_inner_texts() == ["Polisregion Stockholm", "hela landet"]
    page.locator("#wider a").first.click()
    assert page.url.endswith("#alla/polisregion/Rn03/2024/kvinna")
    assert words(page.locator("#h-year")) == "Polisregion Stockholm 2024"
    page = reader.open(publication / "report" / "index.html", "#alla/kommun/0180/2023/kvinna")
    assert words(page.locator("#h-headline")).endswith("Stockholms län 2023")
    assert "Siffror för Stockholm (kommun)" in words(page.locator("#of-county"))
    assert page.locator("#choose-place").input_value() == "kommun/0180"
    for link in ("Åtaganden och tips", "Officiell statistik", "Översikt"):
        page.get_by_role("link", name=link, exact=True).click()
    page.locator("[data-keeps-choice=misshandel_nara_relation]:visible").last.click()
    assert page.url.endswith("/sv/misshandel_nara_relation.html#misshandel_nara_relation/kommun/0180/2023/kvinna")
    assert "Stockholm (kommun) 2023, Kvinnor" in page.locator("#h-says").inner_text()
    reader.open(publication / "report" / "index.html", "#valdtakt/lan/14/2023")
    page.wait_for_url("**/sv/valdtakt.html#valdtakt/lan/14/2023")
    assert reader.complaints == []


YES_OR_NO = "case when {} then 'ja' else 'nej' end"
CHECKED = "count(*) filter (result = '{}')"
OFFICIAL = "official_processed is not null and kind = 'decided'"
NOT_COMPARED = "official_processed is not null and status = 'not comparable'"
NAMES = "case count(*) when 11 then 'Alla elva' else string_agg(one.name_sv, ', ' order by one.indicator_number) end"
MONTHS = "['januari', 'februari', 'mars', 'april', 'maj', 'juni', 'juli', 'augusti', 'september', 'oktober', 'november', 'december']"
DAY = (
    f"day(official_corrected_on) || ' ' || {MONTHS}[month(official_corrected_on)] || ' ' || year(official_corrected_on)"
)
STATUSES = {
    "equal": "stämmer",
    "within 5": "skiljer högst 5",
    "differs": "skiljer mer än 5",
    "not comparable": "jämförs inte",
}
LEVELS = "map {'riket': 'Hela landet', 'lan': 'Län', 'kommun': 'Kommuner'}"
DECIDED = "(select * from @dim_indicator where variant = 'beslutad')"
# Page and heading → the rows of its first table.
TABLES = {
    ("quality", "h-deliveries"): f"""
        select year, police_delivery_id, prosecution_delivery_id, {YES_OR_NO.format("is_synthetic")} from @dim_year order by year""",
    ("quality", "h-linkage"): """
        select year, max(linkage_pct) from @fct_case_flow_year where geography_level = 'riket' group by year order by year""",
    ("quality", "h-checks"): f"""
        select title, {", ".join(CHECKED.format(result) for result in ("passed", "failed", "waived", "not judged"))}
        from (values (1, 'raw', 'Leveranser'), (2, 'intermediate', 'Räknade brott'), (3, 'marts', 'Färdiga tabeller'),
            (4, 'published', 'Publicerade filer')) as titled (number, layer, title)
        left join @quality_check as checked using (layer) group by number, title order by number""",
    ("quality", "h-suppression"): f"""
        select {LEVELS}[geography_level], count(*), count(suppression), 100.0 * count(suppression) / count(*)
        from @fct_indicator_year where geography_level in ('lan', 'kommun') group by geography_level order by geography_level desc""",
    ("quality", "h-breaks"): f"""
        select day(in_force) || ' ' || {MONTHS}[month(in_force)] || ' ' || year(in_force), cause_sv, provision, {NAMES},
            {YES_OR_NO.format("is_confirmed")}
        from @series_break as broken inner join {DECIDED} as one using (indicator_id)
        where broken.year in (select year from @dim_year) group by in_force, cause_sv, provision, is_confirmed
        order by in_force, provision""",
    ("quality", "h-revisions"): f"""
        select publication_id, day(published_at) || ' ' || {MONTHS}[month(published_at)] || ' ' || year(published_at),
            replace(years, ',', ', '), checks_passed, checks_warned, checks_not_judged
        from @publication as published order by publication_id""",
    ("official", "h-by-year"): f"""
        select held.year, place.name_sv, {
        ", ".join(
            f"count(*) filter (status = '{status}')" for status in ("equal", "within 5", "differs", "not comparable")
        )
    },
            (select coalesce(case count(*) when 11 then 'Alla elva' else string_agg(name_sv, ', ' order by indicator_number) end, '–')
            from {
        DECIDED
    } as one where list_contains(list(distinct held.indicator_id) filter (status = 'differs'), one.indicator_id))
        from @fct_reconciliation_year as held inner join @dim_indicator as indicator using (indicator_id, variant)
        inner join @dim_geography as place using (geography_level, geography_code) where {OFFICIAL}
        group by held.year, place.geography_level, geography_code, place.name_sv
        order by held.year desc, place.geography_level desc, geography_code""",
    ("official", "h-not-compared"): f"""
        select held.year, max(place.name_sv), indicator.name_sv,
            string_agg(victims.name_sv, ', ' order by victims.sort_order), official_note_sv
        from @fct_reconciliation_year as held inner join @dim_indicator as indicator using (indicator_id, variant)
        inner join @dim_geography as place using (geography_level, geography_code)
        inner join @dim_victim_group as victims using (victim_group) where {OFFICIAL} and status = 'not comparable'
        group by held.year, geography_code, indicator.name_sv, official_note_sv""",
    ("official", "h-measures"): f"""
        select indicator.name_sv, held.year::varchar, place.name_sv, processed, official_processed, cleared, official_cleared,
            map {STATUSES}[status]
        from @fct_reconciliation_year as held inner join @dim_indicator as indicator using (indicator_id, variant)
        inner join @dim_geography as place using (geography_level, geography_code)
        where official_processed is not null and variant = 'egen' and victim_group = 'total'
        order by indicator_number""",
    ("official", "h-files"): f"""
        select distinct held.year, place.name_sv,
            if(official_file = 'embedded', 'följer med Uppklarat: Brås tabell per den ' || {DAY}, official_file) as file,
            if(official_file = 'embedded', '–', official_sha256[:12]), if(official_file = 'embedded', '–', {DAY})
        from @fct_reconciliation_year as held inner join @dim_geography as place using (geography_level, geography_code)
        where official_processed is not null order by held.year desc, file""",
}


@pytest.mark.parametrize(("name", "heading"), TABLES)
def test_the_pages_about_quality_are_those_of_the_marts(
    publication: Path, reader: Reader, plain_reader: Reader, name: str, heading: str
) -> None:
    expected = [
        [str(value) if number == 0 or isinstance(value, str) else formatted(value, int(isinstance(value, float)))
         for number, value in enumerate(row)]
        for row in rows(publication, TABLES[name, heading])
    ]  # fmt: skip
    for one in (reader, plain_reader):
        page = one.open(publication / "report" / "sv" / f"{name}.html")
        if not expected:
            assert page.locator(f"section:has(#{heading}) table").count() == 0
            continue
        cells = page.locator(f"section:has(#{heading}) table").first.locator("tbody tr")
        shown = cells.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
        assert sorted(shown) == sorted(expected)
        assert [row[0] for row in shown] == [row[0] for row in expected]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_why_a_figure_is_not_compared_is_said_in_the_language_of_the_page(
    publication: Path, plain_reader: Reader, language: str
) -> None:
    note = {"sv": "official_note_sv", "en": "official_note"}[language]
    page = plain_reader.open(publication / "report" / language / "official.html")
    for variant, shown in (("beslutad", "#h-not-compared) td:last-child"), ("egen", "#h-measures) dd")):
        expected = rows(
            publication,
            f"select distinct {note} from @fct_reconciliation_year where {NOT_COMPARED} and variant = ? order by all",
            variant,
        )
        texts = page.locator(f"section:has({shown}").all_text_contents()
        assert sorted(set(texts)) == [one for (one,) in expected] != []


def test_each_figure_stands_beside_the_official_one(publication: Path, reader: Reader, plain_reader: Reader) -> None:
    for one in (reader, plain_reader):
        page = one.open(publication / "report" / "sv" / "official.html")
        count, equal = 0, 0
        for part in page.locator("section:has(#h-figures) details").all():
            place, year = part.locator("summary").inner_text().rsplit(" ", 1)
            expected = [
                [name, *(formatted(number, 0) for number in counts), *(formatted(share, 1) for share in shares), STATUSES[status]]
                for name, *counts, status, ours, brås in rows(
                    publication,
                    "select concat(indicator.name_sv, if(variant <> 'beslutad', ': ' || variant_name_sv, ''), "
                    "if(victim_group <> 'total', ', ' || victims.name_sv, '')), "
                    "processed, official_processed, cleared, official_cleared, status, clearance_pct, "
                    "official_clearance_pct from @fct_reconciliation_year as held "
                    "inner join @dim_indicator as indicator using (indicator_id, variant) "
                    "inner join @dim_geography as place using (geography_level, geography_code) "
                    "inner join @dim_victim_group as victims using (victim_group) "
                    f"where {OFFICIAL} and (variant = 'beslutad' and victim_group = 'total' or status = 'differs') "
                    "and (place.name_sv, held.year) = (?, ?) "
                    "order by indicator_number, indicator.sort_order, victim_group <> 'total', victim_group",
                    place, int(year),
                )
                for shares in [(ours, brås)]
            ]  # fmt: skip
            shown = part.locator("tbody tr").evaluate_all(
                "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
            )
            assert shown == expected
            count += len(shown)
        assert count
        ((compared, equal),) = rows(
            publication,
            "select count(*), count(*) filter (status = 'equal') from @fct_reconciliation_year as held "
            f"inner join @dim_indicator as indicator using (indicator_id, variant) where {OFFICIAL} and status <> 'not comparable'",
        )
        finding = words(page.locator("p.lead"))
        assert {formatted(compared, 0), formatted(equal, 0)} <= set(finding.split())
        page = one.open(publication / "report" / "sv" / "quality.html")
        assert words(page.locator("p:has(> a[href='official.html'])")).startswith(finding)
