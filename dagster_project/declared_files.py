"""Files that people and suppliers write: strict YAML, and pydantic models whose messages never repeat a value.

Unknown and duplicate names are errors. YAML is parsed by libyaml, which is ten times as fast as the Python parser.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

_REMEDIES = {"missing": " (add it)", "extra_forbidden": " (remove it, or correct its spelling)"}
_MOST_DESCRIBED = 5


class _OnceEach(yaml.constructor.BaseConstructor):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen or not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, "a key is given twice or no text", node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


class StrictLoader(_OnceEach, yaml.CSafeLoader):
    """The safe loader, which parses numbers, dates and booleans."""


class TextLoader(_OnceEach, yaml.CBaseLoader):
    """A loader that keeps every scalar as text, because YAML would parse the code 0412 as 266."""


class DeclaredModel(BaseModel):
    """A file written by people or suppliers, or a part of such a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def read_yaml(path: Path, loader: type[StrictLoader | TextLoader], refused: type[Exception]) -> Any:
    """Read a file written by people; raise `refused`, naming the file, if it is not YAML in UTF-8."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (both make only plain values)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = f", line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise refused(f"{path}{line}: it is no readable YAML, or a name is given twice") from None


def describe_errors(error: ValidationError) -> str:
    """Describe the error in each field, without values, since they may identify a case or a person."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    described = [
        ": ".join(filter(None, [_place(one["loc"]), one["msg"].removeprefix("Value error, ")]))
        + _REMEDIES.get(one["type"], "")
        for one in found[:_MOST_DESCRIBED]
    ]
    more = len(found) - len(described)
    return "; ".join([*described, f"and {more} more"] if more else described)


def _place(location: tuple[int | str, ...]) -> str:
    parts = (f"entry {part + 1}" if isinstance(part, int) else part for part in location)
    # Names are typed by people too: an unknown one may contain a case number or a personal identity number.
    return ", ".join(part if re.fullmatch("entry [0-9]+|[A-Za-z_]+[0-9]{0,3}", part) else "a name" for part in parts)
