"""Reads one legal provision of the penal code (brottsbalken) out of free text, however it is written."""

import re
from typing import NamedTuple


class Provision(NamedTuple):
    """A section of the penal code; `BrB 6 kap. 10 a §` is chapter 6, section 10, letter a."""

    chapter: int
    section: int
    letter: str


GAP = r"[\s.]*"  # spaces and dots mean nothing
LAW = r"(?:brb|brottsbalken)"
SECTION = rf"(?P<section>[0-9]+){GAP}(?P<letter>[a-z])?"
# A paragraph or a point of the section is still the same provision: `1 st`, `första stycket 2 p`, `punkt 3`
NUMBER = r"(?:[0-9]+|första|andra|tredje|fjärde)"
PART = rf"[\s.]+(?:{NUMBER}{GAP}(?:stycket|stycke|st|punkten|punkt|p)|(?:stycke|st|punkt|p){GAP}[0-9]+)"
PARTS = rf"(?:{PART})*"

STYLES = [
    # BrB 6 kap. 10 a §
    rf"{LAW}{GAP}(?P<chapter>[0-9]+){GAP}kap{GAP}{SECTION}{GAP}§{PARTS}",
    # BrB 6:10 a
    rf"{LAW}{GAP}(?P<chapter>[0-9]+){GAP}:{GAP}{SECTION}{PARTS}",
    # 6 kap. 10 a § BrB
    rf"(?P<chapter>[0-9]+){GAP}kap{GAP}{SECTION}{GAP}§{PARTS}{GAP}{LAW}{PARTS}",
]


def parse_provision(text: str) -> Provision | None:
    """The one provision that the text names, or None when it names none, several or another law's."""
    for style in STYLES:
        match = re.fullmatch(GAP + style + GAP, text.lower())
        if match:
            return Provision(int(match["chapter"]), int(match["section"]), match["letter"] or "")
    return None
