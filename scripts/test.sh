#!/usr/bin/env bash
# Set up and pass the tests: style, types, imports, then pytest (add `-m slow` for the long ones).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev,rtl

# A browser for the test of the HTML page; headless-shell is Debian's smallest package with one.
browsers=(chromium-headless-shell chromium chromium-browser google-chrome)
find_browser() { for name in "${browsers[@]}"; do command -v "$name" && return 0; done; return 1; }
if ! find_browser >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -q
    apt-get install -q -y --no-install-recommends chromium-headless-shell ||
      apt-get install -q -y --no-install-recommends chromium || true
  fi
  find_browser >/dev/null || {
    echo "test: missing a browser for the HTML page; install with: apt-get install chromium" >&2
    exit 2
  }
fi

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
.venv/bin/lint-imports --no-cache
.venv/bin/python -m pytest "$@"
