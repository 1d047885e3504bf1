"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hwsim.errors import OutputError


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole.

    Raises
    ------
    OutputError : the folder is missing or cannot be written, or the path is a folder
    """
    with whole_file(path) as file:
        file.write(text.encode())


def write_pieces(path: Path, pieces: Iterator[str]) -> None:
    """Write a text file of any length as a whole, piece by piece.

    Raises
    ------
    OutputError : the folder is missing or cannot be written, or the path is a folder
    """
    with whole_file(path) as file:
        file.writelines(piece.encode() for piece in pieces)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write beside the target, renamed at the end, so that no reader ever sees half a file.

    Raises
    ------
    OutputError : the folder is missing or cannot be written, or the path is a folder
    """
    check_writable(path)
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(beside, 0o666 & ~umask)  # mkstemp makes files private
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as cause:
        raise OutputError(f"{path}: cannot be written: {cause.strerror or cause}") from None


def check_writable(path: Path) -> None:
    """Find out before long work whether its result can be written.

    Raises
    ------
    OutputError : the folder is missing or cannot be written, or the path is a folder
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path}: is a folder, expected a file to write")
        if not path.parent.is_dir():
            raise OutputError(f"{path}: there is no folder {path.parent}")
    except OSError as cause:
        raise OutputError(f"{path}: cannot be written: {cause.strerror or cause}") from None
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: folder {path.parent} cannot be written")
