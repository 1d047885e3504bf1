"""Each constraint of each standard: its second command not a cycle earlier, and exactly then if nothing hides it."""

from collections import Counter

import pytest

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import compile_tables
from hwsim.dram.standards.load import STANDARDS, load_standard
from tests.dram.standards.constraint_script import Script, examine

# How many constraints set the cycle of their second command alone, share it with another path, are hidden by a longer.
VERDICTS = {
    "pim_gpt": (63, 6, 5),
    "gddr6_aim": (293, 26, 12),
    "ddr4": (59, 18, 0),
    "ddr5": (102, 20, 8),
    "lpddr4": (126, 20, 4),
    "lpddr5": (79, 21, 0),
    "gddr6": (58, 9, 1),
    "hbm2": (57, 11, 0),
    "hbm2_u55c": (62, 5, 1),
    "hbm2e": (62, 5, 1),
    "hbm3": (69, 19, 0),
    "hbm2_newton": (65, 9, 4),
    "hbm_pim": (67, 7, 4),
}


def memory(name: str) -> Standard:
    """A standard without refresh; with two ranks, if it knows any."""
    standard = load_standard(name, refresh=False)
    return load_standard(name, refresh=False, levels={"rank": 2}) if "rank" in standard.level_names else standard


def test_every_standard_is_examined() -> None:
    assert {*VERDICTS, "ddr4_2133", "ddr4_zcu102"} == set(STANDARDS)  # these are DDR4 with other bins
    assert sum(map(sum, VERDICTS.values())) == 1378


@pytest.mark.parametrize("name", VERDICTS)
def test_no_command_goes_a_cycle_too_early_or_too_late(name: str) -> None:
    standard = memory(name)
    findings = [examine(standard, c) for c in standard.constraints if standard.shares_node(c)]
    for finding in findings:
        assert finding.wait == finding.constraint.latency or finding.verdict == "hidden"
        if finding.verdict != "binds":  # then the other path alone leads to the same cycle
            assert finding.without == finding.wait
    verdicts = Counter(finding.verdict for finding in findings)
    assert (verdicts["binds"], verdicts["shared"], verdicts["hidden"]) == VERDICTS[name]


def test_what_hides_a_constraint_is_a_longer_path() -> None:
    """In GDDR6 four activates lie four tRRD of 9 cycles apart, so that tFAW never shows."""
    standard = memory("gddr6")
    window = next(c for c in standard.constraints if c.window == 4)
    finding = examine(standard, window)
    assert (window.latency, finding.wait, finding.without, finding.verdict) == (32, 36, 36, "hidden")


def test_a_refresh_of_the_same_bank_waits_for_it_in_every_group() -> None:
    """REFsb of bank 0 also refreshes bank 4: it waits for tRAS 77 + tRP 40 there, and for tRRD_L 12 of bank 5."""
    standard = load_standard("ddr5", refresh="per_bank")
    assert standard.refresh_targets(0) == (0, 4, 8, 12, 16, 20, 24, 28)
    allowed = {}
    for opened in (4, 5):
        script = Script(standard=standard, tables=compile_tables(standard))
        script.issue("ACT", opened, at=1000)
        script.prepare("REFsb", 0)
        allowed[opened] = script.allowed("REFsb", 0)
    assert allowed == {4: 1117, 5: 1012}
