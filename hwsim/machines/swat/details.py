"""From a finished run to what its page shows beyond the report: roofline, keys in cores, first rows, parameters."""

from __future__ import annotations

from hwsim.machines.swat.core_maps import core_maps
from hwsim.machines.swat.first_stages import stage_chart
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.roofline import roofline
from hwsim.machines.swat.spec import SwatSpec
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.details import Details


def details(run: Execution, spec_file: SpecFile[SwatSpec]) -> Details:
    """What the page of a run shows beyond the report."""
    program = run.program
    return Details(
        roofline=roofline(run),
        cores=core_maps(run),
        stages=stage_chart(run),
        parameters=spec_file.origins(program.spec),
        workload=program.workload.fields(),
    )
