"""The size at which a workload is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwsim.errors import WorkloadError
from hwsim.mapping.models.decoder import DecoderModel, DecoderWorkload, decoder_of
from hwsim.mapping.workload.load import family_of, load_workload
from hwsim.mapping.workload.workload import Workload
from hwsim.shipped import find_workload

AnyWorkload = Workload[Any, Any]

# Two layers show how errors pass from one to the next. Heads, hidden sizes and the positions stay as they are: they
# set the length of every sum, and with it the rounding.
LAYERS = 2
VOCAB = 4096
PROMPT = 16
TOKENS = 32


def load_sized(
    source: str, settings: Mapping[str, Any], *, full: bool, layers: int | None = None
) -> tuple[AnyWorkload, AnyWorkload]:
    """A workload at the size at which it is verified, and at its full size.

    Parameters
    ----------
    settings : fields that the user set; they are kept
    full : whether to keep a decoder's layers and vocabulary; other models have all of their layers
    layers : of these, as many as are verified, from the first on

    Raises
    ------
    WorkloadError : an invalid workload, a setting that a verification cannot follow, more layers than there are
    """
    path = find_workload(source)
    family = family_of(path, settings)
    if issubclass(family, DecoderModel):
        own: AnyWorkload = _decoder(path, settings)
        reduced = {"layers": min(LAYERS, own.model.layers), "vocab": min(VOCAB, own.model.vocab)}
    else:
        own, reduced = load_workload(path, settings), {}
    update = {name: value for name, value in reduced.items() if not full and name not in settings}
    if layers is not None:
        if not hasattr(own.model, "layers"):
            raise WorkloadError(f"--layers {layers}: {own.name} is a single operator, which has no layers")
        if not 1 <= layers <= own.model.layers:
            raise WorkloadError(f"--layers {layers}: {own.name} has 1 to {own.model.layers} layers to verify")
        update["layers"] = layers
    return replace(own, model=own.model.model_copy(update=update)), own


def _decoder(path: Path, settings: Mapping[str, Any]) -> DecoderWorkload:
    """A workload that decodes, after a prompt and for as many tokens as suffice to compare."""
    for name, only in (("phase", "decode"), ("batch", 1), ("past", 0)):
        if settings.get(name, only) != only:
            raise WorkloadError(
                f"--set workload.{name}={settings[name]}: a verification decodes one sequence from its first token, "
                f"expected {only}"
            )
    usual = {"phase": "decode", "batch": 1, "past": 0, "prompt": PROMPT, "tokens": TOKENS}
    return decoder_of(load_workload(path, {**usual, **settings}), "verify")
