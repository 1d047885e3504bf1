"""A workload as the text of its file, with comments on how fields were derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml


def workload_text(fields: Mapping[str, Any], comments: Mapping[str, str], *, heading: Iterable[str] = ()) -> str:
    """A line a field, in their order, with its comment; groups of fields are indented.

    Parameters
    ----------
    comments : by field
    heading : lines of comment before the fields
    """
    lines = [f"# {one_line(line)}" for line in heading]
    for name, value in fields.items():
        if isinstance(value, Mapping):
            lines += [f"{name}:", *(f"  {key}: {_scalar(inner)}" for key, inner in value.items())]
            continue
        line = f"{name}: {_scalar(value)}"
        lines.append(f"{line}  # {comments[name]}" if name in comments else line)
    return "\n".join(lines) + "\n"


def one_line(text: str) -> str:
    """A text from a stranger's file without what would end a line or cannot be printed."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _scalar(value: Any) -> str:
    """A value or a list of them in one line."""
    text: str = yaml.safe_dump(_whole(value), default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _whole(value: Any) -> Any:
    """Whole numbers without a point."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
