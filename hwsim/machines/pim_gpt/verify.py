"""PIM-GPT's answer to `hwsim verify`."""

from __future__ import annotations

from dataclasses import replace

from hwsim.errors import MachineError
from hwsim.machines.pim_gpt.numerics import PimGptDecoder
from hwsim.machines.pim_gpt.spec import PimGptSpec
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload, decoder_of
from hwsim.mapping.pim import map_graph
from hwsim.parameters.spec_file import SpecFile
from hwsim.verify.decoding import compare_gpt, gpt_report
from hwsim.verify.report import VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.statistics import FunctionErrors
from hwsim.verify.weights import load_weights

PROJECTION = {"pim": "on PIM", "host": "on the host, taken to be exact"}

# Parameters that affect numbers; the others affect timing only.
NUMERIC = (
    "mac_tree",
    "mac_accumulator",
    "mac_output",
    "asic.taylor_terms",
    "asic.newton_steps",
    "asic.rsqrt_steps",
    "asic.internal",
    "asic.accumulator",
)


def verify(request: VerifyRequest, spec: PimGptSpec, spec_file: SpecFile[PimGptSpec]) -> VerifyReport:
    """Decode with the golden models of MAC unit and vector unit, and compare with float64.

    Raises
    ------
    MachineError : more than one device
    MappingError : a model that does not fit the banks
    WeightsError : weights that cannot be used
    """
    if spec.devices > 1:
        raise MachineError(f"devices {spec.devices}: arithmetic is verified on one device")
    given = decoder_of(request.workload, spec.name)
    workload = _with_projection(given)
    on_host = frozenset({"lm_head"} if spec.lm_head == "host" else ())
    mapped = map_graph(build_graph(workload), spec.target, context=workload.run.context, batch=1, on_host=on_host)
    weights = load_weights(request.weights, workload)
    errors = FunctionErrors()
    machine = PimGptDecoder(mapped, workload, spec.mac_unit, spec.vector_unit, weights, errors.observe)
    found = compare_gpt(
        workload,
        weights,
        spec.mac_unit.operand,
        machine,
        observing=machine.observer.switch,
        progress=request.progress,
    )
    return gpt_report(
        request,
        found,
        weights=weights,
        functions=errors.results(),
        lm_head=_projection(given, spec),
        contracts=(spec.mac_unit, spec.vector_unit),
        spec=spec,
        spec_file=spec_file,
        numeric=NUMERIC,
    )


def _projection(workload: DecoderWorkload, spec: PimGptSpec) -> str:
    """Where the vocabulary projection was computed: always somewhere, since tokens are chosen from logits."""
    left_out = " (a run's timing leaves it out)" if workload.run.lm_head == "excluded" else ""
    return PROJECTION[spec.lm_head] + left_out


def _with_projection(workload: DecoderWorkload) -> DecoderWorkload:
    return replace(workload, run=workload.run.model_copy(update={"lm_head": "included"}))
