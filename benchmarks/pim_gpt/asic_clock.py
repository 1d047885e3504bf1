"""How latency grows as the ASIC's clock falls from 1 GHz to 100 MHz.

python benchmarks/pim_gpt/asic_clock.py [--tokens N] [--length N] [--workloads NAME ...] [--set KEY=VALUE]
"""

from __future__ import annotations

from typing import Any

from question import add_length, contexts, parse, parser, ratio_table, save_figure, start, sweep, us_per_token

CLOCKS_HZ = (1_000_000_000, 800_000_000, 500_000_000, 400_000_000, 200_000_000, 100_000_000)


def main() -> None:
    made = parser(__doc__, "asic_clock")
    add_length(made)
    options = parse(made)
    found = sweep(options, [{"asic.clock_hz": clock} for clock in CLOCKS_HZ])
    labels = [f"{clock // 1_000_000}" for clock in CLOCKS_HZ]
    title = f"ASIC clock, {contexts(options)}; time relative to 1 GHz"
    ratio_table(title, "MHz", labels, found, 0, "time")

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for model, reports in found.items():
            if reports[0]:
                times = [us_per_token(r) / us_per_token(reports[0]) for r in reports if r]
                axes.plot([clock / 1e6 for clock in CLOCKS_HZ], times, marker="o", label=model)
        axes.set(xscale="log", xlabel="ASIC clock (MHz)", ylabel="time per token relative to 1 GHz", title=title)
        axes.set_xticks([clock / 1e6 for clock in CLOCKS_HZ], labels)
        axes.minorticks_off()
        axes.legend()

    save_figure(options, draw, size=(7, 4.2))


if __name__ == "__main__":
    start(main)
