"""Companions that tests play: the default parameters, small ones, and the memory of an Alveo U55C."""

from __future__ import annotations

from functools import cache
from typing import Any

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.engine.clock import TimeBase
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.companion.plan import plan_operator
from hwsim.machines.swat.companion.player import CompanionPlayer
from hwsim.machines.swat.companion.spec import MatrixSpec, VectorSpec
from hwsim.machines.swat.companion.work import CompanionWork
from hwsim.mapping.formats import FP16, FP32, Float
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import check_workload
from hwsim.pipeline import load_workload

CLOCK_HZ = 300_000_000
MATRIX: dict[str, Any] = {
    "dsps": 3072,
    "array_rows": 8,
    "rows": 128,
    "channels": 8,
    "weight_channels": 4,
    "buffer_bytes": 16 << 20,
    "bank_bytes": 1 << 20,
    "multiply_latency": 4,
    "add_latency": 8,
}
VECTOR: dict[str, Any] = {
    "lanes": 32,
    "adders": 2,
    "multipliers": 2,
    "add_latency": 8,
    "multiply_latency": 4,
    "exp_latency": 20,
    "divide_latency": 28,
    "root_latency": 28,
}


def companion(*, fmt: Float = FP16, lanes: int = 32, **matrix: Any) -> Companion:
    """The units by default, with other parameters of the matrix unit."""
    return Companion.of(
        MatrixSpec(**{**MATRIX, **matrix}),
        VectorSpec(**{**VECTOR, "lanes": lanes}),
        fmt=fmt,
        sum_fmt=FP32,
        clock_hz=CLOCK_HZ,
    )


@cache
def channel(*, refresh: bool = True) -> BurstChannel:
    """A pseudo channel of the board."""
    return BurstChannel(
        standard=load_standard("hbm2_u55c", refresh=refresh),
        parameters=load_parameters({"row_policy": "closed_adaptive"}),
    )


def time_base() -> TimeBase:
    return TimeBase.of({"fabric": CLOCK_HZ, "memory": channel().standard.clock_hz})


def player(of: Companion, *, refresh: bool = True) -> CompanionPlayer:
    """A player with that memory behind it."""
    return CompanionPlayer(of, channel(refresh=refresh), time_base(), request_ns=50, response_ns=50)


def planned(workload: str | dict[str, Any], of: Companion) -> tuple[OperatorGraph, Step, list[CompanionWork]]:
    """The graph of a workload, its first step, and what the companion does in it."""
    loaded = load_workload(workload) if isinstance(workload, str) else check_workload(workload, origin="a test")
    graph, step = build_graph(loaded), next(iter(loaded.steps()))
    return graph, step, [plan_operator(op, graph, step, of) for op in graph.operators if op.kind != "attention"]


def works_of(workload: str | dict[str, Any], of: Companion) -> list[CompanionWork]:
    """What the companion does in the first step of a workload."""
    return planned(workload, of)[2]
