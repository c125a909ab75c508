"""Plain values as YAML; by a library, so that no value can become structure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from maxfw.errors import MissingExtra

MADE_BY = "# Written by maxfw deploy.\n"


def to_yaml(*documents: Mapping[str, Any]) -> str:
    """One or several documents, their keys in the order given.

    Raises:
        MissingExtra: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtra("docker", needs="PyYAML") from None

    class Plain(yaml.SafeDumper):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True  # what two places share is written twice: people read these files

    text: str = yaml.dump_all(
        _documents(documents), Dumper=Plain, sort_keys=False, width=110, allow_unicode=True
    )
    return MADE_BY + text


def _documents(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(document) for document in documents]
