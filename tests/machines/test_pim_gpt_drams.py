"""PIM-GPT on other DRAM: what `--set dram=` changes."""

import pytest

from hwsim import load_workload, run
from hwsim.errors import MachineError
from hwsim.machines.find import load_machine
from hwsim.machines.pim_gpt import MACHINE
from hwsim.machines.pim_gpt.spec import DRAMS
from tests.mapping.workloads import tiny


@pytest.mark.parametrize("dram", DRAMS)
def test_a_model_runs_end_to_end(dram: str) -> None:
    report = run(tiny(tokens=4), settings={"dram": dram})
    assert report.latency_s > report.bound.lower_bound_s > 0
    assert all(sum(1 for u in report.unconfirmed if u.name == f"timing.{key}") == 1 for key in ("tRTW_ns", "tCLREG_ns"))


def test_a_dram_brings_its_organisation_pins_and_timing() -> None:
    _, spec = load_machine("pim_gpt", {"dram": "hbm_pim"})
    assert (spec.channels, spec.row_bytes, spec.pins, spec.pin_rate_gbps, spec.energy) == (16, 1024, 64, 2, "off")
    p = spec.standard.params
    assert (p["nRCD"], p["nRCDWR"], p["nBL"], p["nMAC"], p["nCCD"]) == (14, 10, 2, 4, 8)
    _, own = load_machine("pim_gpt", {"dram": "hbm_pim", "timing.tRCDWR_ns": 12, "channels": 4})
    assert (own.standard.params["nRCDWR"], own.channels) == (12, 4)


def test_newton_opens_the_rows_of_all_banks_four_at_a_time() -> None:
    _, spec = load_machine("pim_gpt", {"dram": "hbm2_newton"})
    waits = {(c.preceding, c.following): c.latency for c in spec.standard.constraints}
    # three distances of tFAW 30 between the four G_ACT, then tRCD 14
    assert waits["ACT16", "MAC16"] == 104


def test_a_timing_parameter_of_another_dram_is_refused() -> None:
    with pytest.raises(MachineError, match=r"no parameter 'timing\.tRCDWR_ns'"):
        load_machine("pim_gpt", {"timing.tRCDWR_ns": 12})
    with pytest.raises(MachineError, match="dram: expected one of pim_gpt, hbm2_newton, hbm_pim, got 'hbm9'"):
        load_machine("pim_gpt", {"dram": "hbm9"})


def test_the_default_is_the_papers() -> None:
    assert "dram: pim_gpt" in MACHINE.spec_file.dump(MACHINE.spec_file.load(None, {}))
    assert load_workload("gpt2").machine == "pim_gpt"
