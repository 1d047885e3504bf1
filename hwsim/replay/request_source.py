"""Where the requests of `hwsim dram` come from: a pattern that is generated, or a file."""

from __future__ import annotations

from pathlib import Path

from hwsim.dram.random_access.patterns import FORMS, parse_pattern
from hwsim.errors import DramError


def is_generated(pattern: str, *, channels: int, read_share: float | None, seed: int | None, wrap: bool) -> bool:
    """Whether a pattern is generated, and not a file.

    Raises
    ------
    DramError : channels or a seed out of range, options that do not belong to such requests, no such file
    """
    if channels < 1:
        raise DramError(f"--channels: expected at least 1, got {channels}")
    if seed is not None and seed < 0:
        raise DramError(f"--seed: expected at least 0, got {seed}")
    if parse_pattern(pattern) is not None:
        if wrap:
            raise DramError(f"--wrap belongs to a file of requests; pattern {pattern} stays within the capacity")
        return True
    if (read_share, seed) != (None, None):
        raise DramError("--read-share and --seed belong to generated patterns; a file says what is read and written")
    if not Path(pattern).is_file():
        raise DramError(f"no request pattern or file {pattern!r}; patterns are {FORMS}")
    return False
