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
    lines = [f"# {line}" for line in heading]
    for name, value in fields.items():
        if isinstance(value, Mapping):
            lines += [f"{name}:", *(f"  {key}: {_scalar(inner)}" for key, inner in value.items())]
            continue
        line = f"{name}: {_scalar(value)}"
        lines.append(f"{line}  # {comments[name]}" if name in comments else line)
    return "\n".join(lines) + "\n"


def _scalar(value: Any) -> str:
    """A value or a list of them in one line."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
