"""Parses a provision of the penal code (brottsbalken) from free text."""

import re
from typing import NamedTuple


class Provision(NamedTuple):
    """A section of the penal code; `BrB 6 kap. 10 a §` is chapter 6, section 10, letter a."""

    chapter: int
    section: int
    letter: str


GAP = r"[\s.]*"  # spaces and dots mean nothing
LAW = rf"(?:brb|brottsbalken)(?:{GAP}\(1962:700\))?"
SECTION = rf"(?P<section>[0-9]+){GAP}(?P<letter>[a-z])?"
# A paragraph or a point of the section is still the same provision: `1 st`, `första stycket 2 p`, `punkt 3`
NUMBER = r"(?:[0-9]+|första|andra|tredje|fjärde)"
PART = rf"[\s.,]+(?:{NUMBER}{GAP}(?:stycket|stycke|st|punkten|punkt|p)|(?:stycke|st|punkt|p){GAP}[0-9]+)"
PARTS = rf"(?:{PART})*"
# Attempt, preparation and conspiracy, complicity
CRIME_IN_PART = rf"23{GAP}(?:kap|:){GAP}[124](?:(?:,\s*|\s+och\s+)[124])*{GAP}§*{PARTS}"
AND = r"(?:,?\s+(?:och|samt|jämte)\s+|[,;]\s*)"

STYLES = [
    # BrB 6 kap. 10 a §
    rf"{LAW}{GAP}(?P<chapter>[0-9]+){GAP}kap{GAP}{SECTION}{GAP}§{PARTS}",
    # BrB 6:10 a
    rf"{LAW}{GAP}(?P<chapter>[0-9]+){GAP}:{GAP}{SECTION}{PARTS}",
    # 6 kap. 10 a § BrB
    rf"(?P<chapter>[0-9]+){GAP}kap{GAP}{SECTION}{GAP}§{PARTS}{GAP}{LAW}{PARTS}",
]


def parse_provision(text: str) -> Provision | None:
    """Return the provision that the text names, or None if it names none, several or another law's."""
    whole = without_crime_in_part(text.lower().strip())
    for style in STYLES:
        match = re.fullmatch(GAP + style + GAP, whole)
        if match:
            return Provision(int(match["chapter"]), int(match["section"]), match["letter"] or "")
    return None


def without_crime_in_part(text: str) -> str:
    """Return the provision without sections of chapter 23 before or after it."""
    named = rf"(?:{GAP}{LAW})?"
    law_first = rf"(?:{LAW}{GAP})?"
    behind = re.fullmatch(rf"(?P<rest>.*?)(?:{AND}{law_first}{CRIME_IN_PART}{named})+{GAP}", text)
    before = re.fullmatch(rf"{law_first}{CRIME_IN_PART}{named}{AND}(?P<rest>.*)", text)
    match = behind or before
    if not match:
        return text
    rest = match["rest"]
    return rest if re.search(LAW, rest) else f"BrB {rest}".lower()
