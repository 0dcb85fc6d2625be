"""Recognises Swedish personal identity numbers, which no delivery may hold."""

from __future__ import annotations

import re
from datetime import date

# Every text that holds a number also matches this; SQL uses it to pick out the few values worth the exact look below.
CANDIDATE = "[0-9]{6}[-+]?[0-9]{4}"
_WRITTEN = re.compile(
    r"(?<![^\W_])(?:(?P<century>[0-9]{2})?(?P<short>[0-9]{6})[-+](?P<serial>[0-9]{4})|(?P<bare>[0-9]{12}))(?![^\W_])"
)


def holds_personal_number(text: str) -> bool:
    """Tell whether the text holds a personnummer or samordningsnummer, standing alone.

    Written `YYMMDD-NNNN` (`-` or `+`), `YYYYMMDD-NNNN` or `YYYYMMDDNNNN`, with a real date (day + 60 in a
    samordningsnummer) and a valid check digit; ten bare digits are taken for a serial number (input contract).
    """
    for found in _WRITTEN.finditer(text):
        if found["bare"]:
            century, short, serial = found["bare"][:2], found["bare"][2:8], found["bare"][8:]
        else:
            century, short, serial = found["century"], found["short"], found["serial"]
        centuries = (century,) if century else ("19", "20")
        if _has_valid_check_digit(short + serial) and any(_is_real_date(each + short) for each in centuries):
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
