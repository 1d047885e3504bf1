#!/usr/bin/env bash
# Set up and run the main path: GPT-2 generating 1,024 tokens on PIM-GPT.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
.venv/bin/hwsim run workloads/gpt2.yaml "$@"
