"""What `hwsim dram` reports: bandwidth, row hits, latencies and commands, as JSON and for a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.limits import limit, refresh_share
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.dram.random_access.requests import Ints
from hwsim.replay.energy_lines import energy_fields, energy_lines
from hwsim.replay.memory_choice import MemoryChoice

if TYPE_CHECKING:
    from hwsim.dram.currents.energy import PlayEnergy
    from hwsim.dram.random_access.served import LatencyCounts, Served

SCHEMA_VERSION = 1
PERCENTILES = (50, 90, 99)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Latency of one kind of request in cycles, to its completion; percentiles by the nearest rank."""

    requests: int
    mean: float
    percentiles: dict[str, int]
    max: int

    @classmethod
    def of(cls, latencies: LatencyCounts) -> Latency | None:
        """None without requests."""
        if not latencies.total:
            return None
        return cls(
            requests=latencies.total,
            mean=latencies.mean,
            percentiles={f"p{percent}": latencies.percentile(percent) for percent in PERCENTILES},
            max=int(latencies.cycles[-1]),
        )


@dataclass(frozen=True, kw_only=True)
class MemoryReport:
    """What a pattern took.

    Attributes
    ----------
    row_visits : (channels, banks) how often rows had to be opened (`RowVisits`)
    """

    standard: Standard
    memory: MemoryChoice
    mapping: AddressMapping
    parameters: ControllerParameters
    pattern: str
    rate: Fraction
    requests: int
    served: Served
    row_visits: Ints
    unconfirmed: tuple[str, ...]
    energy: PlayEnergy | None = None

    @property
    def seconds(self) -> float:
        return float(self.served.cycles / self.standard.clock_hz)

    @property
    def bytes_per_s(self) -> float:
        """Bytes moved by column accesses, divided by the time until the last one completed."""
        moved = self.served.accesses * self.standard.column_bytes
        return moved / self.seconds if moved else 0.0

    @property
    def peak_bytes_per_s(self) -> float:
        return peak_bytes_per_s(self.standard) * self.mapping.channels

    def to_json(self) -> str:
        served = self.served
        strictest = limit(self.standard, served, self.row_visits)
        document = {
            "schema_version": SCHEMA_VERSION,
            **memory_fields(self.standard, self.memory, self.mapping, self.parameters),
            "pattern": self.pattern,
            "requests_per_cycle": float(self.rate),
            "requests": self.requests,
            "cycles": served.cycles,
            "time_s": self.seconds,
            "bytes_per_s": self.bytes_per_s,
            "peak_bytes_per_s": self.peak_bytes_per_s,
            "share_of_peak": self.bytes_per_s / self.peak_bytes_per_s,
            "limit": {"name": strictest.name, "cycles": strictest.cycles},
            "share_of_limit": strictest.cycles / served.cycles,
            "activates_per_access": served.activates / max(1, served.accesses),
            "row_visits": int(self.row_visits.sum()),
            "refresh_share": refresh_share(self.standard),
            "row_hit_rate": served.row_hit_rate,
            "row_hits": served.hits,
            "row_misses": served.misses,
            "row_conflicts": served.conflicts,
            "forwarded_reads": served.forwarded,
            "merged_writes": served.merged,
            "latency_cycles": _by_kind(served.read_latencies, served.write_latencies),
            "response_cycles": _by_kind(served.read_responses, served.write_responses),
            "commands": served.commands,
            "channel_commands": served.channel_commands,
            "energy": None if self.energy is None else energy_fields(self.energy),
            "unconfirmed": list(self.unconfirmed),
        }
        return json.dumps(document, indent=2) + "\n"

    def to_text(self) -> str:
        """The report for a terminal."""
        served, ns = self.served, float(10**9 / self.standard.clock_hz)
        channels = f"{self.mapping.channels} channel{'s' * (self.mapping.channels > 1)}"
        strictest, share = limit(self.standard, served, self.row_visits), refresh_share(self.standard)
        refreshed = f"; refresh takes {share:.1%} of the time" if share else ""
        lines = [
            f"{self.memory.title(self.standard)}: {self.pattern}, {self.requests:,} requests on {channels}, "
            f"mapping {self.mapping.name}",
            f"cycles     {served.cycles:,} ({self.seconds * 1e6:,.3f} us at {1 / ns:.4g} GHz)",
            f"bandwidth  {self.bytes_per_s / 1e9:,.3f} GB/s, {self.bytes_per_s / self.peak_bytes_per_s:.1%} of "
            f"{self.peak_bytes_per_s / 1e9:,.3f} GB/s that the timing allows",
            f"limit      {strictest.cycles / served.cycles:.1%} of what is possible for these accesses: "
            f"{strictest.name}, {strictest.cycles:,} cycles" + refreshed,
            f"rows       {served.row_hit_rate:.2%} hits: {served.hits:,} hits, {served.misses:,} misses, "
            f"{served.conflicts:,} conflicts",
        ]
        for kind, counts, what in (
            ("reads", served.read_latencies, "latency"),
            ("writes", served.write_latencies, "latency"),
            ("reads", served.read_responses, "from arrival"),
            ("writes", served.write_responses, "from arrival"),
        ):
            latency = Latency.of(counts)
            if latency:
                ranks = {**latency.percentiles, "max": latency.max}
                listed = ", ".join(f"{name} {cycles} ({cycles * ns:,.1f} ns)" for name, cycles in ranks.items())
                lines.append(f"{kind:10} {latency.requests:,}: {what} in cycles {listed}")
        if served.forwarded or served.merged:
            lines.append(f"queues     {served.forwarded:,} reads forwarded, {served.merged:,} writes merged")
        lines.append("commands   " + ", ".join(f"{name} {n:,}" for name, n in served.commands.items()))
        if self.energy is not None:
            lines += energy_lines(self.energy)
        if self.unconfirmed:
            lines.append("unconfirmed (remembered or assumed): " + ", ".join(self.unconfirmed))
        return "\n".join(lines) + "\n"


def _by_kind(reads: LatencyCounts, writes: LatencyCounts) -> dict[str, Any]:
    latencies = {"read": Latency.of(reads), "write": Latency.of(writes)}
    return {kind: asdict(latency) if latency else None for kind, latency in latencies.items()}


def memory_fields(
    standard: Standard, memory: MemoryChoice, mapping: AddressMapping, parameters: ControllerParameters
) -> dict[str, Any]:
    """What was played on, as a document names it."""
    bin, device = memory.named()
    return {
        "standard": standard.name,
        "bin": bin,
        "device": device,
        "ranks": standard.ranks,
        "clock_hz": float(standard.clock_hz),
        "timing": dict(standard.params),
        "refresh": standard.refresh is not None,
        "refresh_mode": memory.refresh,
        "channels": mapping.channels,
        "mapping": mapping.name,
        "controller": asdict(parameters),
    }


def peak_bytes_per_s(standard: Standard) -> float:
    """Bandwidth of one channel with reads issued as closely as the table allows in the best case."""
    spacing = max(
        (
            c.latency
            for c in standard.constraints
            if c.preceding == c.following == "RD" and standard.banks_below(c.level) == standard.banks
        ),
        default=1,
    )
    return float(standard.column_bytes * standard.clock_hz / spacing)
