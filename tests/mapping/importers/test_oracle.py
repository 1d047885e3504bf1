"""Parameters of imported models, equal to those that transformers counts (`tests/mapping/data/`)."""

from __future__ import annotations

import ast
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.mapping.importers.configs import imported

DATA = Path(__file__).parents[1] / "data"
ROWS = list(csv.DictReader((DATA / "hf_param_oracle.csv").read_text().splitlines()))
# Fields that a class derives if they are not given, so that they follow the fields that a row replaces.
DERIVED = ("layer_types", "pooler_output_size")


def defaults() -> dict[str, dict[str, Any]]:
    lines = (DATA / "hf_config_defaults.txt").read_text().splitlines()
    named = (line.removeprefix("## ").split(" ", 1) for line in lines)
    return {model_type: json.loads(fields) for model_type, fields in named}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_parameters_are_those_of_transformers(row: dict[str, str]) -> None:
    replaced = ast.literal_eval(row["overrides"])
    fields = defaults()[row["model_type"]]
    for name in DERIVED if replaced else ():
        fields.pop(name, None)
    got = imported(json.dumps({**fields, **replaced}), row["name"])
    assert got.workload.model.parameters == int(row["params"])
    assert got.warnings == ()
