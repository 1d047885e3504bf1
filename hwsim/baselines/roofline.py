"""Roofline of a workload on a device: each operator takes the longer of computing and moving data, plus its launch.

Modelled, not measured. Operators run one after the other, each as one kernel that reads its inputs from memory and
writes its results back. Only multiply-accumulates count as computing: at one token, vector work is bound by memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import fsum

from hwsim.baselines.device import ELEMENT_BYTES, Device
from hwsim.baselines.traffic import elements_moved
from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import Operator, Tensor
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class OperatorTime:
    """Time of one operator in one step."""

    name: str
    kind: str
    compute_s: float
    memory_s: float
    overhead_s: float

    @property
    def busy_s(self) -> float:
        return max(self.compute_s, self.memory_s)

    @property
    def seconds(self) -> float:
        return self.busy_s + self.overhead_s


@dataclass(frozen=True, kw_only=True)
class Modelled:
    """A whole run on a device, by the model; `format` is what the device computes in."""

    device: Device
    format: str
    busy_s: float
    overhead_s: float

    @property
    def latency_s(self) -> float:
        return self.busy_s + self.overhead_s

    @property
    def energy_j(self) -> float:
        device = self.device
        return device.tdp_w * (device.active_fraction * self.busy_s + device.idle_fraction * self.overhead_s)


def step_times(graph: OperatorGraph, step: Step, device: Device, fmt: str) -> list[OperatorTime]:
    """Every operator of one step.

    Parameters
    ----------
    fmt : number format of the model; the device runs it as `device.runs(fmt)`
    """
    return [
        _time(op, tuple(graph.tensor(name) for name in op.inputs), graph.tensor(op.name), step, device, fmt)
        for op in graph.operators
        if not op.is_view
    ]


def steps_of(workload: DecoderWorkload) -> Iterator[Step]:
    """The passes over the layers on such a device: the prompt at once, then token by token."""
    return workload.steps(max(1, workload.run.prompt))


def decode_latency_slow(workload: DecoderWorkload, device: Device, graph: OperatorGraph | None = None) -> Modelled:
    """Sum over all steps and operators, straight from the definition."""
    graph, fmt = graph or build_graph(workload), model_format(workload)
    times = [time for step in steps_of(workload) for time in step_times(graph, step, device, fmt)]
    return _modelled(device, fmt, [time.busy_s for time in times], [time.overhead_s for time in times])


def decode_latency(workload: DecoderWorkload, device: Device, graph: OperatorGraph | None = None) -> Modelled:
    """The same sum; equal operators are computed once, and those independent of the context once for all equal steps.

    Parameters
    ----------
    graph : the workload's graph, built here unless given

    Raises
    ------
    MachineError : a format or an operator that the model does not support
    """
    graph, fmt = graph or build_graph(workload), model_format(workload)
    steps = Counter(steps_of(workload))
    shapes: Counter[Step] = Counter()
    for step, count in steps.items():
        shapes[replace(step, context=step.queries)] += count
    alike = list(shapes.items())
    busy, overhead = [], []
    for (op, inputs, output), same in _kinds(graph).items():
        grows = any("context" in tensor.shape for tensor in (*inputs, output))
        for step, count in steps.items() if grows else alike:
            time = _time(op, inputs, output, step, device, fmt)
            busy.append(time.busy_s * count * same)
            overhead.append(time.overhead_s * count * same)
    return _modelled(device, fmt, busy, overhead)


def model_format(workload: DecoderWorkload) -> str:
    """The workload's number format by its plain name."""
    return str(parse_format(workload.model.format))


def _time(
    op: Operator, inputs: tuple[Tensor, ...], output: Tensor, step: Step, device: Device, fmt: str
) -> OperatorTime:
    if not output.elements(step):  # no vector passes: what follows the layers, in a step of which nothing comes out
        return OperatorTime(name=op.name, kind=op.kind, compute_s=0.0, memory_s=0.0, overhead_s=0.0)
    moved = elements_moved(op, inputs, output, step) * ELEMENT_BYTES[device.runs(fmt)]
    return kernel_time(op.name, op.kind, macs=op.macs(step), moved_bytes=moved, device=device, fmt=fmt)


def kernel_time(name: str, kind: str, *, macs: int, moved_bytes: int, device: Device, fmt: str) -> OperatorTime:
    """One kernel on a device that runs a model in `fmt` as `device.runs(fmt)`."""
    return OperatorTime(
        name=name,
        kind=kind,
        compute_s=2 * macs / (device.flop_per_s[device.runs(fmt)] * device.compute_efficiency),
        memory_s=moved_bytes / (device.memory_bytes_per_s * device.memory_efficiency),
        overhead_s=device.launch_overhead_s,
    )


def _kinds(graph: OperatorGraph) -> Counter[tuple[Operator, tuple[Tensor, ...], Tensor]]:
    """Operators with their tensors, names left out, and how often each occurs."""
    found: Counter[tuple[Operator, tuple[Tensor, ...], Tensor]] = Counter()
    for op in graph.operators:
        if op.is_view:
            continue
        inputs = tuple(replace(graph.tensor(name), name="") for name in op.inputs)
        found[
            replace(op, name="", inputs=(), layer=None, role=None), inputs, replace(graph.tensor(op.name), name="")
        ] += 1
    return found


def _modelled(device: Device, fmt: str, busy: list[float], overhead: list[float]) -> Modelled:
    return Modelled(device=device, format=device.runs(fmt), busy_s=fsum(busy), overhead_s=fsum(overhead))
