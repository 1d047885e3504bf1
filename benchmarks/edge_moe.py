"""Edge-MoE's latency at its published configuration, and what it hangs on.

python benchmarks/edge_moe.py [assumptions] [techniques] [parallelism] [experts]      (all of them if none is named)

Each row is one run of one image with some parameters changed; the published latency is 34.64 ms.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run
from hwsim.errors import UserError
from hwsim.report.schema import Report

PUBLISHED_MS = 34.64
TECHNIQUES = (
    "expert_reordering",
    "single_pass_softmax",
    "gelu_approximation",
    "unified_linear",
    "attention_reordering",
)  # in the order in which the paper adds them
GROUPS = {
    "QK + MV": ("attention_scores", "attention_values"),
    "attention linear + FFN + MoE": (
        "linear.attention", "linear.ffn", "linear.experts", "load.attention", "load.ffn", "load.experts", "load.route",
        "route", "fill",
    ),
    "of these, loads": ("load.attention", "load.ffn", "load.experts", "load.route"),
    "adds": ("eltwise",),
    "norms": ("norm", "load.norm"),
    "patches": ("patch_embed", "load.patch_embed"),
}  # fmt: skip
Row = tuple[str, Mapping[str, Any], Mapping[str, Any]]  # name, machine's parameters, workload's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parts = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    for part in parts:
        title, rows = PARTS[part]
        _print(title, rows())


def assumptions() -> Iterable[Row]:
    """What no source states, one after the other."""
    yield "as shipped", {}, {}
    for ns in (30, 50, 100, 150):
        yield f"{ns} ns to the controller and {ns} ns back (A: 70)", {"axi.request_ns": ns, "axi.response_ns": ns}, {}
    for count in (8, 32):
        yield f"{count} outstanding transactions (S: 16)", dict.fromkeys(OUTSTANDING, count), {}
    yield "every controller port alone, HP2 too (S: HP1 and HP2 share one)", {"memory.ports.HP2": 5}, {}
    yield "no refresh", {"memory.refresh": False}, {}
    yield "ports as wide as the masters: 256 bit (S: 128)", {"axi.ps_width_bits": 256}, {}


OUTSTANDING = ("axi.outstanding_reads", "axi.outstanding_writes")


def experts() -> Iterable[Row]:
    """Where the tokens go, which data decide."""
    yield "every expert as many (uniform)", {}, {}
    for exponent in (0.5, 1.0, 2.0):
        routing = {"load": "zipf", "exponent": exponent, "seed": 1}
        yield f"zipf, exponent {exponent:g}", {}, {"routing": routing}
    for seed in (1, 2):
        yield f"computed from random weights {seed}", {}, {"routing": {"load": "computed", "weights": f"random:{seed}"}}


def techniques() -> Iterable[Row]:
    """Each technique switched off alone, then added one after the other as the paper does."""
    yield "all on", {}, {}
    for name in TECHNIQUES:
        yield f"without {name}", {f"techniques.{name}": "off"}, {}
    for count in range(len(TECHNIQUES) + 1):
        off = {f"techniques.{name}": "off" for name in TECHNIQUES[count:]}
        yield "baseline, none" if count == 0 else f"+ {TECHNIQUES[count - 1]}", off, {}


def parallelism() -> Iterable[Row]:
    """Queries at once, with and without reordering of attention."""
    for slots in (1, 2, 4, 8, 16):
        for switch in ("on", "off"):
            settings = {"attention.slots": slots, "techniques.attention_reordering": switch}
            yield f"p = {slots}, attention reordering {switch}", settings, {}


PARTS: dict[str, tuple[str, Callable[[], Iterable[Row]]]] = {
    "assumptions": ("What no source states", assumptions),
    "experts": ("Where tokens go", experts),
    "techniques": ("Techniques", techniques),
    "parallelism": ("Queries at once", parallelism),
}


def _print(title: str, rows: Iterable[Row]) -> None:
    table = Table(title=f"{title}: one image of m3vit_tiny", box=None)
    for name in ("", "ms", "to 34.64 ms", *GROUPS):
        table.add_column(name, justify="left" if not name else "right")
    for name, settings, fields in rows:
        try:
            report = run(load_workload("m3vit_tiny", images=1, **fields), "edge_moe", settings)
        except UserError as cause:
            table.add_row(name, f"refused: {cause}")
            continue
        ms = report.latency_s * 1e3
        table.add_row(name, f"{ms:.3f}", f"{ms / PUBLISHED_MS - 1:+.1%}", *(f"{s:.1%}" for s in _shares(report)))
    Console(width=200).print(table, highlight=False)


def _shares(report: Report) -> Iterable[float]:
    shares = {part.kind: part.share for part in report.breakdown}
    for kinds in GROUPS.values():
        yield sum(shares.get(kind, 0.0) for kind in kinds)


if __name__ == "__main__":
    main()
