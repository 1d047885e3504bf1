"""How speed grows with the number of channels, 1 to 32, against ideal scaling.

python benchmarks/pim_gpt/channels.py [--tokens N] [--length N] [--workloads NAME ...] [--set KEY=VALUE]

A channel brings its own 512 MiB: few channels do not hold a large model. `--set rows=131072` gives every channel
eight times the rows, which no real device has, to see only the scaling.
"""

from __future__ import annotations

from typing import Any

from question import add_length, contexts, parse, parser, ratio_table, save_figure, start, sweep, us_per_token

CHANNELS = (1, 2, 4, 8, 16, 32)
USUAL = CHANNELS.index(8)


def main() -> None:
    made = parser(__doc__, "channels")
    add_length(made)
    options = parse(made)
    found = sweep(options, [{"channels": channels} for channels in CHANNELS])
    title = f"channels, {contexts(options)}; speed relative to 8 channels"
    labels = [f"{channels} (ideal {channels / 8:g})" for channels in CHANNELS]
    ratio_table(title, "channels", labels, found, USUAL, "speed")

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for model, reports in found.items():
            usual = reports[USUAL]
            if usual:
                speeds = [(n, us_per_token(usual) / us_per_token(r)) for n, r in zip(CHANNELS, reports) if r]
                axes.plot(*zip(*speeds), marker="o", label=model)
        axes.plot(CHANNELS, [channels / 8 for channels in CHANNELS], "k--", linewidth=1, label="ideal")
        axes.set(xlabel="channels", ylabel="speed relative to 8 channels", title=title)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set_xticks(CHANNELS, [f"{channels}" for channels in CHANNELS])
        axes.set_yticks([channels / 8 for channels in CHANNELS], [f"{channels / 8:g}" for channels in CHANNELS])
        axes.legend()

    save_figure(options, draw, size=(7, 4.6))


if __name__ == "__main__":
    start(main)
