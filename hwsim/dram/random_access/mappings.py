"""Address mappings by name, from the command line or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hwsim.data_file import read_data
from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.address import AddressMapping
from hwsim.errors import DramError, nearest


def mapping_names() -> tuple[str, ...]:
    return tuple(_document()["mappings"])


def load_mapping(name: str | None, standard: Standard, channels: int) -> AddressMapping:
    """A mapping for a number of channels of a standard.

    Parameters
    ----------
    name : a shipped mapping, `NAME:N` for one with another number in its place N, the parts themselves from the most to
        the least significant (`row,bank,column,bankgroup,channel`), or a YAML file with the list of them; None stands
        for the default

    Raises
    ------
    DramError : no such mapping (the message names the nearest), or one that does not fit the standard
    """
    chosen = name or _document()["default"]
    return AddressMapping(name=chosen, order=_order(chosen), standard=standard, channels=channels)


def _order(name: str) -> tuple[str, ...]:
    if "," in name:
        return tuple(word.strip() for word in name.split(","))
    if name.endswith((".yaml", ".yml")):
        return _read(Path(name))
    return _shipped(name)


def _shipped(name: str) -> tuple[str, ...]:
    """The words of a shipped mapping, with its number in the place of N."""
    shipped = _document()["mappings"]
    base, colon, number = name.partition(":")
    if base not in shipped:
        raise DramError(f"no address mapping {name!r}{nearest(base, shipped)}")
    entry = shipped[base]
    if not colon:
        number = str(entry.get("N", ""))
    elif "N" not in entry:
        raise DramError(f"address mapping {base} takes no number, found {name!r}")
    elif not (number.isascii() and number.isdecimal()):
        raise DramError(f"address mapping {base}: expected a whole number after the colon, got {number!r}")
    return tuple(word.replace("N", number) for word in entry["order"])


def _read(path: Path) -> tuple[str, ...]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as cause:
        raise DramError(f"{path}: cannot be read: {getattr(cause, 'strerror', None) or cause}") from None
    except yaml.YAMLError as cause:
        raise DramError(f"{path}: is no YAML: {' '.join(str(cause).split())}") from None
    if not isinstance(document, list) or not all(isinstance(word, str) for word in document):
        raise DramError(f"{path}: expected a list of parts such as [row, bank, column, channel], got {document!r:.60}")
    return tuple(document)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = read_data("hwsim.dram.random_access", "mappings.yaml")
    return document
