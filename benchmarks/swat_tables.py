"""The tables of benchmarks/swat.py, made of what runs gave; nothing here runs a machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.baselines import find_device
from hwsim.baselines.butterfly import butterfly, with_power
from hwsim.baselines.dense_engine import DenseEngine
from hwsim.baselines.sliding_chunks import SlidingChunks, sliding_chunks

PUBLISHED_SPEED, PUBLISHED_ENERGY, PUBLISHED_GPU_ENERGY = 22.0, 5.7, 15.0
HEADS, HEAD_DIM, OVERLAP = 12, 64, 256


@dataclass(frozen=True, kw_only=True)
class Point:
    """What a run of `heads` heads over `tokens` rows gave.

    Attributes
    ----------
    cycles : of all heads
    joules : None where energy is off
    offchip_bytes : read and written
    pairs : query-key pairs that count
    """

    tokens: int
    heads: int
    cycles: int
    clock_hz: float
    joules: float | None = None
    offchip_bytes: int = 0
    element_bytes: int = 2
    pairs: int = 0

    @property
    def seconds(self) -> float:
        return self.cycles / self.clock_hz

    @property
    def head_cycles(self) -> float:
        return self.cycles / self.heads

    @property
    def layer_s(self) -> float:
        """Seconds of 12 heads."""
        return self.seconds * HEADS / self.heads

    @property
    def moves(self) -> float:
        """How often an element of Q, K, V and Z moves, on average."""
        return self.offchip_bytes / (4 * self.tokens * self.heads * HEAD_DIM * self.element_bytes)


def line_residual(points: Iterable[Point]) -> float:
    """Largest relative distance of the cycles from the best line over tokens (least squares of these distances)."""
    found = list(points)
    cycles = np.array([point.cycles for point in found], dtype=float)
    columns = np.array([(1.0, point.tokens) for point in found]) / cycles[:, np.newaxis]
    line, *_ = np.linalg.lstsq(columns, np.ones(len(cycles)), rcond=None)
    return float(np.max(np.abs(columns @ line - 1)))


def latency_table(series: Mapping[str, Sequence[Point]]) -> Iterator[str]:
    """Cycles of a head over tokens, a column a design, and how far each is from a line."""
    lengths = [point.tokens for point in next(iter(series.values()))]
    yield f"| tokens | {' | '.join(series)} |"
    yield f"|---|{'---|' * len(series)}"
    for row, tokens in enumerate(lengths):
        cells = " | ".join(f"{points[row].head_cycles:,.0f}" for points in series.values())
        yield f"| {tokens:,} | {cells} |"
    cells = " | ".join(f"{line_residual(points):.4%}" for points in series.values())
    yield f"| residual of a line | {cells} |"


def configuration_table(runs: Mapping[str, Point], base: str) -> Iterator[str]:
    """Designs and patterns side by side; each run is a layer of as many heads."""
    yield "| configuration | cycles of the layer | ms | to the first | pairs a row | off-chip moves an element |"
    yield "|---|---|---|---|---|---|"
    for name, point in runs.items():
        share = point.cycles / runs[base].cycles
        pairs = point.pairs / (point.tokens * point.heads)
        yield (
            f"| {name} | {point.cycles:,} | {point.seconds * 1e3:.3f} | {share:.3f} | {pairs:,.1f} | "
            f"{point.moves:.4f} |"
        )


def butterfly_table(points: Sequence[Point], counts: Sequence[int]) -> Iterator[str]:
    """Attention over attention, over tokens and over how many of 12 layers have softmax attention."""
    machine = butterfly()
    yield f"| tokens | SWAT ms a layer | {' | '.join(f'k = {count}' for count in counts)} | 22x at k |"
    yield f"|---|---|{'---|' * len(counts)}---|"
    for point in points:
        ours = machine.layers * point.layer_s
        cells = " | ".join(f"{machine.attention_s(point.tokens, count) / ours:.2f}x" for count in counts)
        yield f"| {point.tokens:,} | {point.layer_s * 1e3:.3f} | {cells} | {_softmax_layers_for(point)} |"


def _softmax_layers_for(point: Point) -> str:
    """Softmax layers at which the ratio is the published one; it is linear in their number."""
    machine = butterfly()
    none, all_of_them = (machine.attention_s(point.tokens, count) for count in (0, machine.layers))
    wanted = PUBLISHED_SPEED * machine.layers * point.layer_s
    count = machine.layers * (wanted - none) / (all_of_them - none)
    return f"{count:.2f}" if count <= machine.layers else f"above {machine.layers}"


def layer_table(layers: Mapping[int, float], counts: Sequence[int]) -> Iterator[str]:
    """Whole layers over whole layers; `layers` has SWAT's seconds of a layer, with its companion, by tokens."""
    machine = butterfly()
    yield f"| tokens | SWAT and companion, ms a layer | {' | '.join(f'k = {count}' for count in counts)} |"
    yield f"|---|---|{'---|' * len(counts)}"
    for tokens, seconds in layers.items():
        ours = machine.layers * seconds
        cells = " | ".join(f"{machine.model_s(tokens, count) / ours:.2f}x" for count in counts)
        yield f"| {tokens:,} | {seconds * 1e3:.3f} | {cells} |"


