"""A machine's window attention against what it is compared with, for the report's published figures.

The baselines are modelled: a GPU with sliding chunks, an accelerator like Butterfly with softmax attention in k of its
layers, and dense attention on as many DSPs. Attention is compared with attention, and whole layers with whole layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hwsim.baselines.butterfly import Butterfly, butterfly, with_power
from hwsim.baselines.dense_engine import DenseEngine
from hwsim.baselines.device import find_device
from hwsim.baselines.ratios import Ratio
from hwsim.baselines.roofline import Modelled
from hwsim.baselines.sliding_chunks import SlidingChunks, sliding_chunks
from hwsim.errors import MachineError

SOFTMAX_LAYERS = (1, 2)  # "BTF-1" and "BTF-2": how many of their layers have softmax attention
MARK = "softmax layers by its dense baseline engine, not that of BTF-1 or BTF-2"


@dataclass(frozen=True, kw_only=True)
class AttentionRun:
    """One layer of a machine's run.

    Attributes
    ----------
    keys : in the window of a row, 2w or 2w + 1; None where the pattern is no window alone
    attention_s, attention_j : of all heads of the layer; no energy where it is off
    layer_s : with projections and FFN; None where attention alone was run
    """

    tokens: int
    keys: int | None
    heads: int
    head_dim: int
    format: str
    attention_s: float
    attention_j: float | None = None
    layer_s: float | None = None

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.heads < 1 or self.head_dim < 1 or self.attention_s <= 0:
            raise MachineError(
                f"attention: expected tokens, heads, head_dim and seconds above 0, got {self.tokens}, {self.heads}, "
                f"{self.head_dim} and {self.attention_s:g}"
            )

    @property
    def power_w(self) -> float | None:
        return None if self.attention_j is None else self.attention_j / self.attention_s

    def of_heads(self, heads: int) -> AttentionRun:
        """The same with other heads, which take their turns: times and energies in proportion, and no whole layer."""
        if heads == self.heads:
            return self
        share = heads / self.heads
        joules = None if self.attention_j is None else self.attention_j * share
        return replace(self, heads=heads, attention_s=self.attention_s * share, attention_j=joules, layer_s=None)


def attention_ratios(
    run: AttentionRun,
    *,
    softmax_layers: Iterable[int] = SOFTMAX_LAYERS,
    butterfly_w: float | None = None,
    gpu: str = "mi210",
    dense: DenseEngine | None = None,
) -> dict[str, Ratio]:
    """Times and energies of the baselines over the machine's, for layers of as many heads as Butterfly's tables are of.

    Parameters
    ----------
    softmax_layers : of the Butterfly-like accelerator's layers, each number a ratio
    butterfly_w : its power; butterfly.yaml's if not given
    gpu : key of the device that runs the sliding chunks
    dense : an engine of the machine's DSPs

    Returns
    -------
    mapping : `latency_GPU`, `energy_GPU`; for each number K `latency_butterfly_K`, `energy_butterfly_K` (attention) and
        `layer_butterfly_K` (whole layers); `latency_dense` if there is such an engine
    """
    machine = butterfly() if butterfly_w is None else with_power(butterfly(), butterfly_w)
    scaled = run.of_heads(machine.heads)
    found: dict[str, Ratio] = {}
    for count in softmax_layers:
        found |= _over_butterfly(run, scaled, machine, count)
    found |= _over_gpu(scaled, gpu)
    if dense is not None:
        found["latency_dense"] = _over_dense(scaled, dense)
    return found


def _over_butterfly(run: AttentionRun, scaled: AttentionRun, machine: Butterfly, count: int) -> dict[str, Ratio]:
    """The accelerator with `count` softmax layers; `scaled` has as many heads as it, `run` maybe whole layers."""
    what = f"{machine.layers} layers, {count} of them softmax"
    latency = _comparable(
        scaled,
        machine,
        lambda: _ratio(machine.attention_s(run.tokens, count), machine.layers * scaled.attention_s, what),
    )
    return {
        f"latency_butterfly_{count}": latency,
        f"energy_butterfly_{count}": _energy(latency, machine, scaled),
        f"layer_butterfly_{count}": _comparable(
            run, machine, lambda: _layer_ratio(run, machine, count, f"{what}, with projections and FFN")
        ),
    }


def _comparable(run: AttentionRun, machine: Butterfly, ratio: Callable[[], Ratio]) -> Ratio:
    if run.head_dim != machine.head_dim:
        return _none(f"heads of {run.head_dim}, and the tables of Butterfly are of {machine.head_dim}")
    try:
        return ratio()
    except MachineError as cause:
        return _none(str(cause))


def _layer_ratio(run: AttentionRun, machine: Butterfly, count: int, what: str) -> Ratio:
    if run.layer_s is None:
        return _none("attention alone was run")
    if run.heads != machine.heads:
        return _none(f"layers of {run.heads} heads, and the tables of Butterfly are of {machine.heads}")
    return _ratio(machine.model_s(run.tokens, count), machine.layers * run.layer_s, what)


def _ratio(theirs_s: float, ours_s: float, what: str) -> Ratio:
    return Ratio(
        value=theirs_s / ours_s,
        note=f"{what}: a modelled {theirs_s * 1e3:,.1f} ms over our {ours_s * 1e3:,.1f} ms; {MARK}",
    )


def _energy(latency: Ratio, machine: Butterfly, run: AttentionRun) -> Ratio:
    """Ratio of energies at constant powers: the ratio of times by that of powers."""
    if latency.value is None:
        return latency
    if run.power_w is None:
        return _none("energy is off")
    grade = machine.provenance["power_w"]["grade"]
    return Ratio(
        value=latency.value * machine.power_w / run.power_w,
        note=f"{latency.value:.4g}x the time, at its {machine.power_w:g} W ({grade}, of FFT layers) over our "
        f"{run.power_w:.4g} W (modelled); {MARK}",
    )


def _over_gpu(run: AttentionRun, key: str) -> dict[str, Ratio]:
    device = find_device(key)
    if run.keys is None:
        none = _none("no window alone, and sliding chunks are for one")
        return {f"latency_{key}": none, f"energy_{key}": none}
    overlap = run.keys // 2
    shape = SlidingChunks(tokens=run.tokens, overlap=overlap, heads=run.heads, head_dim=run.head_dim)
    modelled = sliding_chunks(shape, device, run.format)
    return {
        f"latency_{key}": Ratio(value=modelled.latency_s / run.attention_s, note=_on_gpu(modelled, run)),
        f"energy_{key}": _gpu_energy(modelled, run),
    }


def _on_gpu(modelled: Modelled, run: AttentionRun) -> str:
    device = modelled.device
    return (
        f"{run.heads} heads by sliding chunks on a modelled {device.name} ({modelled.latency_s * 1e3:.4g} ms, roofline "
        f"in {modelled.format}, {device.launch_overhead_s * 1e6:g} us a kernel) over our {run.attention_s * 1e3:.4g} ms"
    )


def _gpu_energy(modelled: Modelled, run: AttentionRun) -> Ratio:
    if run.attention_j is None:
        return _none("energy is off")
    device = modelled.device
    busy, waiting = device.tdp_w * device.active_fraction, device.tdp_w * device.idle_fraction
    return Ratio(
        value=modelled.energy_j / run.attention_j,
        note=f"{_on_gpu(modelled, run)}; its {busy:g} W busy and {waiting:g} W between kernels (A, of its TDP) over "
        f"our {run.power_w:.4g} W (modelled)",
    )


def _over_dense(run: AttentionRun, engine: DenseEngine) -> Ratio:
    theirs_s = engine.attention_s(run.tokens, run.head_dim, run.heads)
    return Ratio(
        value=theirs_s / run.attention_s,
        note=f"all pairs on {engine.units:,} modelled units of {engine.dsps_per_mac:g} DSPs, {engine.macs_per_cycle:g} "
        f"products a cycle: {theirs_s * 1e3:,.4g} ms over our {run.attention_s * 1e3:,.4g} ms",
    )


def _none(why: str) -> Ratio:
    return Ratio(value=None, note=f"not comparable: {why}")
