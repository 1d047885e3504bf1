"""Speed with 4 to 64 multipliers per bank, with the column access as it is and with one that grows.

python benchmarks/pim_gpt/mac_width.py [--tokens N] [--length N] [--workloads NAME ...] [--set KEY=VALUE]

In the paper's machine a bank gives 32 B, or 16 BF16, per tCCD for any width of its MAC unit: units wider than 16 wait
for data. The second table is a different machine: its column access grows with the width from 32 B on, at the same
tCCD, in rows of the same 2 KB.
"""

from __future__ import annotations

from typing import Any

from question import add_length, contexts, parse, parser, ratio_table, save_figure, start, sweep, us_per_token

LANES = (4, 8, 16, 32, 64)
USUAL = LANES.index(16)
# 16 banks read or write an element of 2 B each in one transfer, which therefore has at least 32 B.
SMALLEST_ACCESS_BYTES = 32


def main() -> None:
    made = parser(__doc__, "mac_width")
    add_length(made)
    options = parse(made)
    fixed = sweep(options, [{"mac_lanes": lanes} for lanes in LANES])
    wider = [{"mac_lanes": lanes, "access_bytes": max(SMALLEST_ACCESS_BYTES, 2 * lanes)} for lanes in LANES]
    grown = sweep(options, wider)
    labels = [f"{lanes}" for lanes in LANES]
    kinds = (("column access stays 32 B", fixed), ("another machine: column access grows, 2 B a lane", grown))
    for name, found in kinds:
        ratio_table(f"{name}; {contexts(options)}; speed relative to 16", "lanes", labels, found, USUAL, "speed")

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, (name, found) in zip((left, right), kinds):
            for model, reports in found.items():
                usual = reports[USUAL]
                if usual:
                    axes.plot(LANES, [us_per_token(usual) / us_per_token(r) for r in reports if r], "o-", label=model)
            axes.set_xscale("log", base=2)
            axes.set_xticks(LANES, labels)
            axes.set(xlabel="multipliers a bank", title=name)
        left.set_ylabel("speed relative to 16 multipliers")
        left.legend()
        figure.suptitle(f"MAC width, {contexts(options)}")

    save_figure(options, draw, size=(10, 4.4))


if __name__ == "__main__":
    start(main)
