"""The paper's figures beside a run of the paper's design and model."""

from __future__ import annotations

from hwsim.baselines.ratios import Ratio
from hwsim.data_file import read_data
from hwsim.machines.edge_moe.model import Execution
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.workload.load import load_workload
from hwsim.parameters.provenance import UNCONFIRMED
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.published import published_beside, read_published
from hwsim.report.published_rows import read_rows, row_ratios, run_figures
from hwsim.report.run_time import RunTime
from hwsim.report.schema import EnergyUse, Published
from hwsim.shipped import find_workload

WORKLOAD = "m3vit_tiny"
ATTENTION = ("attention_scores", "attention_values")
LINEAR = ("linear.attention", "linear.ffn", "linear.experts")
LOADS = ("load.attention", "load.ffn", "load.experts")
# What the source does beside the experts' linear layers in its function for a mixture of experts.
EXPERTS = ("route", "load.route", "fill")


def figures_beside(
    run: Execution, time: RunTime, energy: EnergyUse | None, spec_file: SpecFile[EdgeMoeSpec]
) -> tuple[Published, ...]:
    """The published figures; none where the paper says nothing of the model or of the design."""
    workload = run.program.workload
    if changed_design(run.program.spec, spec_file) or workload.model != load_workload(find_workload(WORKLOAD)).model:
        return ()
    document = read_data("hwsim.machines.edge_moe", "published.yaml")
    seconds = time.seconds(image_ticks(run))
    ours = {
        **run_figures(seconds_per_unit=seconds, energy=energy),
        **row_ratios(read_rows(document["rows"]), seconds_per_unit=seconds, energy=energy),
        **_shares(run, time),
    }
    return published_beside(read_published(document["figures"]), WORKLOAD, ours, energy=energy)


def changed_design(spec: EdgeMoeSpec, spec_file: SpecFile[EdgeMoeSpec]) -> tuple[str, ...]:
    """Parameters in which a machine is another design than the paper's.

    Those that we assume, since the paper does not state them, may have any value; so may those of energy.
    """
    assumed = {name for name, entry in spec_file.provenance.items() if entry["grade"] in UNCONFIRMED}
    return tuple(
        origin.name
        for origin in spec_file.origins(spec)
        if origin.value != origin.shipped and origin.name not in assumed and origin.name.split(".")[0] not in OUR_OWN
    )


OUR_OWN = ("name", "energy", "energy_table")


def image_ticks(run: Execution) -> int:
    """Time of an image, the mean of the first step; what is done once before it is no part of it."""
    first = next(run.program.steps())
    return (run.passes[0].ended - run.passes[0].begun) // first.batch


def _shares(run: Execution, time: RunTime) -> dict[str, Ratio]:
    """Shares of the time after the one-time loads.

    The paper names modules and not what it counts to them; in the source a module's function loads its weights itself.
    """
    ticks, whole = run.shares.ticks, time.ticks - run.once_ticks

    def share(*groups: tuple[str, ...]) -> float:
        return sum(ticks[kind] for kinds in groups for kind in kinds) / whole

    note = (
        f"with the loads of their weights, gate and zeros before the experts; {share(LINEAR, LOADS):.1%} without gate "
        f"and zeros, {share(LINEAR):.1%} without loads too"
    )
    return {
        "attention_share": Ratio(value=share(ATTENTION), note=""),
        "linear_share": Ratio(value=share(LINEAR, LOADS, EXPERTS), note=note),
    }
