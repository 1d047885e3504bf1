"""A report from its file."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from hwsim.errors import UserError
from hwsim.mapping.yaml_file import first_problem
from hwsim.report.schema import SCHEMA_VERSION, Report

MAX_BYTES = 64 << 20


def read_report(path: Path) -> Report:
    """The report in a file; one of another minor version may lack or have more fields.

    Raises
    ------
    UserError : the file cannot be read, is no JSON, no report, or of another schema
    """
    document = _read_json(path)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, str) or not isinstance(document, dict) or "latency_s" not in document:
        raise UserError(f"{path}: not a report of hwsim run --json")
    ours = SCHEMA_VERSION.partition(".")[0]
    if version.partition(".")[0] != ours:
        raise UserError(f"{path}: report of schema {version}, this hwsim reads those of schema {ours}.x; run it again")
    try:
        return Report.model_validate(document)
    except ValidationError as cause:
        raise UserError(f"{path}: not a report: {first_problem(cause)}") from None


def _read_json(path: Path) -> object:
    try:
        if path.is_dir():
            raise UserError(f"{path}: is a folder, expected a report")
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES} bytes, expected a report")
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as cause:
        raise UserError(f"{path}: cannot be read: {cause.strerror or cause}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text, expected a report as JSON") from None
    except (ValueError, RecursionError) as cause:
        raise UserError(f"{path}: not JSON: {cause}") from None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
