"""From a workload's name to a report of its numerics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from hwsim.machines.find import choose_machine, find_machine, load_machine
from hwsim.machines.own_format import in_own_format
from hwsim.parameters.settings import check_parameters, gather_settings
from hwsim.verify.report import VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.size import load_sized
from hwsim.verify.weights import is_random


def verify(
    workload: str,
    machine: str | None = None,
    settings: Iterable[str] = (),
    *,
    config: Path | None = None,
    weights: str = "random:0",
    full: bool = False,
    layers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Compare a machine's arithmetic with float64: function by function, layer by layer, and in what it chooses.

    A decoder chooses tokens, an encoder of images with experts chooses these.

    Parameters
    ----------
    workload : a shipped name or a file
    machine : as in `hwsim.run`
    settings : `key=value` texts, `workload.` before fields of the workload
    config : a file of settings, over which `settings` win
    weights : `random:SEED`, or a folder, whose model is verified at its full size
    full : keep all layers and the whole vocabulary of a decoder with random weights too
    layers : verify the first so many layers; only their weights are needed
    progress : called with (tokens or layers done, in all)

    Raises
    ------
    UserError : anything wrong with the input; a machine that has no golden models
    """
    parsed, saved = gather_settings(settings, config)
    sized, own = load_sized(workload, parsed.workload, full=full or not is_random(weights), layers=layers)
    if config:
        check_parameters(find_machine(choose_machine(machine, sized))[0].spec_file, saved.machine, origin=str(config))
    model, spec = load_machine(choose_machine(machine, sized), parsed.machine)
    sized, own = (in_own_format(one, model, spec) for one in (sized, own))
    return model.verify(VerifyRequest(workload=sized, own=own, weights=weights, full=full, progress=progress), spec)
