"""What is a Swedish personal identity number, and what only looks like one."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingestion.personal_number import CANDIDATE, holds_personal_number


def with_check_digit(nine: str) -> str:
    """Nine digits (and a sign) with the tenth, by the Luhn formula."""
    digits = [int(character) for character in nine if character.isdigit()]
    weighted = [digit * weight for digit, weight in zip(digits, [2, 1, 2, 1, 2, 1, 2, 1, 2], strict=True)]
    return nine + str(-sum(sum(divmod(number, 10)) for number in weighted) % 10)


PERSONNUMMER = {
    "six digits and a dash": "640823-3234",
    "six digits and a plus: over a hundred years old": "640823+3234",
    "eight digits and a dash": "19640823-3234",
    "eight digits and a plus": "19640823+3234",
    "twelve bare digits": "196408233234",
    "samordningsnummer": "701063-2391",
    "samordningsnummer, eight digits": "19701063-2391",
    "samordningsnummer, bare": "197010632391",
    "samordningsnummer of the first of a month": with_check_digit("640861-323"),
    "samordningsnummer of the last of a month": with_check_digit("640891-323"),
    "samordningsnummer of a leap day": with_check_digit("640289-323"),
    "leap day": with_check_digit("640229-323"),
    "leap day of 2000": with_check_digit("000229-323"),
    "leap day of 2000, in full": "20" + with_check_digit("000229-323"),
    "first of January 2000": with_check_digit("000101-000"),
    "last of December 1999": with_check_digit("991231-999"),
    "born in this century": "20" + with_check_digit("110405-123"),
    "born in the one before last": "18" + with_check_digit("890405-123"),
    "an en dash": "640823\u20133234",
    "a minus sign": "640823\u22123234",
    "a non-breaking hyphen": "19640823\u20113234",
    "a hyphen of Unicode": "640823\u20103234",
    "a blank": "640823 3234",
    "eight digits and a blank": "19640823 3234",
    "a no-break space": "640823\u00a03234",
    "T-number": "640823-T123",
    "T-number, eight digits": "19640823-T123",
    "T-number, bare": "19640823T123",
    "T-number, another letter": "640823-x120",
    "T-number of a samordningsnummer": "640883-T123",
    "check digit nought": with_check_digit("640823-323")[:-2] + with_check_digit("640823-320")[-2:],
}
AROUND = {
    "in a sentence": "se {}.",
    "between brackets": "({})",
    "between quotes": '"{}"',
    "between single quotes": "'{}'",
    "behind a colon": "pnr:{}",
    "before a semicolon": "{};",
    "between commas": ",{},",
    "between underscores": "_{}_",
    "between dashes": "-{}-",
    "between en dashes": "–{}–",
    "between pluses": "+{}+",
    "between section signs": "§{}§",
    "between slashes": "/{}/",
    "between no-break spaces": "\u00a0{}\u00a0",
    "on a line of its own": "a\n{}\nb",
    "behind a tab": "a\t{}\tb",
    "in a field of JSON": '{{"id":"{}"}}',
    "in a file name": "{}.pdf",
    "in an address": "https://example.org/{}?x=1",
    "behind a number": "12 {} 34",
    "behind a date": "2024-01-31 {} 2024-02-01",
    "behind an emoji": "😀{}😀",
    "behind ten bare digits": "6408233234 {}",
    "behind one with a wrong check digit": "640823-3235 {}",
    "behind one with an impossible date": "641323-3230,{}",
    "before one with a wrong check digit": "{} 640823-3235",
    "twice": "{0} {0}",
    "behind a serial number": "2200-K1276-14 AM-1234567-24 {}",
}


@pytest.mark.parametrize("what", PERSONNUMMER)
def test_personal_numbers(what: str) -> None:
    assert holds_personal_number(PERSONNUMMER[what])


@pytest.mark.parametrize("what", AROUND)
def test_personal_numbers_standing_alone_in_a_text(what: str) -> None:
    for number in PERSONNUMMER.values():
        assert holds_personal_number(AROUND[what].format(number)), number


NO_PERSONNUMMER = {
    "nothing": "",
    "no number": "BrB 6 kap. 10 a §",
    "ten bare digits": "6408233234",
    "ten bare digits of a samordningsnummer": "7010632391",
    "wrong check digit": "640823-3235",
    "wrong check digit, bare": "196408233235",
    "wrong check digit, eight digits": "19640823-3235",
    "two digits swapped": "640832-3234",
    "month 13": with_check_digit("641323-323"),
    "month 0": with_check_digit("640023-323"),
    "day 0": with_check_digit("640800-323"),
    "day 32": with_check_digit("640832-323"),
    "day 60": with_check_digit("640860-323"),
    "day 92": with_check_digit("640892-323"),
    "day 31 of a short month": with_check_digit("640631-323"),
    "day 31 of a short month + 60": with_check_digit("640691-323"),
    "leap day of no leap year": with_check_digit("650229-323"),
    "leap day of 1900": "19" + with_check_digit("000229-323"),
    "leap day of 1900, bare": "19" + with_check_digit("000229323"),
    "leap day + 60 of no leap year": with_check_digit("650289-323"),
    "only noughts": "000000-0000",
    "only noughts, bare": "000000000000",
    "a letter before": "m640823-3234",
    "a letter behind": "640823-3234m",
    "a Swedish letter before": "å640823-3234",
    "a Swedish letter behind": "640823-3234Ö",
    "a Cyrillic letter before": "ж640823-3234",
    "a Chinese letter behind": "640823-3234号",
    "a letter before twelve digits": "m196408233234",
    "a letter behind twelve digits": "196408233234m",
    "a digit before": "7640823-3234",
    "a digit behind": "640823-32347",
    "an Arabic digit before": "٣640823-3234",
    "an Arabic digit behind": "640823-3234٣",
    "three digits before": "123640823-3234",
    "a digit before twelve": "7196408233234",
    "a digit behind twelve": "1964082332347",
    "an em dash": "640823—3234",
    "an underscore": "640823_3234",
    "two blanks": "640823  3234",
    "a tab": "640823\t3234",
    "blanks around the dash": "640823 - 3234",
    "two dashes": "640823--3234",
    "a full stop": "640823.3234",
    "the dash elsewhere": "6408-233234",
    "a date with dashes": "1964-08-23-3234",
    "three last digits": "640823-323",
    "a line break in between": "640823-\n3234",
    "police case number": "2200-K1276-14",
    "prosecutor's case number": "AM-1234567-24",
    "telephone number": "08-123 456 78",
    "a letter later in the serial": "640823-3T34",
    "a letter and four digits": "640823-T1234",
    "two letters": "640823-TT23",
    "a letter in front of no date": "641323-T123",
    "six bare digits and a letter": "640823T123",
    "a random identifier": "19640823-3234-4abc-8def-196408233234",
    "a random identifier in capitals": "19640823-A123-4ABC-8DEF-0123456789AB",
    "organisation number": "212000-0142",  # its third and fourth digit are no month
}


@pytest.mark.parametrize("what", NO_PERSONNUMMER)
def test_what_is_no_personal_number(what: str) -> None:
    assert not holds_personal_number(NO_PERSONNUMMER[what])


@st.composite
def real_numbers(draw: st.DrawFn) -> tuple[date, str]:
    """A date of birth and the ten digits that belong to it, a samordningsnummer at times."""
    born = draw(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
    day = born.day + draw(st.sampled_from([0, 60]))
    serial = draw(st.integers(0, 999))
    return born, with_check_digit(f"{born:%y%m}{day:02d}{serial:03d}")


def every_form(born: date, ten: str) -> list[str]:
    century = f"{born:%Y}"[:2]
    with_letter = f"T{ten[7:]}"
    short = [
        f"{ten[:6]}{sign}{serial}" for sign in "-+\u2010\u2011\u2013\u2212 \u00a0" for serial in (ten[6:], with_letter)
    ]
    return [*short, *(century + form for form in short), century + ten, century + ten[:6] + with_letter]


NO_LETTER_NOR_DIGIT = st.characters(exclude_categories=("L", "N", "Cs")) | st.just("")


@given(real_numbers(), NO_LETTER_NOR_DIGIT, NO_LETTER_NOR_DIGIT)
@settings(max_examples=300, deadline=None)
def test_every_number_is_recognised_in_every_form(number: tuple[date, str], before: str, behind: str) -> None:
    for form in every_form(*number):
        assert holds_personal_number(before + form + behind)
    assert not holds_personal_number(number[1])


@given(real_numbers(), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_no_number_has_another_check_digit(number: tuple[date, str], shift: int) -> None:
    born, ten = number
    wrong = ten[:9] + str((int(ten[9]) + shift) % 10)
    assert not any(holds_personal_number(form) for form in every_form(born, wrong) if "T" not in form)


@given(real_numbers(), st.characters(categories=("L", "Nd")), st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_number_has_a_letter_or_digit_beside_it(number: tuple[date, str], beside: str, before: bool) -> None:
    # (two ASCII digits before it could be its century)
    for form in every_form(*number):
        assert not holds_personal_number(beside + form if before else form + beside)


@given(
    st.lists(
        st.sampled_from([*PERSONNUMMER.values(), *NO_PERSONNUMMER.values(), *"0aT-+ \u2013\u00a0\n_å"]), max_size=6
    )
)
@settings(max_examples=500, deadline=None)
def test_sql_picks_out_every_number_for_the_exact_look(parts: list[str]) -> None:
    text = "".join(parts)
    if holds_personal_number(text):
        assert duckdb.execute("select regexp_matches(?, ?)", [text, CANDIDATE]).fetchone() == (True,)


@pytest.mark.parametrize("around", AROUND.values())
def test_sql_picks_out_numbers_whatever_stands_around_them(around: str) -> None:
    for number in PERSONNUMMER.values():
        assert duckdb.execute("select regexp_matches(?, ?)", [around.format(number), CANDIDATE]).fetchone() == (True,)
