"""Energy from counts and tables, by hand and by law."""

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hwsim.energy import TABLES, Costs, Counts, DramDevice, break_down, load_table
from hwsim.energy.coefficients import EQUATIONS
from hwsim.errors import EnergyError

DEVICE = DramDevice(banks=16, access_bytes=32, row_ns=27, precharge_ns=12, refresh_ns=455)
NOTHING = Counts(
    channel_seconds=0, open_channel_seconds=0, open_bank_seconds=0, activates=0, reads=0, writes=0,
    write_all_columns=0, mac_columns=0, macs=0, refreshes=0, buffer_reads=0, buffer_writes=0, io_bits=0,
    asic_seconds=0, asic_busy_cycles=0,
)  # fmt: skip
# One channel opens a row in all banks and sweeps it: ACT16 at 0, 64 MAC16 from 12 ns on, 76 ns in all.
SWEEP = replace(
    NOTHING, channel_seconds=76e-9, open_channel_seconds=76e-9, open_bank_seconds=16 * 76e-9, activates=16,
    mac_columns=64 * 16, macs=64 * 256, buffer_reads=64, asic_seconds=76e-9,
)  # fmt: skip
DRAM = ("dram_background", "dram_activate", "dram_read", "dram_write", "dram_mac", "dram_refresh")


def picojoules(counts: Counts, table: str, **changes: float) -> dict[str, float]:
    costs = Costs.of(load_table(table, changes), DEVICE)
    return {part.name: part.joules * 1e12 for part in break_down(counts, costs)}


def test_a_swept_row_by_the_papers_currents() -> None:
    parts = picojoules(SWEEP, "paper")
    # all 16 rows open all the time: IDD3N
    assert parts["dram_background"] == pytest.approx(142 * 1.25 * 76)  # 13,490 pJ
    # IDD0 122 over 39 ns, less 92 + (142 - 92) / 16 over 27 ns and 92 over 12 ns: 1,085.625 mA ns
    assert parts["dram_activate"] == pytest.approx(16 * 1.25 * 1085.625)  # 21,712.5 pJ
    # 3/16 of (530 - 142) mA x 1.25 V over 1 ns in each of 16 banks, 64 times
    assert parts["dram_mac"] == pytest.approx(64 * 3 * 485)  # 93,120 pJ
    assert parts["mac_units"] == pytest.approx(64 * 149.29)
    assert parts["vector_buffer"] == pytest.approx(64 * 0.279)
    assert parts["asic_static"] == pytest.approx(0.2 * 304.59 * 76)
    assert parts["asic_dynamic"] == parts["dram_refresh"] == parts["dram_io"] == 0


def test_a_swept_row_as_aim_measured_it() -> None:
    parts = picojoules(SWEEP, "aim")
    assert parts["dram_background"] == pytest.approx(263.75 * 76)
    assert parts["dram_activate"] / 16 == pytest.approx(2950.35)  # 2.95 nJ a bank
    assert parts["dram_mac"] / 64 == pytest.approx(1314.45)  # 1.314 nJ for 256 MACs
    assert parts["mac_units"] == 0


@pytest.mark.parametrize(
    ("table", "read", "write", "refresh"),
    [
        ("paper", 485.0, 410.0, (277 - 92) * 1.25 * 455),
        ("aim", 547.6875, 691.4375, 231.25 * 455),
        ("dramsim3", 1.35 * 187, 1.35 * 170, (286 - 60) * 1.35 * 455),
    ],
)
def test_single_actions(table: str, read: float, write: float, refresh: float) -> None:
    counts = replace(NOTHING, reads=1, writes=1, refreshes=1, io_bits=256)
    parts = picojoules(counts, table)
    assert parts["dram_read"] == pytest.approx(read)
    assert parts["dram_write"] == pytest.approx(write)
    assert parts["dram_refresh"] == pytest.approx(refresh)
    assert parts["dram_io"] == pytest.approx(256 * 5.5)
    all_banks = picojoules(replace(NOTHING, write_all_columns=16), table)
    assert all_banks["dram_write"] == pytest.approx(3 * write)


def test_standby_and_refresh_together_are_idd5b() -> None:
    counts = replace(NOTHING, channel_seconds=455e-9, refreshes=1)
    parts = picojoules(counts, "paper")
    assert parts["dram_background"] + parts["dram_refresh"] == pytest.approx(277 * 1.25 * 455)


def test_standby_grows_with_open_rows_as_rho_says() -> None:
    one_row = replace(NOTHING, channel_seconds=1e-9, open_channel_seconds=1e-9, open_bank_seconds=1e-9)
    for rho, current in ((0, 92 + 50 / 16), (0.5, 92 + 25 + 25 / 16)):
        parts = picojoules(one_row, "paper", standby_rho=rho)
        assert parts["dram_background"] == pytest.approx(1.25 * current)
    assert picojoules(one_row, "aim")["dram_background"] == pytest.approx(263.75)


def test_the_asics_dynamic_energy_counts_busy_cycles() -> None:
    parts = picojoules(replace(NOTHING, asic_busy_cycles=10), "paper")
    assert parts["asic_dynamic"] == pytest.approx(10 * 0.8 * 304.59)
    assert picojoules(replace(NOTHING, asic_busy_cycles=10), "paper", asic_ghz=2)["asic_dynamic"] == pytest.approx(
        5 * 0.8 * 304.59
    )


def test_wider_columns_take_more() -> None:
    wide = Costs.of(load_table("aim"), replace(DEVICE, access_bytes=64))
    assert wide.read_pj == pytest.approx(2 * 547.6875)
    assert wide.mac_pj == pytest.approx(2 * 1314.45 / 16)


