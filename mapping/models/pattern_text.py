"""Patterns that a field holds as text, whose mistakes are mistakes of the field."""

from __future__ import annotations

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns import parse_pattern


def check_text(text: str) -> None:
    """Check that a text is a pattern.

    Raises
    ------
    ValueError : the text names no pattern
    """
    try:
        parse_pattern(text)
    except PatternError as cause:
        raise ValueError(str(cause)) from None


def check_fit(text: str, *, heads: int, queries: int, keys: int, cross: bool = False) -> None:
    """Check that a pattern fits the tokens, in each head.

    Parameters
    ----------
    cross : whether the keys are those of another sequence than the queries

    Raises
    ------
    ValueError : it does not
    """
    pattern = parse_pattern(text)
    try:
        for head in range(min(heads, pattern.heads_period)):
            one = pattern.of_head(head)
            (one.check_cross if cross else one.check)(queries, keys)
    except PatternError as cause:
        raise ValueError(str(cause)) from None
