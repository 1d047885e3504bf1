"""A verification as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from hwsim.verify.render_attention import attention_headline, attention_tables
from hwsim.verify.render_images import LAYER_COLUMNS, encoding_tables, image_headline, layer_rows
from hwsim.verify.render_numbers import error_text, of_text
from hwsim.verify.report import Generation, VerifiedAttentionSize, VerifiedSize, VerifyReport


def render(report: VerifyReport, console: Console) -> None:
    """Print the report of a verification."""
    size = report.size
    if isinstance(size, VerifiedAttentionSize):
        _attention(report, size, console)
        return
    _say(console, *(_headline(report, size) if isinstance(size, VerifiedSize) else image_headline(report, size)))
    over, step = ("decode steps", "first decode step") if report.encoding is None else ("layers", "all tokens")
    functions = (
        (
            error.function,
            f"{error.values:,}",
            *map(error_text, (error.max_absolute, error.mean_absolute, error.max_relative, error.mean_relative)),
            error.relative_to,
            f"{error.not_finite:,} not finite" if error.not_finite else "",
        )
        for error in report.functions
    )
    columns = ("function", "values", "max abs", "mean abs", "max rel", "mean rel", "relative to", "")
    _table(console, f"Each function against float64 on the same inputs, over all {over}", columns, functions)
    title = f"The residual stream after each layer against the float64 model, {step}"
    _table(console, title, LAYER_COLUMNS, layer_rows(report.layers))
    if report.encoding is not None:
        for table in encoding_tables(report.encoding):
            _table(console, *table)
    console.print()
    if report.generation is not None:
        _say(console, *_generation(report.generation))
    _blocks(report, console)


def _attention(report: VerifyReport, size: VerifiedAttentionSize, console: Console) -> None:
    _say(console, *attention_headline(report, size))
    assert report.attention is not None
    for table in attention_tables(report.attention, size):
        _table(console, *table)
    _blocks(report, console)


def _headline(report: VerifyReport, size: VerifiedSize) -> Iterable[str]:
    yield (
        f"[bold]{report.workload}[/bold] on [bold]{report.machine}[/bold]: numerics at "
        f"{of_text(size.layers, size.of_layers)} layers, d {size.d_model}, {size.heads} heads of {size.head_dim}, "
        f"hidden {size.d_ff}, vocabulary {of_text(size.vocab, size.of_vocab)}; {size.parameters / 1e6:.1f} M parameters"
    )
    whole = (size.layers, size.vocab) == (size.of_layers, size.of_vocab)
    yield f"weights {report.weights}" + (
        "" if whole else "; --full keeps all layers and the whole vocabulary, --set workload.layers=N sets one"
    )
    yield (
        f"prompt of {size.prompt} tokens into the cache, then {size.tokens} decode steps; vocabulary projection "
        f"{report.lm_head}"
    )


def _generation(generation: Generation) -> Iterable[str]:
    steps = len(generation.reference)
    equal = round(generation.agreement * steps)
    yield "Tokens chosen greedily"
    yield (
        f"  fed float64's tokens: {equal} of {steps} equal ({generation.agreement:.1%}); float64 chose "
        f"{generation.distinct} different tokens"
    )
    if generation.first_divergence is None:
        yield "  fed its own: no divergence"
    else:
        yield (
            f"  fed its own: diverges at token {generation.first_divergence + 1}; where they disagree, float64 puts "
            f"the machine's token at most {generation.widest_gap:.3g} standard deviations of the logits below its own"
        )
    yield (
        f"  fed tokens drawn at random: {generation.agreement_drawn:.1%} equal; float64 chose "
        f"{generation.distinct_drawn} different tokens"
    )
    yield f"  against float64 with weights as given, not rounded: {generation.agreement_unrounded:.1%} equal"


def _blocks(report: VerifyReport, console: Console) -> None:
    rows = (
        (block, "  ".join(f"{name} {value}" for name, value in parameters.items()))
        for block, parameters in report.blocks.items()
    )
    _table(console, "Blocks whose golden models computed this", ("block", "parameters"), rows)
    graded = ", ".join(f"{entry.name} ({entry.grade})" for entry in report.unconfirmed)
    if graded:
        _say(console, f"Unconfirmed (M remembered, A assumed; --set overrides): {graded}")


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in columns:
        text = name in ("", "inputs", "softmax", "function", "functions", "relative to", "block", "parameters")
        table.add_column(name, justify="left" if text else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table, highlight=False)
