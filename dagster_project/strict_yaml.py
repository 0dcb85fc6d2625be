"""YAML that people write: a key given twice is an error instead of the last one winning.

It is read by libyaml, ten times as fast as by Python: every load reads all suites.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml


class _OnceEach(yaml.constructor.BaseConstructor):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


class StrictLoader(_OnceEach, yaml.CSafeLoader):
    """The safe loader: numbers, days and truths are what they look like."""


class TextLoader(_OnceEach, yaml.CBaseLoader):
    """Every scalar is the text that was typed: as YAML's numbers, the code 0412 would be 266."""


def read_yaml(path: Path, loader: type[StrictLoader | TextLoader], refused: type[Exception]) -> Any:
    """Read a file that people write; raises `refused`, which names the file, where it is not YAML in UTF-8."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (both make only plain values)
    except (yaml.YAMLError, UnicodeDecodeError):
        raise refused(f"{path}: it is no readable YAML") from None
