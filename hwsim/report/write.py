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

    A link stays, and what it leads to is replaced; into what is no regular file (`/dev/null`, a pipe) is written as it
    comes.

    Raises
    ------
    OutputError : the folder is missing or cannot be written, or the path is a folder
    """
    check_writable(path)
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
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
        folder = path.resolve().parent
        if not folder.is_dir():
            raise OutputError(f"{path}: there is no folder {folder if path.is_symlink() else path.parent}")
        if path.exists() and not path.is_file():
            if not os.access(path, os.W_OK):
                raise OutputError(f"{path}: cannot be written")
            return
        with tempfile.TemporaryFile(dir=folder):  # what access rights allow, a file system may still refuse
            pass
    except PermissionError:
        raise OutputError(f"{path}: folder {path.parent} cannot be written") from None
    except OSError as cause:
        raise OutputError(f"{path}: cannot be written: {cause.strerror or cause}") from None
