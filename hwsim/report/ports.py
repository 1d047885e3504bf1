"""The AXI ports of a machine on an FPGA: what passed them, and what single beats cost there."""

from __future__ import annotations

from collections.abc import Iterable

from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import MemorySystem
from hwsim.fabric.player import PortUse
from hwsim.fabric.probe import single_beat_cycles
from hwsim.report.run_time import RunTime
from hwsim.report.schema import AxiPortUse


def axi_port_uses(time: RunTime, base: TimeBase, system: MemorySystem, uses: Iterable[PortUse]) -> list[AxiPortUse]:
    """The section of a report: each port and direction that was used.

    Parameters
    ----------
    time : whose clock is the fabric's
    """
    seconds = time.seconds(time.ticks)
    return [
        AxiPortUse(
            port=use.port,
            direction="write" if use.write else "read",
            transactions=use.transactions,
            size_bytes=use.size_bytes,
            bytes_per_s=use.size_bytes / seconds,
            busy_cycles=use.busy_cycles,
            utilisation=time.share(time.clock.ticks(use.busy_cycles)),
            cycles_per_single_beat=single_beat_cycles(base, system, use.port, write=use.write),
        )
        for use in uses
        if use.beats
    ]
