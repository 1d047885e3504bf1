"""Bytes over the pins against a machine that moves all weights, keys and values to its processor for every token.

python benchmarks/pim_gpt/offchip_bytes.py [--tokens N] [--length N] [--workloads NAME ...] [--set KEY=VALUE]

The other machine's bytes come from the operator graph: every weight, bias and norm parameter once a token, the keys
and values that attention needs, and the new token's written; activations stay on its chip. PIM-GPT's are the
report's offchip_bytes. PIM-GPT's run does not charge fetching biases and norm parameters; they are a column of their
own and in the last ratio.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from question import (
    MODELS,
    NO_ROOM,
    add_length,
    contexts,
    middle,
    parse,
    parser,
    print_table,
    report_of,
    save_figure,
    settings_of,
    start,
)  # fmt: skip

from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import Linear


class Moved(NamedTuple):
    """Bytes that a machine without computing memory moves a token."""

    matrices: float
    biases_and_norms: float
    cache: float

    @property
    def total(self) -> float:
        return sum(self)


def conventional(workload: DecoderWorkload) -> Moved:
    """Mean over the steps of a run."""
    graph, steps = build_graph(workload), list(workload.steps())
    linears = [op for op in graph.operators if isinstance(op, Linear)]
    matrices = sum(op.d_in * op.d_out * op.fmt.bits // 8 for op in linears)
    weights = sum(op.weight_bytes for op in graph.operators)
    cache = sum(moved.state_read + moved.state_written for moved in map(graph.traffic, steps))
    return Moved(matrices, weights - matrices, cache / len(steps))


def main() -> None:
    made = parser(__doc__, "offchip_bytes", workloads=("gpt2", "gpt2_medium", "gpt2_large", *MODELS[2:]))
    add_length(made)
    options = parse(made)
    common = settings_of(options)
    rows, shown = [], []
    for model in options.workloads:
        whole, part = middle(model, options)
        theirs = conventional(part)
        report = report_of(whole, part, common)
        cells = [f"{bytes_ / 1e6:.3f}" for bytes_ in (*theirs, theirs.total)]
        if report is None:
            rows.append([model, *cells, NO_ROOM, "-", "-"])
            continue
        ours = report.offchip_bytes / report.decoding.tokens
        ratios = theirs.total / ours, theirs.total / (ours + theirs.biases_and_norms)
        rows.append([model, *cells, f"{ours / 1e6:.3f}", *(f"{ratio:.1f}" for ratio in ratios)])
        shown.append((model, theirs, ours, ratios[0]))
    title = f"off-chip MB a token, {contexts(options)}"
    heads = ["model", "weights", "biases, norms", "K and V", "all of these", "PIM-GPT", "ratio", "ratio with biases"]
    print_table(title, heads, rows)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        places = range(len(shown))
        axes.bar([p - 0.2 for p in places], [t.total / 1e6 for _, t, *_ in shown], 0.38, label="moves weights, K and V")
        bars = axes.bar([p + 0.2 for p in places], [ours / 1e6 for _, _, ours, _ in shown], 0.38, label="PIM-GPT")
        axes.bar_label(bars, [f"1/{ratio:.0f}" for *_, ratio in shown])
        axes.set_yscale("log")
        axes.set_xticks(places, [model for model, *_ in shown])
        axes.set(ylabel="off-chip bytes per token (MB)", title=title)
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper left")

    save_figure(options, draw, size=(7.5, 4.4))


if __name__ == "__main__":
    start(main)
