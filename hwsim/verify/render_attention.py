"""What a verification of attention on cores shows on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hwsim.verify.render_images import Rows, Table
from hwsim.verify.render_numbers import error_text, of_text
from hwsim.verify.report import (
    AttentionError,
    AttentionVerified,
    VerifiedAttentionSize,
    VerifiedPattern,
    VerifyReport,
)

COLUMNS = (
    "inputs",
    "softmax",
    "max abs",
    "mean abs",
    "max rel",
    "lost rows",
    "scores",
    "exps",
    "products",
    "sums",
    "zero exps",
)


def attention_headline(report: VerifyReport, size: VerifiedAttentionSize) -> Iterator[str]:
    """What was verified, and what was not."""
    verified = report.attention
    assert verified is not None
    layers = f" of {of_text(size.layers, size.of_layers)} layers" if size.of_layers else ""
    yield (
        f"[bold]{report.workload}[/bold] on [bold]{report.machine}[/bold]: numerics of attention{layers} in "
        f"{verified.format}, sums in {verified.sum_format}; {_count(size.operators, 'operator')} with "
        f"{_count(size.heads, 'head')}, {size.distinct:,} different"
    )
    yield "attention alone, each different head by itself; linear layers, norms and activations are not verified"
    yield (
        "lost rows: a result or the sum is not finite; errors are those of other rows, max rel over the largest |V|; "
        "then scores, exps, products and sums that overflowed, and exps that underflowed to 0"
    )
    reduced = any(pattern.rows < pattern.of_rows for pattern in verified.patterns)
    yield f"inputs {report.weights}, rounded to {verified.format}" + ("; --full computes all rows" if reduced else "")


def attention_tables(verified: AttentionVerified, size: VerifiedAttentionSize) -> Iterator[Table]:
    """A table a pattern, with its title and columns."""
    for pattern in verified.patterns:
        yield _title(pattern, size), COLUMNS, _rows(pattern.errors)


def _title(pattern: VerifiedPattern, size: VerifiedAttentionSize) -> str:
    values = "" if pattern.head_dim == pattern.value_dim else f" and {pattern.value_dim}"
    others = f" and {len(pattern.operators) - 1} more" if len(pattern.operators) > 1 else ""
    taken = ""
    if pattern.computed != pattern.pattern:
        taken = f", computed as {pattern.computed}: {pattern.dropped:,} pairs dropped, {pattern.added:,} added"
    bias = ", with relative bias" if pattern.relative_bias else ""
    rows = of_text(pattern.rows, pattern.of_rows) + (" row" if pattern.of_rows == 1 else " rows")
    passes = _count(pattern.passes, "pass")
    return (
        f"{pattern.pattern} ({pattern.operators[0]}{others}){taken}; {rows} over {pattern.keys:,} keys, "
        f"H {pattern.head_dim}{values}{bias}, {passes} of {size.cores:,} cores"
    )


def _rows(errors: Iterable[AttentionError]) -> Rows:
    for error in errors:
        measures = (error.max_absolute, error.mean_absolute, error.max_relative)
        counts = (
            error.rows_lost, error.infinite_scores, error.infinite_exps, error.infinite_products,
            error.infinite_sums, error.zero_exps,
        )  # fmt: skip
        yield (error.inputs, error.softmax, *map(_error_text, measures), *(f"{count:,}" for count in counts))


def _error_text(value: float | None) -> str:
    return "" if value is None else error_text(value)


def _count(number: int, what: str) -> str:
    plural = what if number == 1 else f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {plural}"
