"""Folders that are whole or not there."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hwsim.errors import OutputError


def check_folder(path: Path, manifest: str) -> None:
    """Find out before long work whether a folder can be written: it is not there, empty, or wholly an earlier result.

    Parameters
    ----------
    manifest : name of the JSON file in an earlier result that lists its `files`

    Raises
    ------
    OutputError : it is a file, holds anything else, or its parent is missing or cannot be written
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: folder {path.parent} cannot be written")
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"{path}: is a file, expected a folder to write")
    found = {str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir()}
    foreign = sorted(found - _listed(path / manifest))
    if foreign:
        raise OutputError(f"{path}: holds {foreign[0]}, which is none of ours; choose an empty or new folder")


def write_folder(path: Path, files: Mapping[str, str], manifest: str) -> None:
    """Write a folder as a whole: beside the target, renamed at the end; an earlier result gives way.

    Raises
    ------
    OutputError : as `check_folder`
    """
    check_folder(path, manifest)
    path = path.resolve()
    try:
        beside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as cause:
        raise OutputError(f"{path}: cannot be written: {cause.strerror or cause}") from None
    try:
        new, old = beside / "new", beside / "old"
        for name, text in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8")
        if path.exists():
            os.replace(path, old)
        os.replace(new, path)
    except OSError as cause:
        raise OutputError(f"{path}: cannot be written: {cause.strerror or cause}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _listed(manifest: Path) -> set[str]:
    try:
        return set(json.loads(manifest.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()
