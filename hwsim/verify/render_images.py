"""What a verification of an encoder of images shows on a terminal beside what others show too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hwsim.verify.render_numbers import error_text, of_text
from hwsim.verify.report import (
    EncodedImages,
    ExpertAgreement,
    LayerError,
    LayerOverflows,
    VerifiedImageSize,
    VerifyReport,
)

Rows = Iterable[Iterable[str]]
Table = tuple[str, Sequence[str], Rows]

LAYER_COLUMNS = ("", "max abs", "mean abs", "norm of error / norm")


def image_headline(report: VerifyReport, size: VerifiedImageSize) -> Iterator[str]:
    """What was verified."""
    yield (
        f"[bold]{report.workload}[/bold] on [bold]{report.machine}[/bold]: numerics of an image of "
        f"{size.tokens} tokens at {of_text(size.layers, size.of_layers)} layers, d {size.d_model}, {size.heads} heads "
        f"of {size.head_dim}, hidden {size.d_ff}{_experts(size)}; {size.parameters / 1e6:.1f} M parameters"
    )
    yield f"weights {report.weights}"
    if report.encoding is not None and report.encoding.task is not None:
        yield f"task {report.encoding.task}; --set workload.tasks=NAME chooses another"


def layer_rows(layers: Iterable[LayerError]) -> Rows:
    """A row a layer, in `LAYER_COLUMNS`."""
    for error in layers:
        yield error.layer, *map(error_text, (error.max_absolute, error.mean_absolute, error.relative_norm))


def encoding_tables(encoding: EncodedImages) -> Iterator[Table]:
    """Tables with their titles and columns."""
    if encoding.forced is not None and any(of.own < 1 for of in encoding.experts):
        title = "The same, where float64 follows the machine's choice of experts"
        yield title, LAYER_COLUMNS, layer_rows(encoding.forced)
    title = "The last stream against float64 with weights as given, not as memory holds them"
    yield title, LAYER_COLUMNS, layer_rows([encoding.unrounded])
    if encoding.experts:
        title = "Tokens with the same experts as float64 sends them to"
        columns = ("", "own choice", "machine's choice in earlier layers", "weights as given", "widest gap of logits")
        yield title, columns, _agreements(encoding.experts)
    yield "Values that wrapped", ("", "values", "wrapped", "functions"), _overflows(encoding.overflows)


def _experts(size: VerifiedImageSize) -> str:
    return f", top {size.top_k} of {size.experts} experts of {size.expert_hidden}" if size.experts else ""


def _agreements(experts: Iterable[ExpertAgreement]) -> Rows:
    for of in experts:
        gap = "none" if of.widest_gap is None else f"{of.widest_gap:.2e}"
        yield f"layer {of.layer}", *(f"{share:.1%}" for share in (of.own, of.forced, of.unrounded)), gap


def _overflows(overflows: Sequence[LayerOverflows]) -> Rows:
    """The layers in which values wrapped, with how many in each function; and all of them together."""
    for of in overflows:
        if of.wrapped:
            parts = ", ".join(f"{name} {count:,}" for name, count in of.functions.items())
            yield of.layer, f"{of.values:,}", f"{of.wrapped:,}", parts
    values, wrapped = (sum(getattr(of, name) for of in overflows) for name in ("values", "wrapped"))
    yield "in all", f"{values:,}", f"{wrapped:,}", ""
