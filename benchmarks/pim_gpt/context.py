"""Time a token, cache and fit as the context grows from 128 to 8,192 tokens.

python benchmarks/pim_gpt/context.py [--tokens N] [--workloads NAME ...] [--set KEY=VALUE]

At each context the last N tokens run (N = 16 by default), with the cache filled before. The models' own n_ctx is
raised: what is asked is what the machine takes, not what the model was trained for.
"""

from __future__ import annotations

from typing import Any

from question import NO_ROOM, parse, parser, print_table, report_of, save_figure, settings_of, start, us_per_token

from hwsim import load_workload

CONTEXTS = (128, 256, 512, 1024, 2048, 4096, 8192)


def main() -> None:
    options = parse(parser(__doc__, "context", tokens=16))
    common = settings_of(options)
    found = {}
    for model in options.workloads:
        found[model] = []
        for context in CONTEXTS:
            tokens = min(options.tokens, context)
            workload = load_workload(model, past=context - tokens, tokens=tokens, n_ctx=context)
            found[model].append(report_of(workload, workload, common))
    rows = []
    for model, reports in found.items():
        for context, report in zip(CONTEXTS, reports):
            if report is None:
                rows.append([model, f"{context:,}", NO_ROOM, *["-"] * 4])
                continue
            shares = {part.kind: part.share for part in report.breakdown}
            attention = sum(shares[kind] for kind in ("attention_scores", "softmax", "attention_values"))
            banks = report.memory("banks")
            memory = f"{banks.used_bytes / banks.size_bytes:.1%}"
            cache = f"{banks.holding('cache') / 2**20:,.0f}"
            rows.append(
                [model, f"{context:,}", f"{us_per_token(report):.2f}", f"{attention:.1%}", cache, memory,
                 f"{report.decoding.longest_context:,}"]
            )  # fmt: skip
    title = f"the last {options.tokens} tokens before each context"
    heads = ["model", "context", "us/token", "attention", "cache MiB", "memory in use", "longest that fits"]
    print_table(title, heads, rows)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for model, reports in found.items():
            points = [(c, us_per_token(r)) for c, r in zip(CONTEXTS, reports) if r]
            if points:
                axes.plot(*zip(*points), marker="o", label=model)
            if None in reports and points:
                axes.annotate("longer does not fit", points[-1], xytext=(4, 6), textcoords="offset points", fontsize=8)
        axes.set_xscale("log", base=2)
        axes.set_xticks(CONTEXTS, [f"{context:,}" for context in CONTEXTS])
        axes.set(xlabel="context (tokens)", ylabel="time per token (us)", ylim=(0, None), title=f"context: {title}")
        axes.legend()

    save_figure(options, draw, size=(7, 4.6))


if __name__ == "__main__":
    start(main)
