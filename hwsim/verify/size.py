"""The size at which a workload is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hwsim.errors import WorkloadError
from hwsim.mapping.models.decoder import DecoderModel, DecoderWorkload, decoder_of
from hwsim.mapping.workload.load import family_of, load_workload
from hwsim.shipped import find_workload

# Two layers show how errors pass from one to the next. Heads, hidden sizes and the positions stay as they are: they
# set the length of every sum, and with it the rounding.
LAYERS = 2
VOCAB = 4096
PROMPT = 16
TOKENS = 32


def load_sized(source: str, settings: Mapping[str, Any], *, full: bool) -> tuple[DecoderWorkload, DecoderWorkload]:
    """A workload at the size at which it is verified, and at its full size.

    Parameters
    ----------
    settings : fields that the user set; they are kept
    full : whether to keep all layers and the whole vocabulary

    Raises
    ------
    WorkloadError : an invalid workload, or a setting that a verification cannot follow
    """
    for name, only in (("phase", "decode"), ("batch", 1), ("past", 0)):
        if settings.get(name, only) != only:
            raise WorkloadError(
                f"--set workload.{name}={settings[name]}: a verification decodes one sequence from its first token, "
                f"expected {only}"
            )
    path = find_workload(source)
    if not issubclass(family_of(path, settings), DecoderModel):  # other families lack the fields that are set below
        raise WorkloadError(f"{path}: a verification decodes token by token, which families gpt and llama do")
    usual = {"phase": "decode", "batch": 1, "past": 0, "prompt": PROMPT, "tokens": TOKENS}
    own = decoder_of(load_workload(path, {**usual, **settings}), "verify")
    reduced = {"layers": min(LAYERS, own.model.layers), "vocab": min(VOCAB, own.model.vocab)}
    kept = reduced if full else settings
    smaller = own.model.model_copy(update={name: value for name, value in reduced.items() if name not in kept})
    return replace(own, model=smaller), own
