"""How latency grows as the channels' pins slow down from 16 to 2 Gb/s.

python benchmarks/pim_gpt/pin_rate.py [--tokens N] [--length N] [--workloads NAME ...] [--set KEY=VALUE]

The rate sets how long a burst takes on the pins; what the banks do inside is timed by the DRAM's own parameters.
"""

from __future__ import annotations

from typing import Any

from question import (
    add_length,
    contexts,
    parse,
    parser,
    print_table,
    ratio_table,
    save_figure,
    start,
    sweep,
    us_per_token,
)  # fmt: skip

RATES_GBPS = (16, 12, 8, 4, 2)


def main() -> None:
    made = parser(__doc__, "pin_rate")
    add_length(made)
    options = parse(made)
    found = sweep(options, [{"pin_rate_gbps": rate} for rate in RATES_GBPS])
    labels = [f"{rate}" for rate in RATES_GBPS]
    title = f"pin rate, {contexts(options)}; time relative to 16 Gb/s"
    ratio_table(title, "Gb/s", labels, found, 0, "time")
    rows = []
    for index, label in enumerate(labels):
        reports = [reports[index] for reports in found.values()]
        parts = [r.bound.seconds("transfers") / r.latency_s if r else None for r in reports]
        rows.append([label, *("-" if part is None else f"{part:.1%}" for part in parts)])
    print_table("share of the time that transfers between ASIC and DRAM take", ["Gb/s", *found], rows)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for model, reports in found.items():
            if reports[0]:
                times = [us_per_token(r) / us_per_token(reports[0]) for r in reports if r]
                axes.plot(RATES_GBPS, times, marker="o", label=model)
        axes.set(xscale="log", xlabel="pin rate (Gb/s)", ylabel="time per token relative to 16 Gb/s", title=title)
        axes.set_xticks(RATES_GBPS, labels)
        axes.minorticks_off()
        axes.legend()

    save_figure(options, draw, size=(7, 4.2))


if __name__ == "__main__":
    start(main)