counts_values = st.builds(
    Counts,
    **{
        field.name: st.integers(0, 10**12) if field.type == "int" else st.floats(0, 1e4, allow_subnormal=False)
        for field in fields(Counts)
    },
)


@given(counts=counts_values, table=st.sampled_from(TABLES), factor=st.integers(0, 50))
def test_energy_is_linear_in_what_was_done(counts: Counts, table: str, factor: int) -> None:
    many = replace(counts, **{f.name: getattr(counts, f.name) * factor for f in fields(Counts)})
    one, all_of_them = picojoules(counts, table), picojoules(many, table)
    assert all(value >= 0 for value in one.values())
    for name, value in one.items():
        assert all_of_them[name] == pytest.approx(value * factor, rel=1e-9)


@given(counts=counts_values, vdd=st.floats(0.5, 2))
def test_double_voltage_doubles_what_comes_from_currents(counts: Counts, vdd: float) -> None:
    low, high = picojoules(counts, "paper", vdd_v=vdd), picojoules(counts, "paper", vdd_v=2 * vdd)
    for name, value in low.items():
        assert high[name] == pytest.approx(value * (2 if name in DRAM else 1), rel=1e-12)


@given(data=st.data(), table=st.sampled_from(TABLES))
def test_each_coefficient_moves_what_its_formula_names_and_nothing_else(data: st.DataObject, table: str) -> None:
    base = load_table(table)
    name = data.draw(st.sampled_from(sorted(base.provenance)))
    value = getattr(base.coefficients, name)
    changed = (value + 1 if not name.endswith(("share", "rho")) else 0.5 * value + 0.25) or 1.0
    counts = replace(Counts(**{f.name: 1000 for f in fields(Counts)}), channel_seconds=5000, open_bank_seconds=8000)
    before = picojoules(counts, table)
    after = picojoules(counts, table, **{name: changed})
    moved = {part for part in before if before[part] != after[part]}
    named = {part for part, (_, names) in base.coefficients.formulas.items() if name in names}
    if name == "access_bytes":  # scales what banks read and write
        named = {"dram_read", "dram_write", "dram_mac"}
    if name == "mac_units_macs_per_ns" and base.coefficients.mac_units_mw == 0:
        named = set()
    assert moved == named


@pytest.mark.parametrize("name", TABLES)
def test_shipped_tables_state_the_provenance_of_all_they_hold(name: str) -> None:
    table = load_table(name)
    assert set(table.provenance) == set(type(table.coefficients).model_fields)
    assert all(entry.grade in "STCMA" and entry.source for entry in table.provenance.values())
    assert all((entry.confidence is not None) == (entry.grade == "M") for entry in table.provenance.values())


def test_formulas_name_coefficients_that_exist() -> None:
    for model in EQUATIONS.values():
        for _, names in model.formulas.values():
            assert set(names) <= set(model.model_fields)


def test_a_setting_replaces_a_coefficient_and_its_grade() -> None:
    table = load_table("paper", {"io_pj_per_bit": 4})
    assert table.coefficients.io_pj_per_bit == 4
    assert table.provenance["io_pj_per_bit"].grade == "set"


def test_a_table_of_ones_own_changes_a_shipped_one(tmp_path: Path) -> None:
    file = tmp_path / "board.yaml"
    file.write_text("base: aim\ncoefficients:\n  io_pj_per_bit: 4\n  read_mw: {value: 400, grade: M, source: board}\n")
    table = load_table(str(file))
    assert (table.name, table.coefficients.io_pj_per_bit) == ("board", 4)
    assert (table.provenance["io_pj_per_bit"].grade, table.provenance["read_mw"].source) == ("set", "board")
    assert Costs.of(table, DEVICE).read_pj == 500


@pytest.mark.parametrize(
    ("source", "changes", "message"),
    [
        ("papr", {}, r"energy: no energy table 'papr'; nearest: paper; there are paper, aim, dramsim3, off, or a YAML"),
        ("no.yaml", {}, r"no\.yaml: no such file"),
        ("aim", {"vdd_v": 1}, r"energy_table\.vdd_v: nothing of that name in energy table aim"),
        ("aim", {"io_pj_bit": 1}, r"energy_table\.io_pj_bit: .* nearest: io_pj_per_bit"),
        ("aim", {"io_pj_per_bit": -1}, r"energy table aim: io_pj_per_bit: input should be greater than or equal to 0"),
        ("aim", {"io_pj_per_bit": math.nan}, r"io_pj_per_bit: input should be a finite number"),
        ("paper", {"standby_rho": 1}, r"activate comes to -225 pJ: IDD0 over tRC lies below the standby"),
        ("paper", {"idd4r_ma": 100}, r"energy table paper: read comes to -52\.5 mW"),
    ],
)
def test_a_wrong_table_is_one_line(source: str, changes: dict[str, float], message: str) -> None:
    with pytest.raises(EnergyError, match=message) as caught:
        Costs.of(load_table(source, changes), DEVICE)
    assert "\n" not in str(caught.value)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["base", "coefficients", "value", "grade", "confidence", "source", "read_mw", "x"]), inner
        ),
    ),
    max_leaves=5,
)


@given(document=values, base=st.sampled_from([*TABLES, None]))
def test_any_file_gives_a_table_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, document: Any, base: str | None
) -> None:
    if base:
        document = {"base": base, "coefficients": document}
    file = tmp_path_factory.mktemp("fuzz") / "fuzz.yaml"
    file.write_text(yaml.safe_dump(document))
    complaint = ""
    try:
        Costs.of(load_table(str(file)), DEVICE)
    except EnergyError as cause:
        complaint = str(cause)
    assert "\n" not in complaint
