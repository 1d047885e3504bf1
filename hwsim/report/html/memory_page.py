"""What `hwsim dram` found as one self-contained page: a memory over load, and one play of it bank by bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.limits import limit
from hwsim.replay.energy_lines import NAMES
from hwsim.replay.load_report import LoadSweep
from hwsim.replay.memory_report import Latency, MemoryReport
from hwsim.report.headline import Figure
from hwsim.report.html.document import document
from hwsim.report.html.load_figures import load_figure, loads_figure
from hwsim.report.html.memory_figures import accesses_figure, commands_figure, distribution_figure, hits_figure
from hwsim.report.quantities import hertz_text, joules_text
from hwsim.version import VERSION

if TYPE_CHECKING:
    from hwsim.dram.random_access.served import LatencyCounts, Served

FROM_ARRIVAL = "from the arrival of a request to the cycle in which its data is complete"
FROM_TAKING = "from the cycle in which the controller took a request to the cycle in which its data is complete"


@dataclass(frozen=True, kw_only=True)
class _Play:
    """The play that is shown bank by bank: its heading, and from when on its latencies count."""

    heading: str
    served: Served
    latencies: Mapping[str, LatencyCounts]
    counted: str

    @property
    def rows(self) -> dict[str, Latency]:
        each = {kind: Latency.of(counts) for kind, counts in self.latencies.items()}
        return {kind: latency for kind, latency in each.items() if latency}


def sweep_page(sweep: LoadSweep) -> str:
    """The page of a load sweep, with the play at the knee, or without one at saturation."""
    shown = sweep.loads.knee or sweep.loads.saturation
    at = f"At the knee, {sweep.share(shown):.1%} of saturation" if sweep.loads.knee else "At saturation"
    served = shown.served
    play = _Play(
        heading=at,
        served=served,
        latencies={"read": served.read_responses, "write": served.write_responses},
        counted=FROM_ARRIVAL,
    )
    return _page(sweep, play, sweep, _sweep_cards(sweep), requests=shown.requests)


def memory_page(report: MemoryReport, sweep: LoadSweep | None = None) -> str:
    """The page of one play of a memory, and of the same requests over load."""
    served = report.served
    taken = {"read": served.read_latencies, "write": served.write_latencies}
    arrived = {"read": served.read_responses, "write": served.write_responses}
    timed = _total(arrived) == _total(taken)  # each request has an arrival
    play = _Play(
        heading="This run",
        served=served,
        latencies=arrived if timed else taken,
        counted=FROM_ARRIVAL if timed else FROM_TAKING,
    )
    return _page(report, play, sweep, _run_cards(report), requests=report.requests)


def _total(latencies: Mapping[str, LatencyCounts]) -> int:
    return sum(counts.total for counts in latencies.values())


def _page(
    source: LoadSweep | MemoryReport, play: _Play, sweep: LoadSweep | None, cards: list[Figure], *, requests: int
) -> str:
    standard = source.standard
    figures = {"load": load_figure(sweep), "loads": loads_figure(sweep)} if sweep else {}
    figures |= _play_figures(play, standard)
    channel_cycles = play.served.cycles * source.mapping.channels
    return document(
        "memory.html",
        figures,
        filters={"hertz": hertz_text, "joules": joules_text},
        source=source,
        standard=standard,
        controller=asdict(source.parameters),
        play=play,
        sweep=sweep,
        cards=cards,
        requests=requests,
        ns=float(10**9 / standard.clock_hz),
        command_share=sum(play.served.commands.values()) / channel_cycles,
        energy=source.energy if isinstance(source, MemoryReport) else None,
        energy_names=NAMES,
        version=VERSION,
    )


def _play_figures(play: _Play, standard: Standard) -> dict[str, Any]:
    drawn = {}
    if play.served.accesses:
        drawn = {
            "hits": hits_figure(play.served, standard),
            "accesses": accesses_figure(play.served, standard),
            "commands": commands_figure(play.served),
        }
    return {**drawn, "distribution": distribution_figure(play.latencies, float(10**9 / standard.clock_hz))}


def _sweep_cards(sweep: LoadSweep) -> list[Figure]:
    saturation = sweep.bytes_per_s(sweep.loads.saturation.delivered)
    unloaded = sweep.unloaded.latency
    cards = [
        Figure(
            name="saturation",
            value=f"{saturation / 1e9:,.3f} GB/s",
            remark=f"{saturation / sweep.peak_bytes_per_s:.1%} of {sweep.peak_bytes_per_s / 1e9:,.3f} GB/s that the "
            "timing allows",
        ),
        Figure(
            name=f"unloaded {sweep.kind} latency",
            value=f"{unloaded * sweep.ns:,.1f} ns",
            remark=f"mean of {sweep.share(sweep.unloaded):.0%} of saturation, {unloaded:,.1f} cycles",
        ),
    ]
    knee = sweep.loads.knee
    if knee is None:
        return [*cards, Figure(name="knee", value="none", remark="the memory carries all that the host can offer")]
    return [
        *cards,
        Figure(
            name="knee",
            value=f"{sweep.bytes_per_s(knee.delivered) / 1e9:,.3f} GB/s",
            remark=f"{sweep.share(knee):.1%} of saturation",
        ),
        Figure(
            name=f"{sweep.kind} latency at the knee",
            value=f"{knee.latency * sweep.ns:,.1f} ns",
            remark=f"mean; 99th percentile {knee.latencies.percentile(99) * sweep.ns:,.1f} ns",
        ),
    ]


def _run_cards(report: MemoryReport) -> list[Figure]:
    served, ns = report.served, float(10**9 / report.standard.clock_hz)
    strictest = limit(report.standard, served, report.row_visits)
    cards = [
        Figure(
            name="bandwidth",
            value=f"{report.bytes_per_s / 1e9:,.3f} GB/s",
            remark=f"{report.bytes_per_s / report.peak_bytes_per_s:.1%} of {report.peak_bytes_per_s / 1e9:,.3f} GB/s "
            "that the timing allows",
        ),
        Figure(
            name="time",
            value=f"{report.seconds * 1e6:,.3f} us",
            remark=f"{served.cycles:,} cycles at {hertz_text(float(report.standard.clock_hz))}",
        ),
        Figure(
            name="of what these accesses allow",
            value=f"{strictest.cycles / served.cycles:.1%}",
            remark=f"limit: {strictest.name}, {strictest.cycles:,} cycles without refresh",
        ),
        Figure(
            name="row hits",
            value=f"{served.row_hit_rate:.2%}",
            remark=f"{served.activates:,} activates for {served.accesses:,} accesses",
        ),
    ]
    for kind, counts in (("read", served.read_latencies), ("write", served.write_latencies)):
        if counts.total:
            cards.append(
                Figure(
                    name=f"{kind} latency",
                    value=f"{counts.mean * ns:,.1f} ns",
                    remark=f"mean in the controller; 99th percentile {counts.percentile(99) * ns:,.1f} ns",
                )
            )
    return cards
