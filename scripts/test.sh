#!/usr/bin/env bash
# Set up and pass the tests: style, types, imports, then pytest (add `-m slow` for the long ones).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev,rtl
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
.venv/bin/lint-imports --no-cache
.venv/bin/python -m pytest "$@"
