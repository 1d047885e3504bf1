"""SWAT's figures: latency, patterns and pipelines side by side, its baselines, and what assumptions are worth.

python benchmarks/swat.py [PART ...] [--watts W] [--butterfly-watts W] [--dsps-per-mac N]
    of latency, patterns, configurations, bytes, assumptions, butterfly, layers, energy, dense, chunks; else all

Attention alone is run (`companion=none`), but for `layers`. All baselines are modelled (docs/baselines.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from swat_baseline_tables import Layer, butterfly_table, chunk_table, dense_table, energy_table, layer_table
from swat_tables import (
    HEADS,
    STREAMS,
    Law,
    Point,
    assumption_table,
    bytes_table,
    configuration_table,
    elastic_law,
    latency_table,
    lockstep_law,
    pattern_table,
)

from hwsim import load_workload, run
from hwsim.baselines.dense_engine import DenseEngine
from hwsim.errors import UserError
from hwsim.machines.find import load_machine
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.stages import depth_of, interval_of, stages_of, way_of
from hwsim.report.schema import AttentionUse, Report

Settings = Mapping[str, Any]

LENGTHS = (512, 1024, 2048, 4096, 8192, 16384)
SOFTMAX_LAYERS = (0, 1, 2, 3, 6, 12)
KERNEL, LONGFORMER, BIGBIRD = "swat_kernel", "longformer_base_4096", "bigbird_base_4096"
SIDE_BY_SIDE = 4096
ONE_PASS: Settings = {"cores": 514}  # 513 keys of Longformer's window, and a global one


@cache
def report_of(workload: str, settings: tuple[tuple[str, Any], ...], fields: tuple[tuple[str, Any], ...]) -> Report:
    return run(load_workload(workload, **dict(fields)), "swat", {"companion": "none", **dict(settings)})


def point(settings: Settings | None = None, workload: str = KERNEL, **fields: Any) -> Point:
    """A run of attention that is the same in all layers; `fields` are the workload's."""
    settings = settings or {}
    report = report_of(workload, tuple(settings.items()), tuple(fields.items()))
    uses, tokens = report.attention, max(use.queries for use in report.attention)
    return Point(
        tokens=tokens,
        heads=uses[0].operators * uses[0].heads,
        cycles=report.cycles,
        clock_hz=report.clock_hz,
        joules=report.energy_j,
        element_bytes=4 if settings.get("format") == "fp32" else 2,
        passes=sum(use.passes for use in uses),
        rows=sum(use.rows for use in uses),
        pairs=sum(use.pairs for use in uses),
        dropped=sum(use.dropped for use in uses),
        moved={
            name: sum(use.moved.get(name, 0.0) * _rows(name, use) for use in uses) / tokens
            for name in STREAMS
            if any(name in use.moved for use in uses)
        },
    )


def _rows(stream: str, use: AttentionUse) -> int:
    return use.keys if stream in ("k", "v") else use.queries


def windows() -> list[Point]:
    """The published kernel at all lengths."""
    return [point(tokens=tokens) for tokens in LENGTHS]


def longformer(settings: Settings | None = None, tokens: int = SIDE_BY_SIDE, **fields: Any) -> Point:
    """A layer of Longformer: its window with its global keys, and its global queries, which see all keys."""
    return point(settings, LONGFORMER, layers=1, tokens=tokens, n_ctx=tokens, **fields)


def bigbird() -> str:
    pattern: str = load_workload(BIGBIRD).model.patterns[0]
    return pattern


def latency(arguments: argparse.Namespace) -> Iterator[str]:
    series = {}
    for fmt in ("fp16", "fp32"):
        for mode in ("lockstep", "elastic"):
            settings = {"format": fmt, "mode": mode}
            points = [point(settings, tokens=tokens) for tokens in LENGTHS]
            series[f"{fmt.upper()}, {mode}"] = points, law(settings)
    yield from latency_table(series)


def law(settings: Settings) -> Law:
    """The closed form of a window's head, by the stages of a design."""
    _, spec = load_machine("swat", settings)
    stages = stages_of(Design.built(spec))
    interval = interval_of(stages)
    if spec.mode == "lockstep":
        return lockstep_law(depth_of(stages), interval)
    return elastic_law(way_of(stages), interval)


def patterns(arguments: argparse.Namespace) -> Iterator[str]:
    yield from pattern_table(
        {
            "window of 512 keys": windows(),
            "Longformer": [longformer(tokens=n) for n in LENGTHS],
            "BigBird": [point(tokens=n, pattern=bigbird()) for n in LENGTHS],
        }
    )


def configurations(arguments: argparse.Namespace) -> Iterator[str]:
    dual: Settings = {"pipelines": 2}
    published: Settings = {"window": "published"}
    fp32: Settings = {"format": "fp32"}
    sizes: Settings = {"tokens": SIDE_BY_SIDE, "heads": HEADS}
    yield from configuration_table(
        {
            "window of 512 keys": point(**sizes),
            "window, two pipelines": point(dual, **sizes),
            "window, FP32": point(fp32, **sizes),
            "`longformer_base_4096`": point(workload=LONGFORMER),
            "Longformer, 2w keys of the window": point(published, LONGFORMER),
            "Longformer, 514 cores": point(ONE_PASS, LONGFORMER),
            "`bigbird_base_4096`": point(workload=BIGBIRD),
            "BigBird, 192 keys around a row": point(published, BIGBIRD),
            "BigBird, two pipelines": point(dual, BIGBIRD),
            "BigBird, FP32": point(fp32, BIGBIRD, format="fp32"),
        }
    )


