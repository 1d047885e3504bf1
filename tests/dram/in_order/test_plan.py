"""The plan of a program says in arrays what `dataflow` says access by access."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.arguments import plain
from hwsim.dram.in_order.overlap.dataflow import NONE, dataflow
from hwsim.dram.in_order.overlap.package import OverlappedPackage
from hwsim.dram.in_order.overlap.plan import OUTSIDE, Plan, new_plan, new_scratch
from hwsim.dram.in_order.overlap.planning import make_plan, plan_of
from hwsim.dram.in_order.overlap.streams import compile_streams
from hwsim.dram.in_order.package import PackageProgram
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.in_order.rules import compile_rules
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError
from tests.dram.in_order.test_overlap import streams

STANDARD = load_standard("pim_gpt")


def plan(programs: list[list[Request]], standard: Standard, accumulators: int) -> Plan:
    package = PackageProgram.of([encode(program, standard) for program in programs])
    numbers = compile_streams(standard, compile_rules(standard.without_hazards()), accumulators)
    made, scratch = new_plan(package, standard, numbers), new_scratch(package, numbers)
    make_plan(plain(made), plain(scratch), plain(numbers), standard.columns, package.requests, package.offsets)
    return made


@given(data=st.data(), accumulators=st.sampled_from([1, 2, 5, 32]))
@settings(max_examples=150)
def test_a_plan_holds_the_dataflow_of_each_program(data: st.DataObject, accumulators: int) -> None:
    some = data.draw(st.lists(streams(STANDARD, accumulators), min_size=1, max_size=3, unique_by=str))
    made = plan(some, STANDARD, accumulators)
    for index, program in enumerate(some):
        own, flow = plan_of.py_func(made, index), dataflow(program, STANDARD, accumulators)
        assert np.where(own.access_fill == OUTSIDE, NONE, own.access_fill).tolist() == [a.fill for a in flow.accesses]
        assert own.access_drain.tolist() == [access.drain for access in flow.accesses]
        assert own.fill_access.tolist() == flow.fills
        assert own.fill_drain.tolist() == flow.fill_drains
        assert own.fill_begins.tolist() == flow.fill_begins
        assert own.drain_access.tolist() == flow.drains


def test_a_segment_is_a_row_with_all_its_sweeps() -> None:
    made = plan([[Request(command="MAC16", row=2, column=60, count=10, repeat=3)]], STANDARD, 32)
    mac = STANDARD.command_ids["MAC16"]
    # command, bank, row, first column, columns, issues
    assert made.segments.tolist() == [[mac, 0, 2, 60, 4, 12], [mac, 0, 3, 0, 6, 18]]


def test_accesses_read_the_columns_of_a_fill_one_after_the_other() -> None:
    made = plan([[Request(command="WRGB", count=2), Request(command="MAC16", count=5)]], STANDARD, 32)
    assert made.access_fill.tolist() == [0, 1, 0, 1, 0]


def test_more_results_than_accumulators_are_refused() -> None:
    program = [Request(command="MAC16", count=3), Request(command="RDMAC16", count=3)]
    package = OverlappedPackage(STANDARD, 1, 2)
    with pytest.raises(DramError, match="more results wait to be read than there are accumulators"):
        package.play_overlapped(PackageProgram.of([encode(program, STANDARD)]))
    OverlappedPackage(STANDARD, 1, 3).play_overlapped(PackageProgram.of([encode(program, STANDARD)]))


def test_a_command_of_no_stream_is_refused() -> None:
    aim = load_standard("gddr6_aim")
    numbers = compile_streams(STANDARD, compile_rules(STANDARD), 32)._replace(
        fill=aim.command_ids["WRGB"], drain=aim.command_ids["RDMAC16"]
    )
    package = PackageProgram.of([encode([Request(command="WRMAC16")], aim)])
    with pytest.raises(DramError, match="WRMAC16 belongs to no stream"):
        new_plan(package, aim, numbers)


def test_a_program_is_planned_once_and_forgotten_with_it() -> None:
    package = OverlappedPackage(STANDARD, 2, 32)
    program = PackageProgram.of([encode([Request(command="MAC16")], STANDARD)] * 2)
    for row_base in (0, 7):
        package.play_overlapped(program, row_base=row_base)
    assert len(package._plans) == 1
    del program
    assert len(package._plans) == 0
