"""Write the JSON Schema of workload files, for editors: `python -m hwsim.mapping.export_schema [FILE]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hwsim.mapping.workload.load import json_schema


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "workloads/schema.json")
    target.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
