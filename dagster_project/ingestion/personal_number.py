"""Recognises Swedish personal identity numbers, which no delivery may hold."""

from __future__ import annotations

import re
from datetime import date

# Hyphens and minus signs of every kind that word processors put there, and blanks.
_SIGN = "-+\u2010\u2011\u2012\u2013\u2212 \u00a0\u202f"
# A T-number has a letter in place of the first digit of the serial.
_SERIAL = "[0-9A-Za-z][0-9]{3}"
# Every text that holds a number also matches this; SQL, which cannot look around, picks out by it the few values worth the exact
# look below.
CANDIDATE = f"(?:^|[^0-9A-Za-z])(?:(?:[0-9]{{2}})?[0-9]{{6}}[{_SIGN}]|[0-9]{{8}}){_SERIAL}(?:$|[^0-9A-Za-z])"
_WRITTEN = re.compile(
    rf"(?<![^\W_])(?:(?P<century>[0-9]{{2}})?(?P<short>[0-9]{{6}})[{_SIGN}]|(?P<bare>[0-9]{{8}}))(?P<serial>{_SERIAL})(?![^\W_])"
)
# What stands between the dashes of a random identifier is chance: in a million of them, some fifty parts look like a number.
_UUID = re.compile(r"(?<![^\W_])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![^\W_])", re.IGNORECASE)


def holds_personal_number(text: str) -> bool:
    """Tell whether the text holds a personnummer, samordningsnummer or T-number, standing alone.

    Written `YYMMDD-NNNN`, `YYYYMMDD-NNNN` (with `-`, `+`, another dash or a single blank) or `YYYYMMDDNNNN`, with a real date
    (day + 60 in a samordningsnummer) and a valid check digit; ten bare digits are taken for a serial number (input contract).
    The last digit of a T-number is not checked: those who issue them compute it differently or number on, and a number let
    through is worse than a pseudonym refused.
    """
    for found in _WRITTEN.finditer(_UUID.sub(";", text)):
        digits = found["bare"] or (found["century"] or "") + found["short"]
        dates = [digits] if len(digits) == 8 else [f"19{digits}", f"20{digits}"]
        serial = found["serial"]
        is_genuine = serial[0].isalpha() or _has_valid_check_digit(digits[-6:] + serial)
        if is_genuine and any(_is_real_date(each) for each in dates):
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
