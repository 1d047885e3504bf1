"""Address mappings: every way to apply one gives the same places, and each place has exactly one address."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.address import AddressMapping, DigitColumn, Place
from hwsim.dram.random_access.digits import NO_XOR, Part
from hwsim.dram.random_access.mappings import load_mapping, mapping_names
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError


def small(levels: tuple[tuple[str, int], ...], rows: int, columns: int) -> Standard:
    return replace(load_standard("ddr4_2133"), levels=levels, rows=rows, columns=columns)


def by_table(mapping: AddressMapping, address: int) -> Place:
    """A table applied as the kernel does: digits, then the row, then what is XORed with it."""
    rest = address // mapping.standard.column_bytes
    values, parts = [], [0] * len(Part)
    table = mapping.table().tolist()
    for line in table:
        values.append(rest % line[DigitColumn.SIZE])
        rest //= line[DigitColumn.SIZE]
    row = sum(v * line[DigitColumn.WEIGHT] for v, line in zip(values, table, strict=True) if line[1] == Part.ROW)
    for value, line in zip(values, table, strict=True):
        shift = line[DigitColumn.XOR_SHIFT]
        mask = (row >> shift) & (line[DigitColumn.SIZE] - 1) if shift >= 0 else 0
        parts[line[DigitColumn.PART]] += (value ^ mask) * line[DigitColumn.WEIGHT]
    return Place(*parts)


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, ...]:
    """Any order of parts that may be split, with XORs, on a standard of 2 ranks, 2 groups, 4 banks and 8 columns."""
    words = ["row", "column"]
    words += [name + draw(st.sampled_from(["", "^row"])) for name in ("channel", "rank", "bankgroup", "bank")]
    words += draw(
        st.sampled_from([[], ["column:2"], ["column:4", "column:2"], ["row:3", "bank:2"], ["row:2", "bank:2^row"]])
    )
    return tuple(draw(st.permutations(words)))


@st.composite
def mappings(draw: st.DrawFn) -> AddressMapping:
    standard = small((("channel", 1), ("rank", 2), ("bankgroup", 2), ("bank", 4)), rows=6, columns=8)
    channels = draw(st.sampled_from([1, 2, 4]))
    name = draw(st.sampled_from((*mapping_names(), "own")))
    if name == "own":
        return AddressMapping(name="own", order=draw(orders()), standard=standard, channels=channels)
    return load_mapping(name, standard, channels)


@given(mapping=mappings())
def test_every_place_has_exactly_one_address_and_all_ways_agree(mapping: AddressMapping) -> None:
    standard = mapping.standard
    addresses = np.arange(0, mapping.capacity_bytes, standard.column_bytes)
    places = [mapping.place(address) for address in addresses.tolist()]
    assert sorted(places) == [
        (channel, bank, row, column)
        for channel in range(mapping.channels) for bank in range(16) for row in range(6) for column in range(8)
    ]  # fmt: skip
    assert [by_table(mapping, address) for address in addresses.tolist()] == places
    assert mapping.places(addresses + 5).tolist() == [list(place) for place in places]
    assert [mapping.address_of(place) for place in places] == addresses.tolist()
    assert mapping.addresses_of(np.array(places)).tolist() == addresses.tolist()


@given(data=st.data(), name=st.sampled_from(STANDARDS), mapping=st.sampled_from(mapping_names()))
def test_shipped_mappings_fit_shipped_standards(data: st.DataObject, name: str, mapping: str) -> None:
    standard = load_standard(name)
    channels = data.draw(st.sampled_from([1, 2, 3, 8]))
    where = load_mapping(mapping, standard, channels)
    s = standard
    assert where.capacity_bytes == channels * s.banks * s.rows * s.columns * s.column_bytes
    blocks = data.draw(st.lists(st.integers(0, where.capacity_bytes // s.column_bytes - 1), min_size=1, max_size=20))
    for address in [block * s.column_bytes for block in blocks]:
        place = where.place(address)
        assert place.channel < channels
        assert place.bank < s.banks
        assert place.row < s.rows
        assert place.column < s.columns
        assert (where.address_of(place), by_table(where, address)) == (address, place)
        assert where.places(np.array([address])).tolist() == [list(place)]


def place_of(mapping: str, block: int, standard: Standard | None = None, channels: int = 1) -> Place:
    standard = standard or load_standard("ddr4_2133")  # 4 bank groups of 4 banks, 128 columns
    return load_mapping(mapping, standard, channels).place(block * standard.column_bytes)


def test_the_default_puts_neighbours_in_different_channels_and_bank_groups() -> None:
    assert [place_of("RoBaRaCoBgCh", block, channels=2)[:2] for block in range(5)] == [
        (0, 0), (1, 0), (0, 4), (1, 4), (0, 8),
    ]  # fmt: skip


def test_xor_moves_the_same_bank_of_the_next_row_to_another() -> None:
    row = 128 * 16  # accesses from one row to the next
    banks = [place_of("XorBaRaCoCh", number * row).bank for number in (0, 1, 2, 4, 5, 16)]
    # row bits 0 and 1 choose the group (4 banks apart), bits 2 and 3 the bank in it
    assert banks == [0, 4, 8, 1, 5, 0]
    assert [place_of("RoBaRaCoCh", number * row).bank for number in (0, 1, 2, 4, 5, 16)] == [0] * 6


def test_mop_stays_in_a_row_for_a_few_columns() -> None:
    assert [(p.bank, p.column) for p in (place_of("Mop", block) for block in (0, 3, 4, 8, 16, 64))] == [
        (0, 0), (0, 3), (4, 0), (8, 0), (1, 0), (0, 4),
    ]  # fmt: skip
    assert [(p.bank, p.column) for p in (place_of("Mop:2", block) for block in (0, 1, 2, 32))] == [
        (0, 0), (0, 1), (4, 0), (0, 2),
    ]  # fmt: skip


def test_rank_stands_for_whatever_levels_lie_above_the_bank_groups() -> None:
    standard = small((("channel", 1), ("pseudochannel", 2), ("stack", 3), ("bankgroup", 2), ("bank", 2)), 4, 4)
    mapping = load_mapping("ChRaBaRoCo", standard, 1)
    assert [digit.name for digit in mapping.digits] == ["column", "row", "bankgroup", "bank", "stack", "pseudochannel"]
    apart = load_mapping("stack,rank,bank,row,column,bankgroup", standard, 1)
    assert [digit.name for digit in apart.digits] == ["bankgroup", "column", "row", "bank", "pseudochannel", "stack"]


def test_a_table_of_digits() -> None:
    # 4 columns, bank groups XORed with row bits 0 and 1, banks with row bits 2 and 3, the other columns, rows
    assert load_mapping("MopXor", load_standard("ddr4_2133"), 1).table().tolist() == [
        [4, Part.COLUMN, 1, NO_XOR], [4, Part.BANK, 4, 0], [4, Part.BANK, 1, 2], [32, Part.COLUMN, 4, NO_XOR],
        [65536, Part.ROW, 1, NO_XOR],
    ]  # fmt: skip


def test_a_mapping_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("[row, bank^row, column, bankgroup, channel]\n")
    own = load_mapping(str(file), load_standard("hbm2"), 2)
    assert own.order == ("row", "bank^row", "column", "bankgroup", "channel")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("RoBa", "no address mapping 'RoBa'; nearest:"),
        (
            "row,bnak,column",
            "'bnak' is no part of an address; expected channel, rank, bankgroup, bank, "
            "row, column, also as column:4 or bank^row",
        ),
        ("row,bank,column,channel", "no word names the bankgroup, of which there are 4"),
        ("row,bank,column,bankgroup", "no word names the channel, of which there are 3"),
        ("row,column,bank,column,bankgroup,channel", "column comes 2 times without a size, such as column:4"),
        ("row,bank,column:3,column,bankgroup,channel", "column:3, column cannot make up column, of which there are 16"),
        ("row,bank,column:8,bankgroup,channel", "column:8 cannot make up column, of which there are 16"),
        ("row,bank,column:0,bankgroup,channel", "column:0 needs a size of at least 1"),
        (
            "row,bank,column^row,bankgroup,channel",
            "column^row is not possible; row bits are XORed to channel, rank and bank only",
        ),
        ("row,bank,column,bankgroup,channel^row", "channel^row needs a power of two for its XOR, found 3"),
        ("row,bank,bank:5,column,bankgroup,channel", "bank, bank:5 cannot make up bank, of which there are 4"),
        ("row,rank:2,bank,column,bankgroup,channel", "rank:2 cannot make up rank, of which there are 1"),
        ("RoBaRaCoCh:4", "address mapping RoBaRaCoCh takes no number, found 'RoBaRaCoCh:4'"),
        ("Mop:x", "address mapping Mop: expected a whole number after the colon, got 'x'"),
        ("Mop:7", "column, column:7 cannot make up column, of which there are 16"),
        ("nowhere.yaml", "nowhere.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_mapping_is_one_line(mapping: str, message: str) -> None:
    with pytest.raises(DramError) as error:
        load_mapping(mapping, load_standard("hbm2"), 3)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["row: column\n", "[row, 3]\n", "[row\n", "row\n"])
def test_a_wrong_file_is_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(DramError) as error:
        load_mapping(str(file), load_standard("hbm2"), 1)
    assert str(error.value).startswith(f"{file}: ")
    assert "\n" not in str(error.value)
