#!/usr/bin/env bash
# Make .venv with hwsim in it. usage: scripts/setup.sh [extras, comma separated]
# Needs Python 3.11 or newer with pip and venv; as root on Debian or Ubuntu it installs what of these is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
  for candidate in python3.11 python3 python3.12 python3.13; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# The shared library of a Python, which cocotb loads into the simulator.
has_libpython() {
  "$1" - <<'PYTHON' 2>/dev/null
import ctypes, pathlib, sysconfig
name = sysconfig.get_config_var("INSTSONAME")
beside = pathlib.Path(sysconfig.get_config_var("LIBDIR") or "/", name)
ctypes.CDLL(str(beside) if beside.exists() else name)
PYTHON
}

# What simulating RTL needs beside PyPI's packages.
find_missing_rtl_tools() {
  for pair in c++:g++ make:make perl:perl ccache:ccache; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair##*:}")
  done
  has_libpython "$1" || missing+=("libpython$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')")
}

# Install packages where that is possible, or name them.
require() {
  [ $# -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -q
    apt-get install -q -y --no-install-recommends "$@"
  else
    echo "setup: missing $*; install with: apt-get install $*" >&2
    exit 2
  fi
}

missing=()
python=$(find_python) || missing+=(python3 python3-venv)
if [ -n "${python:-}" ] && ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  missing+=(python3-venv)
fi
if [ -z "${python:-}" ]; then # its version, and so the name of its library, is known once it is there
  require "${missing[@]}"
  missing=()
  python=$(find_python) || { echo "setup: no Python 3.11 to 3.13 found, even after installing python3" >&2; exit 2; }
fi
case ",${1:-}," in *,rtl,*) find_missing_rtl_tools "$python" ;; esac
require "${missing[@]}"

[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".${1:+[$1]}"
