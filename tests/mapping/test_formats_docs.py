"""docs/formats.md agrees with the formats."""

import re
from pathlib import Path

from hwsim.mapping.formats import SHORTHANDS, STANDARDS, bits_per_element, parse_format, parse_tensor_format

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
SCALED_ROW = re.compile(r"^\| `([^`]+)` \| ([\d.]+) \| `([^`]+)` \|", re.MULTILINE)


def test_bits_an_element_and_the_full_text_are_those_of_the_table() -> None:
    rows = SCALED_ROW.findall(PAGE)
    assert len(rows) == 15
    for text, bits, full in rows:
        fmt = parse_tensor_format(text)
        assert (text, f"{bits_per_element(fmt, 4096, 4096):.4f}") == (text, bits)
        assert parse_tensor_format(full) == fmt
    assert set(STANDARDS) | set(SHORTHANDS) <= {text for text, _, _ in rows}


def test_widths_are_those_of_the_table() -> None:
    section = PAGE.split("## Single numbers")[1].split("What a value becomes")[0]
    widths = {
        text: int(bits)
        for texts, row in re.findall(r"^\| ((?:`[^`]+` ?)+)\| ([\d, ]+) \|", section, re.MULTILINE)
        for text, bits in zip(re.findall(r"`([^`]+)`", texts), row.split(", ") * 2)
    }
    assert len(widths) == 14
    assert {text: parse_format(text).bits for text in widths} == widths
