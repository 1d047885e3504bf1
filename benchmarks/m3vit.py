"""M3ViT's published rows on PASCAL-Context beside ours, and what they hang on.

python benchmarks/m3vit.py [PART ...]      of rows, memory, cache, played, fetch, assumptions, experts; else all

`rows` and `played` run the cache of experts, which takes a minute or more each.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hwsim import load_workload, run
from hwsim.errors import UserError
from hwsim.fabric.player import FabricPlayer
from hwsim.machines.m3vit import MACHINE
from hwsim.machines.m3vit.beside import as_counted, misses
from hwsim.machines.m3vit.onchip import on_chip
from hwsim.machines.m3vit.pipelines import load_task
from hwsim.machines.m3vit.programs import Program
from hwsim.mapping.models import build_graph
from hwsim.report.schema import Report

MODEL, DENSE = "m3vit_small_pascal", "vit_small_pascal"
MIB = 1 << 20
EXPERT = 591_360  # bytes of an expert of the published model
ROWS: tuple[tuple[str, str, dict[str, Any], float | None], ...] = (
    ("dense ViT-small", DENSE, {}, 68.931),
    ("M3ViT, reorder", MODEL, {}, 69.033),
    ("M3ViT, cache", MODEL, {"mode": "cache"}, 637.478),
    ("M3ViT, resident", MODEL, {"mode": "resident"}, None),
)


def program_of(name: str, settings: dict[str, Any], **fields: Any) -> Program:
    workload = load_workload(name, **fields)
    spec = MACHINE.spec_file.load(None, settings)
    return MACHINE.lower(MACHINE.map_graph(build_graph(workload), workload, spec), workload, spec)


def rows() -> Iterator[str]:
    yield "| | ms | published | ratio | products a cycle | of the bound | waiting for weights | J at 10 W |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, model, settings, theirs in ROWS:
        report = run(load_workload(model), "m3vit", settings)
        ms = report.latency_s * 1e3
        beside = "-" if theirs is None else f"{theirs:.3f}"
        ratio = "-" if theirs is None else f"{ms / theirs:.4f}"
        waits = sum(part.share for part in report.breakdown if part.kind == "waiting for weights")
        yield (
            f"| {name} | {ms:.3f} | {beside} | {ratio} | {rate(report):,.1f} | {report.bound.ratio:.4f} | "
            f"{waits:.1%} | {report.energy_j:.3f} |"
        )


def rate(report: Report) -> float:
    """Multiply-accumulates a cycle."""
    assert report.fpga is not None
    assert report.fpga.achieved_macs_per_s is not None
    return report.fpga.achieved_macs_per_s / report.clock_hz


def memory() -> Iterator[str]:
    yield "| | resident | attention | hidden layer or experts | gate | sum, MiB | published |"
    yield "|---|---|---|---|---|---|---|"
    published = {"dense": "4.828", "reorder": "4.840", "cache": "4.840", "resident": "11.610"}
    for name, theirs in published.items():
        mode: Any = "reorder" if name == "dense" else name
        program = program_of(DENSE if name == "dense" else MODEL, {})
        chip = as_counted(program, mode)
        parts = " | ".join(f"{size:,}" for size in (chip.resident, chip.attention, chip.experts, chip.gate))
        yield f"| {name} | {parts} | {chip.weights / MIB:.4f} | {theirs} |"
    chip = as_counted(program_of(f"{MODEL}_top2", {}), "resident")
    parts = " | ".join(f"{size:,}" for size in (chip.resident, chip.attention, chip.experts, chip.gate))
    yield f"| resident, top 2 of wider experts | {parts} | {chip.weights / MIB:.4f} | - |"
    chip = on_chip(program_of(MODEL, {}))
    parts = " | ".join(f"{size:,}" for size in (chip.resident, chip.attention, chip.experts, chip.gate))
    yield f"| reorder, 512 x 512 pixels, no classes | {parts} | {chip.weights / MIB:.4f} | - |"


def cache() -> Iterator[str]:
    """Misses of a frame by capacity and policy; no time is played."""
    policies = ("lru", "fifo", "lfu", "random", "optimal")
    yield f"| experts held | MiB | {' | '.join(policies)} | lru, held first |"
    yield f"|---|---|{'---|' * 6}"
    for experts in (1, 2, 4, 6, 8, 12, 16):
        cells = [_misses(experts, {"cache.policy": policy}) for policy in policies]
        cells.append(_misses(experts, {"cache.held_first": True}))
        yield f"| {experts} | {experts * EXPERT / MIB:.2f} | {' | '.join(cells)} |"


def _misses(experts: int, settings: dict[str, Any], **fields: Any) -> str:
    program = program_of(MODEL, {"cache.capacity_bytes": experts * EXPERT, **settings}, **fields)
    count = misses(program)
    return f"{count:,} ({1 - count / (6 * 1024 * 4):.1%} hit)"


def played() -> Iterator[str]:
    """Caches that are played."""
    cases: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("as shipped: four experts, lru", {}, {}),
        ("held experts of a token first", {"cache.held_first": True}, {}),
        ("fetch one ahead", {"cache.fetch_ahead": 1}, {}),
        ("optimal", {"cache.policy": "optimal"}, {}),
        ("eight experts", {"cache.capacity_bytes": 8 * EXPERT}, {}),
        ("popular experts (zipf, exponent 1)", {}, {"routing": {"load": "zipf"}}),
    )
    yield "| cache | misses | ms | GB/s while fetching | to reorder |"
    yield "|---|---|---|---|---|"
    base = run(load_workload(MODEL), "m3vit").latency_s
    for name, settings, fields in cases:
        report = run(load_workload(MODEL, **fields), "m3vit", {"mode": "cache", **settings})
        (visits,) = (load for load in report.loads or () if "visits" in load.name)
        count = round(6 * 1024 * 4 / visits.mean)
        (fetch,) = (figure for figure in report.published if "bandwidth" in figure.name)
        yield (
            f"| {name} | {count:,} | {report.latency_s * 1e3:.3f} | {fetch.ours:.2f} | {report.latency_s / base:.2f}x |"
        )


def fetch() -> Iterator[str]:
    """How fast an expert comes, over a hundred experts one after the other on an otherwise idle memory."""
    cases: Iterable[tuple[str, dict[str, Any]]] = (
        ("as shipped", {}),
        ("HP1 and HP2 at controller ports of their own", {"memory.ports.HP2": 6}),
        ("no refresh", {"memory.refresh": False}),
        ("32 transactions without an answer", {"axi.outstanding": 32, "axi.buffer_beats": 512}),
        ("10 ns to the memory and 10 ns back", {"axi.request_ns": 10, "axi.response_ns": 10}),
        ("banks over neighbouring columns (RoBaRaCoBgCh)", {"memory.mapping": "RoBaRaCoBgCh"}),
        ("DDR4-2133", {"memory.bin": "2133P"}),
        ("DDR4-2666", {"memory.bin": "2666V"}),
        ("three ports", {"axi.weight_ports": 3}),
        ("two ports", {"axi.weight_ports": 2}),
        ("one port", {"axi.weight_ports": 1}),
    )
    yield "| | cycles an expert | GB/s | of the peak |"
    yield "|---|---|---|---|"
    for name, settings in cases:
        spec = MACHINE.spec_file.load(None, settings)
        player, ports = FabricPlayer(spec.time_base, spec.memory_system), spec.weight_ports
        for number in range(100):
            address = number * -(-EXPERT // 4096) * 4096
            player.start(load_task("expert", address, EXPERT, ports, beat_bytes=16, burst=spec.axi.burst_beats))
            player.advance(1 << 60)
        rate = 100 * EXPERT / player.cycle * spec.clock_hz
        peak = spec.standard.column_bytes / spec.standard.params["nBL"] * float(spec.standard.clock_hz)
        yield f"| {name} | {player.cycle / 100:,.0f} | {rate / 1e9:.2f} | {rate / peak:.1%} |"


def assumptions() -> Iterator[str]:
    """What the latency with reordering hangs on."""
    cases: Iterable[tuple[str, dict[str, Any]]] = (
        ("as shipped", {}),
        ("experts' weights only once routing is known", {"preload": False}),
        ("activations through the memory", {"activations": "memory"}),
        ("one port for weights", {"axi.weight_ports": 1}),
        ("two ports for weights", {"axi.weight_ports": 2}),
        ("DDR4-2133", {"memory.bin": "2133P"}),
        ("300 ns to the memory and 300 ns back", {"axi.request_ns": 300, "axi.response_ns": 300}),
        ("expert buffers of one expert each", {"buffers.expert_buffer_bytes": EXPERT}),
        ("4 inputs by 32 outputs a head", {"engine.in_lanes": 4}),
        ("32 inputs by 4 outputs a head", {"engine.in_lanes": 32}),
        ("norm of 4 lanes", {"norm.lanes": 4}),
        ("softmax of 2 lanes", {"softmax.lanes": 2}),
        ("softmax of 1 lane", {"softmax.lanes": 1}),
        ("gate of 4 lanes", {"gate.lanes": 4}),
        ("gate of 2 lanes", {"gate.lanes": 2}),
        ("adder of 2 lanes", {"adder.lanes": 2}),
        ("one query ahead", {"engine.queries_ahead": 1}),
        ("64 MACs a head", {"engine.macs_per_head": 64}),
        ("256 MACs a head", {"engine.macs_per_head": 256, "engine.in_lanes": 16}),
    )
    yield "| | ms | to shipped | waiting for weights |"
    yield "|---|---|---|---|"
    base = 0.0
    for name, settings in cases:
        try:
            report = run(load_workload(MODEL), "m3vit", settings)
        except UserError as cause:
            yield f"| {name} | refused: {cause} | | |"
            continue
        base = base or report.latency_s
        waits = sum(part.share for part in report.breakdown if part.kind == "waiting for weights")
        yield f"| {name} | {report.latency_s * 1e3:.3f} | {report.latency_s / base - 1:+.2%} | {waits:.1%} |"


def experts() -> Iterator[str]:
    """Two layers of the published model with more and more experts."""
    yield "| experts | weights of experts on the chip, B | gate, B | queues, B | ms | waiting for weights |"
    yield "|---|---|---|---|---|---|"
    for count in (16, 64, 256, 1024):
        report = run(load_workload(MODEL, experts=count, layers=2), "m3vit")
        sizes = [report.memory(name).size_bytes for name in ("expert buffers", "gate", "queues")]
        waits = sum(part.share for part in report.breakdown if part.kind == "waiting for weights")
        cells = " | ".join(f"{size:,}" for size in sizes)
        yield f"| {count:,} | {cells} | {report.latency_s * 1e3:.3f} | {waits:.1%} |"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "rows": rows,
    "memory": memory,
    "cache": cache,
    "played": played,
    "fetch": fetch,
    "assumptions": assumptions,
    "experts": experts,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parts = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    for part in parts:
        print(f"\n{part}\n")
        for line in PARTS[part]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
