"""docs/cores.md shows what the compiler makes."""

import re
from pathlib import Path

import pytest

from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.patterns import parse_pattern

DOCS = Path(__file__).parents[3] / "docs" / "cores.md"
SHOWN = re.findall(r"^\*\*`([^`]+)`, (\d+) tokens\*\*\n\n```\n(.+?)\n```", DOCS.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize(("pattern", "tokens", "dump"), SHOWN)
def test_plans_are_what_the_docs_show(pattern: str, tokens: str, dump: str) -> None:
    plan = compile_pattern(parse_pattern(pattern), int(tokens), int(tokens), cores=512, loads=6)
    assert plan.dump() == dump


def test_the_docs_show_plans() -> None:
    assert len(SHOWN) == 5
