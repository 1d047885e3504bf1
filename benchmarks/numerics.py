"""How the machine's errors depend on the parameters of its arithmetic: one at a time, everything else as shipped.

python benchmarks/numerics.py [--model gpt2] [--seed 0] [--set KEY=VALUE ...]
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from hwsim.verification import verify
from hwsim.verify.report import VerifyReport

# Knob, its values, and the functions that it reaches first.
STUDY = (
    ("asic.taylor_terms", range(2, 9), ("exp", "gelu", "softmax")),
    ("asic.newton_steps", range(5), ("reciprocal", "gelu", "softmax")),
    ("asic.rsqrt_steps", range(4), ("rsqrt", "layernorm")),
    ("mac_accumulator", ("bf16", "fp16", "fp32"), ("qkv", "scores", "ffn2")),
    ("mac_tree", ("bf16", "fp16", "fp32"), ("qkv", "scores", "ffn2")),
    ("mac_output", ("bf16", "fp16", "fp32"), ("scores", "ffn2", "lm_head")),
    ("asic.internal", ("bf16", "fp16", "fp32"), ("exp", "gelu", "layernorm")),
    ("asic.accumulator", ("bf16", "fp16", "fp32"), ("softmax", "layernorm", "ffn2")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="gpt2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    arguments = parser.parse_args()
    console = Console(width=170)
    for knob, values, functions in STUDY:
        table = Table(title=f"{arguments.model}, random:{arguments.seed}: {knob}", title_justify="left", box=None)
        for name in (knob, *(f"{f} max / mean rel" for f in functions), "logits", "forced", "drawn", "not finite"):
            table.add_column(name, justify="right")
        for value in values:
            settings = [*arguments.settings, f"{knob}={value}"]
            report = verify(arguments.model, settings=settings, weights=f"random:{arguments.seed}")
            table.add_row(*_row(str(value), report, functions))
        console.print(table, highlight=False)
        console.print()


def _row(value: str, report: VerifyReport, functions: tuple[str, ...]) -> list[str]:
    found = {error.function: error for error in report.functions}
    logits = report.layers[-1].relative_norm
    return [
        value,
        *(f"{found[name].max_relative:.1e} / {found[name].mean_relative:.1e}" for name in functions),
        "-" if logits is None else f"{logits:.2e}",
        f"{report.generation.agreement:.1%}",
        f"{report.generation.agreement_drawn:.1%}",
        str(sum(error.not_finite for error in report.functions)),
    ]


if __name__ == "__main__":
    main()
