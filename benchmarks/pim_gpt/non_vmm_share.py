"""What share of the time is not vector-matrix multiplication, by model and context.

python benchmarks/pim_gpt/non_vmm_share.py [--tokens N] [--workloads NAME ...] [--set KEY=VALUE]

VMM is the time of the instructions that multiply on the channels, with their transfers, row changes and refreshes.
The rest is writing K and V, and the ASIC's work; in the paper's schedule units alternate, so the parts add up. The
last column is the time of all transfers between ASIC and DRAM, which lies within VMM and the writes.
"""

from __future__ import annotations

from typing import Any

from question import NO_ROOM, parse, parser, print_table, report_of, save_figure, settings_of, start

from hwsim import load_workload
from hwsim.report.schema import Report

CONTEXTS = (128, 1024, 4096)
PARTS = ("VMM", "K and V writes", "softmax", "norm", "GELU", "sums", "waits")
TRANSFERS = "transfers between ASIC and DRAM"


def parts(report: Report) -> list[float]:
    """Shares of the time in the order of PARTS; they add up to 1. Sums are partial sums, biases and residuals."""
    shares = {part.kind: part.share for part in report.breakdown}
    busy = {unit.name: unit.utilisation for unit in report.units}
    named = [shares[kind] for kind in ("softmax", "norm", "act")]
    writes = shares["kv_cache"]
    return [busy["pim"] - writes, writes, *named, busy["asic"] - sum(named), 1 - busy["pim"] - busy["asic"]]


def main() -> None:
    options = parse(parser(__doc__, "non_vmm_share", tokens=16))
    common = settings_of(options)
    found = []
    for model in options.workloads:
        for context in CONTEXTS:
            tokens = min(options.tokens, context)
            workload = load_workload(model, past=context - tokens, tokens=tokens, n_ctx=context)
            found.append((f"{model} {context:,}", report_of(workload, workload, common)))
    rows = []
    for name, report in found:
        if report is None:
            rows.append([name, NO_ROOM, *["-"] * (len(PARTS) + 1)])
            continue
        shares = parts(report)
        cells = [1 - shares[0], *shares, report.bound.seconds("transfers") / report.latency_s]
        rows.append([name, *(f"{cell:.1%}" for cell in cells)])
    title = f"share of the time, the last {options.tokens} tokens before each context"
    print_table(title, ["model, context", "not VMM", *PARTS, TRANSFERS], rows)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        shown = [(name, parts(report)) for name, report in found if report]
        left = [0.0] * len(shown)
        for index, part in enumerate(PARTS[:-1]):
            widths = [100 * shares[index] for _, shares in shown]
            axes.barh([name for name, _ in shown], widths, left=left, label=part)
            left = [before + width for before, width in zip(left, widths)]
        axes.invert_yaxis()
        axes.set(xlabel="share of the time (%)", xlim=(0, 100), title=title)
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside lower center", ncols=6, fontsize=9)

    save_figure(options, draw, size=(8, 5))


if __name__ == "__main__":
    start(main)
