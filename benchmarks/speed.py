"""Speed of the DRAM engine: the fast player against the reference, and on a run.

    python benchmarks/speed.py

Ratios are measured in one process, one after the other; absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from hwsim import load_workload, run
from hwsim.dram.in_order.package import Package, PackageProgram, channel_requests
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.machines.pim_gpt.instructions import PimWork, Program
from hwsim.pipeline import prepare


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def step_programs(tokens: int) -> tuple[Program, list[tuple[PackageProgram, int]]]:
    """The DRAM programs of gpt2's last step, with their rows."""
    workload = load_workload("gpt2", tokens=tokens)
    program = prepare(workload).program
    assert isinstance(program, Program)
    last = list(workload.steps())[-1]
    work = [(i.work.program, i.row_base) for i in program.instructions(last) if isinstance(i.work, PimWork)]
    return program, work


def main() -> None:
    program, work = step_programs(512)
    spec = program.spec

    def fast() -> Package:
        package = Package(spec.standard, spec.channels)
        now = 0
        for requests, base in work:
            now = package.play(requests, now, row_base=base)
        return package

    def reference() -> list[ReferenceChannel]:
        channels = [ReferenceChannel(spec.standard) for _ in range(spec.channels)]
        now = 0
        for requests, base in work:
            ends = []
            for index, channel in enumerate(channels):
                own = channel_requests(requests, index, spec.standard)
                ends.append(channel.play([replace(request, row=request.row + base) for request in own], now))
            now = max(ends)
        return channels

    fast()  # compile or load
    repeats = 20
    fast_seconds = seconds(lambda: [fast() for _ in range(repeats)]) / repeats
    slow_seconds = seconds(reference)
    package = fast()
    commands = sum(package.counts.values())
    assert commands == sum(len(channel.log) for channel in reference()), "the players must agree"
    print(f"one token of gpt2 at context 512: {commands:,} DRAM commands on {spec.channels} channels")
    print(f"  fast       {commands / fast_seconds:15,.0f} commands/s represented")
    print(f"             {package.steps / fast_seconds:15,.0f} steps/s ({package.steps:,} steps)")
    print(f"  reference  {commands / slow_seconds:15,.0f} commands/s")
    print(f"  ratio      {slow_seconds / fast_seconds:15,.0f}")

    workload = load_workload("gpt2")
    begin = time.perf_counter()
    report = run(workload)
    took = time.perf_counter() - begin
    d = report.dram
    print(f"gpt2, 1,024 tokens: {took:.2f} s, {d.commands_represented:,} commands, {d.steps_executed:,} steps")
    print(f"  {d.commands_represented / took:,.0f} commands/s represented, {d.steps_executed / took:,.0f} steps/s")


if __name__ == "__main__":
    main()