def energy_table(
    points: Sequence[Point], counts: Sequence[int], *, watts: float | None = None, butterfly_w: float | None = None
) -> Iterator[str]:
    """Energy ratios beside the published ones, with every power.

    Parameters
    ----------
    watts : SWAT's power, where the runs have no energy
    butterfly_w : of the Butterfly-like accelerator, unless it is butterfly.yaml's
    """
    machine = butterfly() if butterfly_w is None else with_power(butterfly(), butterfly_w)
    device = find_device("mi210")
    names = " | ".join(f"over Butterfly, k = {count}" for count in counts)
    yield (
        f"Butterfly: {machine.power_w:g} W ({machine.provenance['power_w']['grade']}) in all layers. {device.name}: "
        f"{device.tdp_w * device.active_fraction:g} W busy, {device.tdp_w * device.idle_fraction:g} W between kernels "
        f"(A, of its TDP). Published: up to {PUBLISHED_ENERGY:g}x and {PUBLISHED_GPU_ENERGY:g}x."
    )
    yield ""
    yield f"| tokens | SWAT W | {names} | over MI210 | MI210 ms | for 15x, at its TDP |"
    yield f"|---|---|{'---|' * len(counts)}---|---|---|"
    for point in points:
        power = _power(point, watts)
        ours = power * point.layer_s
        cells = " | ".join(
            f"{machine.power_w * machine.attention_s(point.tokens, count) / machine.layers / ours:.3f}x"
            for count in counts
        )
        gpu = sliding_chunks(
            SlidingChunks(tokens=point.tokens, overlap=OVERLAP, heads=HEADS, head_dim=HEAD_DIM),
            device,
            "fp16" if point.element_bytes == 2 else "fp32",
        )
        wanted = PUBLISHED_GPU_ENERGY * ours / device.tdp_w
        yield (
            f"| {point.tokens:,} | {power:.1f} | {cells} | {gpu.energy_j / ours:.3f}x | {gpu.latency_s * 1e3:.3f} | "
            f"{wanted * 1e3:.3f} ms |"
        )


def _power(point: Point, watts: float | None) -> float:
    if watts is not None:
        return watts
    assert point.joules is not None, "runs without energy need a power"
    return point.joules / point.seconds


def dense_table(points: Sequence[Point], engines: Mapping[str, DenseEngine]) -> Iterator[str]:
    """Dense attention on as many DSPs over SWAT's, by head."""
    yield f"| tokens | SWAT, cycles a head | {' | '.join(engines)} |"
    yield f"|---|---|{'---|' * len(engines)}"
    for point in points:
        cells = " | ".join(
            f"{engine.head_cycles(point.tokens, HEAD_DIM) / point.head_cycles:.2f}x" for engine in engines.values()
        )
        yield f"| {point.tokens:,} | {point.head_cycles:,.0f} | {cells} |"


def chunk_table(lengths: Iterable[int]) -> Iterator[str]:
    """What sliding chunks compute in vain, and the time that a modelled MI210 takes for a layer of 12 heads."""
    device = find_device("mi210")
    yield "| tokens | chunks | redundant, 2w keys | redundant, 2w + 1 keys | MI210 ms | of it launches |"
    yield "|---|---|---|---|---|---|"
    for tokens in lengths:
        shape = SlidingChunks(tokens=tokens, overlap=OVERLAP, heads=HEADS, head_dim=HEAD_DIM)
        made = sliding_chunks(shape, device, "fp16")
        yield (
            f"| {tokens:,} | {shape.chunks} | {float(shape.redundant_fraction(2 * OVERLAP)):.2%} | "
            f"{float(shape.redundant_fraction()):.2%} | {made.latency_s * 1e3:.3f} | {made.overhead_s * 1e3:.3f} |"
        )
