"""Detects Swedish personal identity numbers, which no delivery may contain."""

from __future__ import annotations

import re
from datetime import date

# All hyphens and minus signs that word processors insert, and spaces.
_SIGN = "-+\u2010\u2011\u2012\u2013\u2212 \u00a0\u202f"
# A T-number has a letter in place of the first digit of the serial.
_SERIAL = "[0-9A-Za-z][0-9]{3}"
# SQL, which has no lookaround, preselects values with this pattern; every text that contains a number matches it.
CANDIDATE = f"(?:^|[^0-9A-Za-z])(?:(?:[0-9]{{2}})?[0-9]{{6}}[{_SIGN}]|[0-9]{{8}}){_SERIAL}(?:$|[^0-9A-Za-z])"
_WRITTEN = re.compile(
    rf"(?<![^\W_])(?:(?P<century>[0-9]{{2}})?(?P<short>[0-9]{{6}})[{_SIGN}]|(?P<bare>[0-9]{{8}}))(?P<serial>{_SERIAL})(?![^\W_])"
)
# About fifty in a million random UUIDs contain a part that looks like a personal identity number.
_UUID = re.compile(r"(?<![^\W_])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![^\W_])", re.IGNORECASE)


def holds_personal_number(text: str) -> bool:
    """Whether the text contains a personnummer, samordningsnummer or T-number as a separate word.

    Forms: `YYMMDD-NNNN`, `YYYYMMDD-NNNN` (with `-`, `+`, another dash or one space) or `YYYYMMDDNNNN`, with a real date (day + 60
    in a samordningsnummer) and a valid check digit. Ten digits without a separator count as a serial number (input contract).
    The last digit of a T-number is not checked, since issuers compute it in different ways; a false positive does less harm than
    a missed number.
    """
    for found in _WRITTEN.finditer(_UUID.sub(";", text)):
        digits = found["bare"] or (found["century"] or "") + found["short"]
        dates = [digits] if len(digits) == 8 else [f"19{digits}", f"20{digits}"]
        serial = found["serial"]
        is_valid = serial[0].isalpha() or _has_valid_check_digit(digits[-6:] + serial)
        if is_valid and any(_is_real_date(day) for day in dates):
            return True
    return False


def _is_real_date(digits: str) -> bool:
    day = int(digits[6:8])
    try:
        date(int(digits[:4]), int(digits[4:6]), day - 60 if day > 60 else day)
    except ValueError:
        return False
    return True


def _has_valid_check_digit(ten_digits: str) -> bool:
    doubled = (int(digit) * (2 - position % 2) for position, digit in enumerate(ten_digits))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0
