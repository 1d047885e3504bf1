"""What a load sweep reports: saturation, the knee and each load, as JSON and for a terminal."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.replay.knee import KneeRule, Loads
from hwsim.replay.memory_choice import MemoryChoice
from hwsim.replay.memory_report import Latency, memory_fields, peak_bytes_per_s

if TYPE_CHECKING:
    from hwsim.replay.load_point import LoadPoint

SCHEMA_VERSION = 1
MARGIN = " " * 12  # of the text for a terminal


@dataclass(frozen=True, kw_only=True)
class LoadSweep:
    """A memory under one load after the other; bandwidths are of requests, each of one column access's bytes."""

    standard: Standard
    memory: MemoryChoice
    mapping: AddressMapping
    parameters: ControllerParameters
    pattern: str
    read_share: float
    rule: KneeRule
    loads: Loads[LoadPoint]
    unconfirmed: tuple[str, ...]

    @property
    def unloaded(self) -> LoadPoint:
        return self.loads.points[0]

    @property
    def ns(self) -> float:
        """A cycle in nanoseconds."""
        return float(10**9 / self.standard.clock_hz)

    @property
    def peak_bytes_per_s(self) -> float:
        return peak_bytes_per_s(self.standard) * self.mapping.channels

    def bytes_per_s(self, requests_per_cycle: float) -> float:
        return float(requests_per_cycle * self.standard.column_bytes * self.standard.clock_hz)

    def share(self, point: LoadPoint) -> float:
        """What a load offers, as a share of saturation."""
        return float(point.offered) / self.loads.saturation.delivered

    @property
    def kind(self) -> str:
        """The requests whose latency the rule looks at."""
        return "read" if self.unloaded.served.read_responses.total else "write"

    def to_json(self) -> str:
        knee = self.loads.knee
        document = {
            "schema_version": SCHEMA_VERSION,
            **memory_fields(self.standard, self.memory, self.mapping, self.parameters),
            "pattern": self.pattern,
            "read_share": self.read_share,
            "requests": self.unloaded.requests,
            "peak_bytes_per_s": self.peak_bytes_per_s,
            "rule": asdict(self.rule),
            "unloaded_latency_cycles": self.unloaded.latency,
            "saturation": self._load(self.loads.saturation),
            "knee": self._load(knee) if knee else None,
            "loads": [self._load(point) for point in self.loads.points],
            "unconfirmed": list(self.unconfirmed),
        }
        return json.dumps(document, indent=2) + "\n"

    def _load(self, point: LoadPoint) -> dict[str, Any]:
        served = point.served
        kinds = {"read": served.read_responses, "write": served.write_responses}
        latencies = {kind: Latency.of(counts) for kind, counts in kinds.items()}
        return {
            "offered_requests_per_cycle": float(point.offered),
            "delivered_requests_per_cycle": point.delivered,
            "offered_bytes_per_s": self.bytes_per_s(float(point.offered)),
            "delivered_bytes_per_s": self.bytes_per_s(point.delivered),
            "share_of_saturation": self.share(point),
            "cycles": served.cycles,
            "latency_cycles": {kind: asdict(latency) if latency else None for kind, latency in latencies.items()},
            "row_hit_rate": served.row_hit_rate,
            "commands": served.commands,
        }

    def to_text(self) -> str:
        """The report for a terminal."""
        saturation = self.bytes_per_s(self.loads.saturation.delivered)
        channels = f"{self.mapping.channels} channel{'s' * (self.mapping.channels > 1)}"
        lines = [
            f"{self.memory.title(self.standard)}: {self.pattern}, {self.unloaded.requests:,} requests at each load "
            f"on {channels}, mapping {self.mapping.name}",
            f"saturation  {saturation / 1e9:,.3f} GB/s, {saturation / self.peak_bytes_per_s:.1%} of "
            f"{self.peak_bytes_per_s / 1e9:,.3f} GB/s that the timing allows",
            f"unloaded    mean {self.kind} latency {self._latency(self.unloaded)}",
            f"knee        {self._knee()}",
            "",
            f"{'offered':>9} {'delivered':>10}  {'load':>6}  {self.kind} latency from arrival (ns)",
            f"{'GB/s':>9} {'GB/s':>10}  {'':>6}  {'mean':>9} {'p50':>9} {'p99':>9} {'max':>9}",
        ]
        lines += [self._row(point) for point in self.loads.points]
        if self.unconfirmed:
            lines.append("unconfirmed (remembered or assumed): " + ", ".join(self.unconfirmed))
        return "\n".join(lines) + "\n"

    def knee_text(self) -> str:
        """What the knee is, for people."""
        return (
            f"the highest load at which the mean {self.kind} latency is at most {self.rule.growth:g} times the "
            f"unloaded one and the memory keeps up: the last request is taken late by at most "
            f"{self.rule.lateness:.0%} of the time plus the longest unloaded latency"
        )

    def _knee(self) -> str:
        knee = self.loads.knee
        if knee is None:
            return "none: the memory carries all that the host can offer"
        bandwidth = self.bytes_per_s(knee.delivered) / 1e9
        said = f"{bandwidth:,.3f} GB/s, {self.share(knee):.1%} of saturation, latency {self._latency(knee)}:"
        return "\n".join([said, *textwrap.wrap(self.knee_text(), 100, initial_indent=MARGIN, subsequent_indent=MARGIN)])

    def _latency(self, point: LoadPoint) -> str:
        return f"{point.latency:,.1f} cycles ({point.latency * self.ns:,.1f} ns)"

    def _row(self, point: LoadPoint) -> str:
        counts = point.latencies
        cycles = (point.latency, counts.percentile(50), counts.percentile(99), counts.cycles[-1])
        bandwidths = self.bytes_per_s(float(point.offered)) / 1e9, self.bytes_per_s(point.delivered) / 1e9
        mark = "  knee" if point is self.loads.knee else ""
        return (
            f"{bandwidths[0]:9,.3f} {bandwidths[1]:10,.3f}  {self.share(point):6.1%}  "
            + " ".join(f"{c * self.ns:9,.1f}" for c in cycles)
            + mark
        )
