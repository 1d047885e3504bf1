"""Runs of heads of attention, and of small models, on the machine swat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.machines.swat import MACHINE
from hwsim.machines.swat.model import Execution
from hwsim.mapping.workload.load import check_workload
from hwsim.mapping.workload.workload import Workload
from hwsim.pipeline import Stages, prepare, run
from hwsim.report.schema import AttentionUse, Report

Settings = Mapping[str, Any]
PROVENANCE = {"grade": "A", "source": "a test"}
HEAD: dict[str, Any] = {
    "name": "head", "family": "kernel", "machine": "swat", "operator": "attention", "heads": 1, "head_dim": 64,
    "pattern": "window(256, 255)", "tokens": 512, "provenance": PROVENANCE,
}  # fmt: skip
MODEL: dict[str, Any] = {
    "name": "small", "family": "long_context", "machine": "swat", "layers": 2, "d_model": 128, "heads": 2, "d_ff": 256,
    "vocab": 1000, "n_ctx": 256, "patterns": ["window(16, 16)"], "tokens": 96, "format": "fp16",
    "provenance": PROVENANCE,
}  # fmt: skip


def head(**fields: Any) -> Workload[Any, Any]:
    """A head of 64 elements with 512 tokens and 2w = 512 keys for each; any field may be replaced."""
    return check_workload({**HEAD, **fields}, origin="head")


def small_model(**fields: Any) -> Workload[Any, Any]:
    """Two layers of two heads over 96 tokens; any field may be replaced."""
    return check_workload({**MODEL, **fields}, origin="small")


def report_of(workload: Workload[Any, Any], settings: Settings | None = None) -> Report:
    """The report of a run, through the whole path."""
    return run(workload, None, settings)


def head_report(settings: Settings | None = None, **fields: Any) -> Report:
    """Of a head."""
    return report_of(head(**fields), settings)


def cycles(settings: Settings | None = None, **fields: Any) -> int:
    """Of a head."""
    return head_report(settings, **fields).cycles


def attention(settings: Settings | None = None, **fields: Any) -> AttentionUse:
    """What became of a head whose heads all see the same keys."""
    uses = head_report(settings, **fields).attention
    assert uses is not None
    assert len(uses) == 1
    return uses[0]


def prepared(workload: Workload[Any, Any], settings: Settings | None = None) -> Stages:
    """The stages of the path up to the program."""
    return prepare(workload, None, settings)


def execution(workload: Workload[Any, Any], settings: Settings | None = None) -> Execution:
    """A run that has ended, before its report is made."""
    return MACHINE.simulate(prepared(workload, settings).program)
