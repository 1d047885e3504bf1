"""A machine's run against the modelled devices, for the report's published figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hwsim.baselines.device import Device, find_device
from hwsim.baselines.roofline import Modelled, decode_latency
from hwsim.errors import MachineError
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """What the device needs divided by what the machine needs; None if there is no ratio, and `note` then says why."""

    value: float | None
    note: str


def baseline_ratios(
    workload: DecoderWorkload, *, latency_s: float, energy_j: float | None, keys: Iterable[str]
) -> Mapping[str, Ratio]:
    """Speed-up (`speedup_KEY`) and energy ratio (`energy_KEY`) of a run over modelled devices.

    The devices run the workload's own graph: operators that a machine splits would cost them more launches.
    """
    graph = build_graph(workload)
    found: dict[str, Ratio] = {}
    for key in sorted(set(keys)):
        device = find_device(key)
        try:
            modelled = decode_latency(workload, device, graph)
        except MachineError as cause:
            none = Ratio(value=None, note=f"not comparable: {cause}")
            found |= {f"speedup_{key}": none, f"energy_{key}": none}
            continue
        found[f"speedup_{key}"] = Ratio(value=modelled.latency_s / latency_s, note=_timing(modelled))
        found[f"energy_{key}"] = (
            Ratio(value=None, note="not comparable: energy not modelled")
            if energy_j is None
            else Ratio(value=modelled.energy_j / energy_j, note=f"{_timing(modelled)}; {_power(device)}")
        )
    return found


def _timing(modelled: Modelled) -> str:
    device = modelled.device
    return (
        f"ours over a modelled {device.name} (roofline in {modelled.format}, "
        f"{device.launch_overhead_s * 1e6:g} us an operator), theirs over a measured one"
    )


def _power(device: Device) -> str:
    busy, waiting = device.tdp_w * device.active_fraction, device.tdp_w * device.idle_fraction
    return f"{busy:g} W busy and {waiting:g} W between operators"
