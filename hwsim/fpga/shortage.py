"""What an FPGA lacks for a design: the counts, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping


def lacking(used: Mapping[str, float], available: Mapping[str, float]) -> dict[str, float]:
    """For each resource that does not suffice, how many more are taken than there are."""
    over = {kind: count - available[kind] for kind, count in used.items()}
    return {kind: count for kind, count in over.items() if count > 0}


def shortage_text(used: Mapping[str, float], available: Mapping[str, float]) -> str:
    """What is lacking, in words: `143 DSP (1,871 of 1,728), 42 BRAM36 (354 of 312)`."""
    return ", ".join(
        f"{cells_text(more)} {kind.upper()} ({cells_text(used[kind])} of {cells_text(available[kind])})"
        for kind, more in lacking(used, available).items()
    )


def misfit_text(machine: str, board: str, used: Mapping[str, float], available: Mapping[str, float]) -> str:
    """The line of a warning or an error about a machine that does not fit."""
    return f"{machine}: does not fit {board}: lacks {shortage_text(used, available)}"


def cells_text(count: float) -> str:
    """A count of cells; block RAMs come in halves."""
    return f"{count:,.1f}".removesuffix(".0")
