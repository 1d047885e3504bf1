"""A report that no machine makes yet: images through an encoder on an FPGA, without DRAM commands or tokens."""

from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from hwsim import load_workload
from hwsim.energy.fpga import FpgaCounts, Operations, PortTraffic, UnitWork, fpga_table
from hwsim.engine.clock import Clock
from hwsim.engine.trace import Cause
from hwsim.engine.unit_spec import UnitSpec
from hwsim.fpga.budget import Budget
from hwsim.fpga.units import units_budget
from hwsim.mapping.workload.loads import Load
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import bound_use, build_report, busiest, unit_use
from hwsim.report.details import Details, Roofline, RooflinePoint
from hwsim.report.energy_use import fpga_energy_use
from hwsim.report.fpga import fpga_resources, fpga_use
from hwsim.report.loads import load_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import MemoryPart, MemoryUse, Published, Report, Throughput
from hwsim.rtl.blocks import BLOCKS

CLOCK_HZ = 300_000_000
IMAGES = 16
TICKS = 480_000  # 1.6 ms
BUSY = {"linear": 400_000, "softmax": 60_000, "norm": 12_000}
KINDS = {"linear": 400_000, "attention": 61_000, "norm": 12_000, "act": 7_000}


class Spec(BaseModel):
    """Parameters of a machine on an FPGA."""

    name: str = "toy_fpga"
    board: str = "zcu102"
    tile: int = 16
    linear_units: int = 1
    energy: str = "off"
    energy_table: dict[str, float] = {}


SPEC_FILE = SpecFile(
    model=Spec,
    defaults=Spec().model_dump(),
    provenance={"tile": {"grade": "A", "source": "no source says how wide"}},
    open_fields=("energy_table",),
)
TIME = RunTime(
    ticks=TICKS,
    ticks_per_second=CLOCK_HZ,
    clock=Clock(name="pl", freq_hz=Fraction(CLOCK_HZ), period_ticks=1),
)


def units(spec: Spec) -> tuple[UnitSpec, ...]:
    """Units with RTL, two of one of them, banks that one of them holds, and a memory port by assumption."""
    counts = {"linear": spec.linear_units, "softmax": 1, "norm": 2}
    blocks = {"linear": "linear", "softmax": "online_softmax", "norm": "layernorm"}
    made = [
        UnitSpec(
            name=name,
            kind="fpga",
            clock_hz=CLOCK_HZ,
            count=counts[name],
            contract=BLOCKS[block].contract.from_preset("rtl"),
        )
        for name, block in blocks.items()
    ]
    loader = BLOCKS["weight_loader"].contract.from_preset("rtl")
    banks = UnitSpec(name="banks", kind="fpga", clock_hz=CLOCK_HZ, contract=loader, within="linear")
    axi = UnitSpec(name="axi", kind="fpga", clock_hz=CLOCK_HZ, stated="a burst a cycle (assumed)")
    return (*made, banks, axi)


def fpga_report(**parameters: Any) -> Report:
    """A ViT over some images, with a load of experts that was drawn."""
    spec = Spec(**parameters)
    found = units(spec)
    budget = units_budget(found, spec.name, spec.board)
    fpga = fpga_use(budget, clock_hz=CLOCK_HZ, peak_macs_per_s=76.8e9, achieved_macs_per_s=41.2e9)
    waits = {Cause("input", "x"): 50_000, Cause("output", "y"): 30_000}
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=SPEC_FILE,
        workload=load_workload("vit_base", images=IMAGES),
        schedule="dataflow",
        time=TIME,
        throughput=Throughput(value=IMAGES / TIME.seconds(TICKS), unit="images", count=IMAGES),
        kinds=KINDS,
        units=[
            unit_use(TIME, unit, BUSY.get(unit.name, 0), waits if unit.name == "linear" else None) for unit in found
        ],
        bottleneck=busiest(TIME, BUSY, KINDS)[1],
        bound=bound_use(
            TIME,
            320_000,
            "all multipliers busy in every cycle",
            [("weights from memory", "transfers", 110_000), ("the first tile, alone", "waits", 50_000)],
        ),
        memories=memories(),
        offchip={"ddr": 186_000_000},
        energy=fpga_energy_use(
            actions(budget), fpga_table(spec.energy, spec.energy_table), passed=IMAGES, unit="images"
        ),
        resources=fpga_resources(fpga),
        instructions=1_024,
        published=[
            Published(name="latency", theirs="about 1 ms", ours=None, ratio=None, grade="T", note="another image size")
        ],
        fpga=fpga,
        loads=[
            load_use("routing", Load(load="zipf", seed=7), [*range(100), 400], unit="tokens an expert"),
            load_use("kept", Load(load="histogram", histogram=(1.0,)), [12], unit="tokens"),
        ],
    )


def actions(budget: Budget) -> FpgaCounts:
    """What the units did, with two reads and a write of a bit of block RAM for each multiply-accumulate."""
    macs = 66_000_000
    return FpgaCounts(
        seconds=TIME.seconds(TICKS),
        cycles=TICKS,
        units=tuple(
            UnitWork(
                unit=taken.unit,
                lut=taken.cells.lut,
                ff=taken.cells.ff,
                active_cycles=BUSY[taken.unit],
                operations=(Operations.macs(macs, 32, 16),) if taken.unit == "linear" else (),
                bram_bits_read=2 * macs if taken.unit == "linear" else 0,
                bram_bits_written=macs if taken.unit == "linear" else 0,
            )
            for taken in budget.units
        ),
        ports=(PortTraffic(port="axi", beats=5_812_500, beat_bits=256),),
        dram_bits=186_000_000 * 8,
    )


def memories() -> list[MemoryUse]:
    """A board's memory, of which the use is known, and buffers, of which it is not."""
    ddr = MemoryUse(
        name="ddr",
        kind="dram",
        size_bytes=4 << 30,
        used_bytes=180_000_000,
        padding_bytes=None,
        bytes_read=184_000_000,
        bytes_written=2_000_000,
        parts=[
            MemoryPart(holds="weights", size_bytes=172_000_000),
            MemoryPart(holds="activations", size_bytes=8_000_000),
        ],
    )
    buffers = MemoryUse(
        name="weight buffers",
        kind="bram",
        size_bytes=1 << 20,
        used_bytes=None,
        padding_bytes=None,
        bytes_read=None,
        bytes_written=None,
        parts=[],
    )
    return [ddr, buffers]


def fpga_details() -> Details:
    """What such a machine can tell for its page: a roofline and parameters, no steps and no map of banks."""
    points = (
        RooflinePoint(name="linear", macs=60_000_000, moved_bytes=1_500_000, seconds=0.0013),
        RooflinePoint(name="whole run", macs=66_000_000, moved_bytes=1_860_000, seconds=0.0016),
    )
    roof = Roofline(
        compute="DSPs",
        memory="DDR4",
        peak_macs_per_s=76.8e9,
        bytes_per_s=19.2e9,
        points=points,
        note="256 multipliers at 300 MHz and one channel of DDR4",
    )
    return Details(roofline=roof, parameters=SPEC_FILE.origins(Spec()), workload={"images": IMAGES})
