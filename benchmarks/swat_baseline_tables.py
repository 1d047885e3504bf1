"""The tables of benchmarks/swat.py that set SWAT beside its baselines; nothing here runs a machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.baselines import find_device
from hwsim.baselines.butterfly import Butterfly, butterfly, with_power
from hwsim.baselines.dense_engine import DenseEngine
from hwsim.baselines.roofline import Modelled
from hwsim.baselines.sliding_chunks import SlidingChunks, sliding_chunks

if TYPE_CHECKING:
    from swat_tables import Point

PUBLISHED_SPEED, PUBLISHED_ENERGY, PUBLISHED_GPU_ENERGY = 22.0, 5.7, 15.0
HEADS, HEAD_DIM, OVERLAP = 12, 64, 256


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of 12 heads with what stands around attention.

    Attributes
    ----------
    seconds, attention_s : of the whole, and of attention
    """

    tokens: int
    seconds: float
    attention_s: float


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
    """Softmax layers at which the ratio is the published one."""
    machine = butterfly()
    return _layers_at(PUBLISHED_SPEED * machine.layers * point.layer_s, point.tokens)


def _layers_at(seconds: float, tokens: int) -> str:
    """Softmax layers with which attention takes some seconds, which are linear in their number."""
    machine = butterfly()
    none, all_of_them = (machine.attention_s(tokens, count) for count in (0, machine.layers))
    count = machine.layers * (seconds - none) / (all_of_them - none)
    return f"{count:.2f}" if count <= machine.layers else f"above {machine.layers}"


def layer_table(layers: Sequence[Layer], counts: Sequence[int]) -> Iterator[str]:
    """Whole layers over whole layers."""
    machine = butterfly()
    names = " | ".join(f"k = {count}" for count in counts)
    yield f"| tokens | SWAT and companion, ms a layer | of it attention | {names} |"
    yield f"|---|---|---|{'---|' * len(counts)}"
    for layer in layers:
        ours = machine.layers * layer.seconds
        cells = " | ".join(f"{machine.model_s(layer.tokens, count) / ours:.2f}x" for count in counts)
        yield f"| {layer.tokens:,} | {layer.seconds * 1e3:.3f} | {layer.attention_s * 1e3:.3f} | {cells} |"


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
    yield from _powers(points[-1], machine, watts)
    names = " | ".join(f"over Butterfly, k = {count}" for count in counts)
    yield f"| tokens | SWAT W | {names} | 5.7x at k | over MI210 | MI210 ms | for 15x, at its TDP |"
    yield f"|---|---|{'---|' * len(counts)}---|---|---|---|"
    for point in points:
        ours = _power(point, watts) * point.layer_s
        cells = " | ".join(
            f"{machine.power_w * machine.attention_s(point.tokens, count) / machine.layers / ours:.2f}x"
            for count in counts
        )
        count = _layers_at(PUBLISHED_ENERGY * machine.layers * ours / machine.power_w, point.tokens)
        gpu = _on_gpu(point)
        wanted = PUBLISHED_GPU_ENERGY * ours / gpu.device.tdp_w
        yield (
            f"| {point.tokens:,} | {_power(point, watts):.1f} | {cells} | {count} | {gpu.energy_j / ours:.2f}x | "
            f"{gpu.latency_s * 1e3:.3f} | {wanted * 1e3:.1f} ms |"
        )


def _powers(point: Point, machine: Butterfly, watts: float | None) -> Iterator[str]:
    """What each power is, and what the two published ratios say of them."""
    device = find_device("mi210")
    ours = _power(point, watts)
    share = PUBLISHED_ENERGY / PUBLISHED_SPEED
    source = "of an unconfirmed table" if watts is None else "given"
    yield f"- SWAT: {ours:.1f} W at {point.tokens:,} tokens ({source})."
    yield f"- Butterfly: {machine.power_w:g} W ({machine.provenance['power_w']['grade']}), in all of its layers (A)."
    yield (
        f"- {device.name}: {device.tdp_w * device.active_fraction:g} W busy, "
        f"{device.tdp_w * device.idle_fraction:g} W between kernels (A, of its TDP)."
    )
    yield (
        f"- Published: up to {PUBLISHED_ENERGY:g}x and {PUBLISHED_GPU_ENERGY:g}x. If {PUBLISHED_ENERGY:g}x and "
        f"{PUBLISHED_SPEED:g}x were of one run, Butterfly would take {share:.3f} of SWAT's power: {share * ours:.1f} W "
        f"beside ours, or SWAT {machine.power_w / share:.1f} W beside its own."
    )
    yield ""


def _on_gpu(point: Point) -> Modelled:
    shape = SlidingChunks(tokens=point.tokens, overlap=OVERLAP, heads=HEADS, head_dim=HEAD_DIM)
    return sliding_chunks(shape, find_device("mi210"), "fp16" if point.element_bytes == 2 else "fp32")


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
