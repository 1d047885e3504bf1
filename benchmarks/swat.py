"""SWAT's figures: latency, patterns and pipelines side by side, and what it is compared with.

python benchmarks/swat.py [PART ...] [--watts W] [--butterfly-watts W]
    of latency, configurations, bytes, butterfly, layers, energy, dense, chunks; else all

Attention alone is run (`companion=none`), but for `layers`. All baselines are modelled (docs/baselines.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from swat_tables import (
    HEADS,
    Point,
    butterfly_table,
    chunk_table,
    configuration_table,
    dense_table,
    energy_table,
    latency_table,
    layer_table,
)

from hwsim import load_workload, run
from hwsim.baselines.dense_engine import DenseEngine
from hwsim.errors import UserError
from hwsim.mapping.patterns import parse_pattern
from hwsim.report.schema import Report

LENGTHS = (512, 1024, 2048, 4096, 8192, 16384)
SOFTMAX_LAYERS = (0, 1, 2, 3, 6, 12)
KERNEL, LONGFORMER, BIGBIRD = "swat_kernel", "longformer_base_4096", "bigbird_base_4096"
SIDE_BY_SIDE = 4096


@cache
def report_of(settings: tuple[tuple[str, Any], ...], fields: tuple[tuple[str, Any], ...]) -> Report:
    return run(load_workload(KERNEL, **dict(fields)), "swat", {"companion": "none", **dict(settings)})


def point(tokens: int, settings: dict[str, Any] | None = None, **fields: Any) -> Point:
    """A run of the kernel; `fields` are the workload's."""
    settings = settings or {}
    fields = {"tokens": tokens, **fields}
    report = report_of(tuple(settings.items()), tuple(fields.items()))
    heads = fields.get("heads", 1)
    pattern = parse_pattern(load_workload(KERNEL, **fields).model.pattern)
    return Point(
        tokens=tokens,
        heads=heads,
        cycles=report.cycles,
        clock_hz=report.clock_hz,
        joules=report.energy_j,
        offchip_bytes=report.offchip_bytes,
        element_bytes=4 if settings.get("format") == "fp32" else 2,
        pairs=pattern.pairs_of_heads(tokens, tokens, heads),
    )


def latency(arguments: argparse.Namespace) -> Iterator[str]:
    designs = {
        f"{fmt.upper()}, {mode}": {"format": fmt, "mode": mode}
        for fmt in ("fp16", "fp32")
        for mode in ("lockstep", "elastic")
    }
    yield from latency_table({
        name: [point(tokens, settings) for tokens in LENGTHS] for name, settings in designs.items()
    })  # fmt: skip


def configurations(arguments: argparse.Namespace) -> Iterator[str]:
    bigbird = load_workload(BIGBIRD).model.patterns[0]
    longformer = load_workload(LONGFORMER).model
    with_global = f"{longformer.patterns[0]} | global({longformer.global_tokens})"
    published = {"window": "published"}
    cases: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "window of 512 keys": ({}, {}),
        "the same, two pipelines": ({"pipelines": 2}, {}),
        "Longformer, 256 keys on each side and global ones": ({}, {"pattern": with_global}),
        "the same, 2w keys of the window": (published, {"pattern": with_global}),
        "BigBird": ({}, {"pattern": bigbird}),
        "the same, 2w keys of the window ": (published, {"pattern": bigbird}),
        "the same, two pipelines ": ({**published, "pipelines": 2}, {"pattern": bigbird}),
        "window of 512 keys, FP32": ({"format": "fp32"}, {}),
    }
    points = {
        name: point(SIDE_BY_SIDE, settings, heads=HEADS, **fields) for name, (settings, fields) in cases.items()
    }  # fmt: skip
    yield from configuration_table(points, next(iter(points)))


def butterflies(arguments: argparse.Namespace) -> Iterator[str]:
    yield from butterfly_table([point(tokens) for tokens in LENGTHS], SOFTMAX_LAYERS)


def layers(arguments: argparse.Namespace) -> Iterator[str]:
    """A layer of Longformer with the companion, from what a second one takes longer."""
    found = {}
    for tokens in LENGTHS:
        one, two = (
            run(load_workload(LONGFORMER, tokens=tokens, n_ctx=tokens, layers=count), "swat").latency_s
            for count in (1, 2)
        )  # fmt: skip
        found[tokens] = two - one
    yield from layer_table(found, SOFTMAX_LAYERS)


def energy(arguments: argparse.Namespace) -> Iterator[str]:
    settings = {} if arguments.watts else {"energy": "u55c"}
    points = [point(tokens, settings) for tokens in LENGTHS]
    yield from energy_table(points, (1, 2, 12), watts=arguments.watts, butterfly_w=arguments.butterfly_watts)


def dense(arguments: argparse.Namespace) -> Iterator[str]:
    """Units as the cores', which take a product every third cycle, and such that take one every cycle."""
    report = report_of((), (("tokens", LENGTHS[0]),))
    assert report.fpga is not None
    dsps = int(report.fpga.used.dsp)
    per_mac = arguments.dsps_per_mac
    engines = {
        f"{dsps:,} DSPs of {per_mac:g} a unit, a product every {interval} cycles": DenseEngine(
            dsps=dsps, dsps_per_mac=per_mac, clock_hz=report.clock_hz, mac_interval=interval
        )
        for interval in (3, 1)
    }
    yield from dense_table([point(tokens) for tokens in LENGTHS], engines)


def chunks(arguments: argparse.Namespace) -> Iterator[str]:
    yield from chunk_table(LENGTHS)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[str]]] = {
    "latency": latency,
    "configurations": configurations,
    "butterfly": butterflies,
    "layers": layers,
    "energy": energy,
    "dense": dense,
    "chunks": chunks,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--watts", type=float, help="SWAT's power, instead of its energy table's")
    parser.add_argument(
        "--butterfly-watts", type=float, help="the Butterfly-like accelerator's, instead of its table's"
    )
    parser.add_argument("--dsps-per-mac", type=float, default=3, help="DSPs of a multiply-accumulate in FP16")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    for part in parts:
        print(f"\n{part}\n")
        for line in PARTS[part](arguments):
            print(line, flush=True)


if __name__ == "__main__":
    try:
        main()
    except UserError as cause:
        raise SystemExit(f"error: {cause}") from None
