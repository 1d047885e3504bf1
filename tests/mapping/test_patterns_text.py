"""Patterns as text: printed patterns read back the same, and error messages say where the mistake is."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.errors import PatternError
from hwsim.mapping.patterns import (
    KINDS,
    After,
    Axial,
    BlockLocal,
    Causal,
    Full,
    GlobalTokens,
    Pattern,
    RandomBlocks,
    StridedHeads,
    Window,
    Window2d,
    parse_pattern,
)
from tests.mapping.pattern_cases import keys, plain


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("causal", Causal()),
        ("window(255, 0)", Window(left=255)),
        ("window(2, 2, dilation=4)", Window(left=2, right=2, dilation=4)),
        ("window(256, 256) | global(4)", Window(left=256, right=256) | GlobalTokens(count=4)),
        ("global(64, last=64)", GlobalTokens(count=64, last=64)),
        ("global(last=1, positions=(3, 5))", GlobalTokens(last=1, positions=(3, 5))),
        ("window2d(56, 56, 7, shift=3)", Window2d(height=56, width=56, window=7, shift=3)),
        ("axial(64, 64, rows)", Axial(height=64, width=64, axis="rows")),
        ("axial(8, 8, frames, frames=4)", Axial(height=8, width=8, axis="frames", frames=4)),
        ("random_blocks(3, 64, seed=7)", RandomBlocks(blocks=3, block=64, seed=7)),
        ("strided_heads(4)", StridedHeads(stride=4)),
        ("after(16, causal | global(1))", After(count=16, pattern=Causal() | GlobalTokens(count=1))),
        (
            "(block_local(64, 1) | global(2)) & causal",
            (BlockLocal(size=64, back=1) | GlobalTokens(count=2)) & Causal(),
        ),
        ("full & causal | global(2)", Full() & Causal() | GlobalTokens(count=2)),
    ],
)
def test_text_and_pattern_are_the_same(text: str, pattern: Pattern) -> None:
    assert parse_pattern(text) == pattern
    assert str(pattern) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (" window( 3 )", "window(3, 0)"),
        ("window(right=1, left=2)", "window(2, 1)"),
        ("full()", "full"),
        ("((causal))", "causal"),
        ("full | (causal | global(1)) | full", "full | causal | global(1)"),
        ("causal & causal", "causal"),
        ("global(2) | full & causal", "global(2) | full & causal"),
        ("random_blocks(3, 64, 7, near=0)", "random_blocks(3, 64, seed=7, near=0)"),
    ],
)
def test_other_ways_to_write_a_pattern(text: str, written: str) -> None:
    assert str(parse_pattern(text)) == written


@st.composite
def nested(draw: st.DrawFn) -> Pattern:
    parts = draw(keys.flatmap(lambda n_k: st.lists(plain(n_k), min_size=1, max_size=5)))
    pattern = parts[0]
    for part in parts[1:]:
        how = draw(st.sampled_from(["|", "&", "after"]))
        pattern = (
            pattern | part if how == "|" else pattern & part if how == "&" else part | After(count=3, pattern=pattern)
        )
    return pattern


@given(nested())
@settings(max_examples=500)
def test_every_pattern_reads_back(pattern: Pattern) -> None:
    assert parse_pattern(str(pattern)) == pattern


def test_every_kind_is_known_by_the_name_that_it_writes() -> None:
    assert all(kind.kind == name for name, kind in KINDS.items())


def signature(kind: type[Pattern]) -> str:
    words = [field.name if field.default is MISSING else f"{field.name}={field.default}" for field in fields(kind)]
    return f"{kind.kind}({', '.join(words)})" if words else kind.kind


def test_the_page_on_patterns_lists_every_kind_with_its_parameters() -> None:
    page = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text(encoding="utf-8")
    table = page[page.index("## Kinds") : page.index("## Positions")]
    assert re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE) == [signature(kind) for kind in KINDS.values()]
    examples = re.search(r"```\n(.*?)```", page, re.DOTALL)
    assert examples is not None
    for line in examples[1].splitlines():
        text = line.split("#")[0].strip()
        assert str(parse_pattern(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("windo(3, 0)", "pattern 'windo(3, 0)', character 1: no kind 'windo'; nearest: window, window2d"),
        (
            "causal | globl(4)",
            "pattern 'causal | globl(4)', character 10: no kind 'globl'; nearest: global, full",
        ),
        ("", "pattern '', character 1: expected a kind of pattern, got the end"),
        ("causal |", "pattern 'causal |', character 9: expected a kind of pattern, got the end"),
        ("causal global(4)", "pattern 'causal global(4)', character 8: expected '|', '&' or the end, got 'global'"),
        ("(causal", "pattern '(causal', character 8: expected ')', got the end"),
        ("causal)", "pattern 'causal)', character 7: expected '|', '&' or the end, got ')'"),
        ("window(3", "pattern 'window(3', character 9: expected ',' or ')', got the end"),
        ("window(3 4)", "pattern 'window(3 4)', character 10: expected ',' or ')', got '4'"),
        ("window", "pattern 'window', character 1: window needs left"),
        ("window(left)", "pattern 'window(left)', character 8: expected a whole number, got 'left'"),
        ("window(lft=3)", "pattern 'window(lft=3)', character 8: window has no parameter 'lft'; nearest: left"),
        ("window(3, left=3)", "pattern 'window(3, left=3)', character 11: window gets left twice"),
        ("window(1, 2, 3, 4)", "pattern 'window(1, 2, 3, 4)', character 17: window has 3 parameters, got more"),
        (
            "window(right=1, 2)",
            "pattern 'window(right=1, 2)', character 17: parameters of window after a named one need their names",
        ),
        ("window(-1)", "pattern 'window(-1)', character 1: window: left must be a whole number of at least 0, got -1"),
        ("window(1.5)", "pattern 'window(1.5)', character 9: '.5)' is no word, sign or number of up to 18 digits"),
        (
            "causal + full",
            "pattern 'causal + full', character 8: '+ full' is no word, sign or number of up to 18 digits",
        ),
        ("global(positions=3)", "pattern 'global(positions=3)', character 18: expected numbers in brackets, got '3'"),
        ("axial(8, 8, row)", "pattern 'axial(8, 8, row)', character 1: axial: no axis 'row'; nearest: rows"),
        ("axial(8, 8, 1)", "pattern 'axial(8, 8, 1)', character 13: expected a word, got '1'"),
        (
            "after(1, wndow(1))",
            "pattern 'after(1, wndow(1))', character 10: no kind 'wndow'; nearest: window, window2d",
        ),
    ],
)
def test_an_error_names_the_place_and_what_was_meant(text: str, message: str) -> None:
    with pytest.raises(PatternError) as raised:
        parse_pattern(text)
    assert str(raised.value) == message


def test_no_text_is_too_much() -> None:
    with pytest.raises(PatternError, match="brackets within brackets, more than 30 deep"):
        parse_pattern("(" * 5000)
    with pytest.raises(PatternError, match="number of up to 18 digits"):
        parse_pattern(f"window({'9' * 5000})")
    with pytest.raises(PatternError, match="a pattern of 20002 characters is longer than 10000"):
        parse_pattern(" | " + "causal" * 3333 + "x")
    with pytest.raises(PatternError, match=r"pattern 'causal \| causal"):
        parse_pattern(" | ".join(["causal"] * 200) + " |")


@given(st.text(alphabet="causlwindow(),|&= 0123456789", max_size=20))
@settings(max_examples=500)
def test_any_text_is_a_pattern_or_one_line(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except PatternError as cause:
        said = str(cause)
    else:
        said = str(pattern)
        assert parse_pattern(said) == pattern
    assert "\n" not in said
