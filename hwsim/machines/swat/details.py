"""From a finished run to what its page shows beyond the report."""

from __future__ import annotations

from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.spec import SwatSpec
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.details import Details


def details(run: Execution, spec_file: SpecFile[SwatSpec]) -> Details:
    """Where parameters come from, and the workload's fields."""
    program = run.program
    return Details(parameters=spec_file.origins(program.spec), workload=program.workload.fields())
