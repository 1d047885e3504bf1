"""Llama on PIM-GPT: one device with enough channels, and several devices; a token after a filled cache."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from hwsim import load_workload, run
from hwsim.report.schema import Report

# (tensor_parallel, pipeline_parallel) at the machine's shipped number of channels
SPREADS = ((4, 1), (8, 1), (1, 4), (1, 8), (2, 4), (4, 2))
CHANNELS = 32


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["llama2_7b", "llama3_8b"])
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--schedule", default="paper")
    options = parser.parse_args(arguments)
    print(f"one token at a context of {options.context}, batch 1, blocks alone, schedule {options.schedule}")
    print(f"{'model':10} {'devices':>22} {'us/token':>9} {'link':>7} {'attention':>9} {'memory in use':>24}")
    for model in options.models:
        _row(model, f"1 of {CHANNELS} channels", _one(model, options, channels=CHANNELS))
        for tensor, pipeline in SPREADS:
            spread = {"devices": tensor * pipeline, "tensor_parallel": tensor, "pipeline_parallel": pipeline}
            _row(model, f"{tensor * pipeline} = TP {tensor} x PP {pipeline}", _one(model, options, **spread))


def _one(model: str, options: argparse.Namespace, **settings: Any) -> Report:
    workload = load_workload(model, past=options.context - 1, tokens=1)
    return run(workload, "pim_gpt", settings={**settings, "schedule": options.schedule})


def _row(model: str, devices: str, report: Report) -> None:
    link = sum(stage.link_seconds for stage in report.devices.stages) if report.devices else 0.0
    attention = sum(part.share for part in report.breakdown if part.kind.startswith(("attention", "kv", "softmax")))
    banks = report.memory("banks")
    memory, capacity = banks.used_bytes / 2**30, banks.size_bytes / 2**30
    print(
        f"{model:10} {devices:>22} {report.latency_s * 1e6:9.1f} {link / report.latency_s:7.1%} {attention:9.1%} "
        f"{memory:13.2f} of {capacity:3.0f} GiB"
    )


if __name__ == "__main__":
    main()
