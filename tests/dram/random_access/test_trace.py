"""Request traces: what lines mean, that both parsers agree, and messages for wrong lines."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cli import main
from hwsim.dram.random_access.address import Place
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.requests import NO_ARRIVAL
from hwsim.dram.random_access.trace import read_trace
from hwsim.dram.random_access.trace_line import TracedRequest, parse_line
from hwsim.dram.standards.load import load_standard
from hwsim.errors import TraceError

MEMORY = load_mapping("XorBaRaCoBgCh", load_standard("ddr4_2133"), 2)
NUMBERS = ["0", "7", "64", "0x40", "0XfF", "9" * 15, "9" * 16, "0x", "-1", "é", str(1 << 40), str((1 << 40) + 1), ""]
KINDS = ["LD", "ld", "ST", "READ", "write", "LOAD", "\0LD", "RE", "0x40", "0x"]
WORDS = [*KINDS, *NUMBERS, *(prefix + n for prefix in ("@", "ch", "Ba", "ro", "co", "cx") for n in NUMBERS), "#", "@@5"]


def lines() -> st.SearchStrategy[str]:
    """Any words, and words in the order of each form, so that most lines are requests."""
    number = st.sampled_from(NUMBERS)
    place = st.tuples(*(number.map(prefix.__add__) for prefix in ("ch", "ba", "ro", "co"))).map(" ".join)
    arrival = st.one_of(st.just(""), number.map("@".__add__))
    kind = st.sampled_from(KINDS)
    form = st.one_of(st.tuples(kind, number, arrival), st.tuples(kind, place, arrival), st.tuples(number, kind, number))
    return st.one_of(form.map(" ".join), st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join))


def read(path: Path, *, wrap: bool = False) -> list[TracedRequest]:
    found = []
    for chunk in read_trace(path, MEMORY, wrap=wrap):
        found += [TracedRequest(*each) for each in zip(*(part.tolist() for part in chunk), strict=True)]
    return found


def test_a_line_is_an_address_a_place_or_a_cycle_after_an_address(tmp_path: Path) -> None:
    trace = tmp_path / "forms.trace"
    trace.write_text(
        "# reads and writes\nLD 0x1f40\nst 8000\n\nLD 64 @100\nST ch1, ba3, ro17, co5\nld CH1 BA3 RO17 CO5 @0x70\n"
        "0x1f40 READ 120\n0X1F40 write 120\nLD 0\n"
    )
    there = MEMORY.address_of(Place(channel=1, bank=3, row=17, column=5))
    assert read(trace) == [
        (False, 8000, NO_ARRIVAL), (True, 8000, NO_ARRIVAL), (False, 64, 100), (True, there, NO_ARRIVAL),
        (False, there, 112), (False, 8000, 120), (True, 8000, 120), (False, 0, NO_ARRIVAL),
    ]  # fmt: skip


def test_wrapping_takes_every_number_modulo_what_there_is(tmp_path: Path) -> None:
    trace = tmp_path / "far.trace"
    trace.write_text(f"LD {MEMORY.capacity_bytes + 128}\nLD ch3 ba17 ro65537 co130\n")
    assert [MEMORY.place(request.address) for request in read(trace, wrap=True)[1:]] == [(1, 1, 1, 2)]
    assert read(trace, wrap=True)[0].address == 128


@given(text=st.lists(lines(), min_size=1, max_size=4), wrap=st.booleans())
def test_the_two_parsers_agree(tmp_path_factory: pytest.TempPathFactory, text: list[str], wrap: bool) -> None:
    file = tmp_path_factory.mktemp("lines") / "some.trace"
    file.write_bytes("".join(f"{line}\n" for line in text).encode())
    expected, last = [], 0
    for number, line in enumerate(text, start=1):
        try:
            request = parse_line(line.encode().decode("latin-1"), MEMORY, last=last, wrap=wrap)
        except TraceError as cause:
            with pytest.raises(TraceError, match=f"^{re.escape(f'{file}: line {number}: {cause}')}$"):
                read(file, wrap=wrap)
            return
        if request:
            expected.append(request)
            last = max(last, request.arrival)
    assert read(file, wrap=wrap) == expected


def test_the_last_arrival_is_known_from_one_part_of_a_long_file_to_the_next(tmp_path: Path) -> None:
    trace = tmp_path / "long.trace"
    line = "LD 0x40 @70\n"
    count = 3 * (1 << 20) // len(line)
    trace.write_text(line * count + "LD 0x40 @69\n")
    message = f"line {count + 1}: arrives at cycle 69, before the last request, which arrived at cycle 70"
    with pytest.raises(TraceError, match=message):
        list(read_trace(trace, MEMORY))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"LD 0\nLOAD 3\n", "line 2: 'LOAD' begins no request; expected LD or ST, or an address in hexadecimal"),
        (b"LD 0\nST\n", "line 2: ST takes an address, or a place such as ch0 ba3 ro17 co5; found 0 words"),
        (b"LD ch0 ba3 ro17\n", "line 1: LD takes an address, or a place such as ch0 ba3 ro17 co5; found 3 words"),
        (b"LD 12z\n", "line 1: '12z' is no address; expected decimal or 0x hexadecimal"),
        (b"LD 0xfffffffffff\n", "line 1: address 0xfffffffffff is beyond the memory of 536870912 B"),
        (b"LD ch0 ba3 ro17 5\n", "line 1: '5' is no column; expected co and a number, such as co0"),
        (b"LD ch1 ba3 ro17 co5\n", "line 1: channel 1 is beyond the memory, whose last channel is 0"),
        (b"LD ch0 ba16 ro17 co5\n", "line 1: bank 16 is beyond the memory, whose last bank is 15"),
        (b"LD 0 @7\nLD 0 @6\n", "line 2: arrives at cycle 6, before the last request, which arrived at cycle 7"),
        (b"0x40 READ 7\nLD 0\n0x40 WRITE 6\n", "line 3: arrives at cycle 6, before the last request"),
        (b"LD 0 @x\n", "line 1: 'x' is no arrival; expected a cycle, decimal or 0x hexadecimal"),
        (b"LD 0 @2000000000000\n", "line 1: cycle 2000000000000 is later than 1099511627776, the last that"),
        (b"0x40 LOAD 7\n", "line 1: 'LOAD' after an address; expected READ or WRITE"),
        (b"0x40 READ\n", "line 1: an address at the beginning takes READ or WRITE and a cycle, found 1 word"),
        (b"\x7fELF\x01\x02\x00\x00", "line 1: "),
        (b"LD " + b"0" * 5000, "longer than 4096 bytes"),
    ],
)
def test_a_bad_trace_names_file_and_line(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, log = tmp_path / "bad.trace", tmp_path / "log.csv"
    trace.write_bytes(content)
    assert main(["dram", "hbm2", "--pattern", str(trace), "--commands", str(log)]) == 2
    error = capsys.readouterr().err
    assert f"{trace}: " in error
    assert message in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [trace]