def moves(arguments: argparse.Namespace) -> Iterator[str]:
    """A window alone, and what BigBird's and Longformer's other keys add."""
    window, random, pinned = bigbird().split(" | ")

    def at(pattern: str | None = None, tokens: int = SIDE_BY_SIDE, **settings: Any) -> Point:
        return point(settings, tokens=tokens, **({"pattern": pattern} if pattern else {}))

    yield from bytes_table(
        {
            "window of 512, 512 tokens": at(tokens=512),
            "window of 512": at(),
            "window of 512, 16,384 tokens": at(tokens=16384),
            "window of 512, FP32": at(format="fp32"),
            "window of 513": at("window(256, 256)"),
            "Longformer: 513, a global key, a global query": longformer(),
            "Longformer on 514 cores": longformer(ONE_PASS),
            "BigBird's window, 192": at(window),
            "and 192 random": at(f"{window} | {random}"),
            "window and 128 global": at(f"{window} | {pinned}"),
            "all of BigBird": at(bigbird()),
        }
    )


def assumptions(arguments: argparse.Namespace) -> Iterator[str]:
    """What is assumed, or what accounts differ in, each alone."""
    changed: dict[str, Settings] = {
        "as shipped": {},
        "mode=elastic": {"mode": "elastic"},
        "softmax=safe": {"softmax": "safe"},
        "prologue=counted": {"prologue": "counted"},
        "window=published": {"window": "published"},
        "cores=514": ONE_PASS,
        "loaders=1": {"loaders": 1},
        "loaders=4": {"loaders": 4},
        "sv_interval=1": {"sv_interval": 1},
        "sv_interval=1, mode=elastic": {"sv_interval": 1, "mode": "elastic"},
        "reduction_group=32": {"reduction_group": 32},
        "sum_format=fp16": {"sum_format": "fp16"},
        "200 ns to the memory, 200 back": {"hbm.request_ns": 200, "hbm.response_ns": 200},
        "hbm.burst_bytes=512": {"hbm.burst_bytes": 512},
        "hbm.refresh=false": {"hbm.refresh": False},
        "format=fp32": {"format": "fp32"},
    }
    yield from assumption_table({name: _shapes(settings) for name, settings in changed.items()})


def _shapes(settings: Settings) -> dict[str, Point]:
    fmt = {"format": settings["format"]} if "format" in settings else {}
    return {
        "window": point(settings, tokens=SIDE_BY_SIDE),
        "Longformer": longformer(settings, **fmt),
        "BigBird": point(settings, BIGBIRD, layers=1, **fmt),
    }


def butterflies(arguments: argparse.Namespace) -> Iterator[str]:
    yield from butterfly_table(windows(), SOFTMAX_LAYERS)


def layers(arguments: argparse.Namespace) -> Iterator[str]:
    """A layer of Longformer with the companion, from what a second one takes longer."""
    yield from layer_table([_layer(tokens) for tokens in LENGTHS], SOFTMAX_LAYERS)


def _layer(tokens: int) -> Layer:
    one, two = (
        run(load_workload(LONGFORMER, tokens=tokens, n_ctx=tokens, layers=count), "swat") for count in (1, 2)
    )  # fmt: skip
    return Layer(
        tokens=tokens,
        seconds=two.latency_s - one.latency_s,
        attention_s=sum(use.cycles * use.heads for use in one.attention) / one.clock_hz,
    )


def energy(arguments: argparse.Namespace) -> Iterator[str]:
    settings = {} if arguments.watts else {"energy": "u55c"}
    points = [point(settings, tokens=tokens) for tokens in LENGTHS]
    yield from energy_table(points, (1, 2, 12), watts=arguments.watts, butterfly_w=arguments.butterfly_watts)


def dense(arguments: argparse.Namespace) -> Iterator[str]:
    """Units as the cores' QK, which takes a product every few cycles, and such that take one every cycle."""
    _, spec = load_machine("swat", {})
    core = Design.built(spec).core
    per_mac = arguments.dsps_per_mac or core.operator("multiply").dsp + core.adder.dsp
    report = report_of(KERNEL, (), (("tokens", LENGTHS[0]),))
    assert report.fpga is not None
    dsps = int(report.fpga.used.dsp)
    yield f"{dsps:,} DSPs as SWAT has, {per_mac:g} for a product and its sum (`rtl/float_operators.py`)."
    yield ""
    yield from dense_table(
        windows(),
        {
            f"a product every {interval} cycles" if interval > 1 else "every cycle": DenseEngine(
                dsps=dsps, dsps_per_mac=per_mac, clock_hz=report.clock_hz, mac_interval=interval
            )
            for interval in (core.qk_interval, 1)
        },
    )


def chunks(arguments: argparse.Namespace) -> Iterator[str]:
    yield from chunk_table(LENGTHS)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[str]]] = {
    "latency": latency,
    "patterns": patterns,
    "configurations": configurations,
    "bytes": moves,
    "assumptions": assumptions,
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
    parser.add_argument("--dsps-per-mac", type=float, help="of a product and its sum, instead of the operators' own")
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
