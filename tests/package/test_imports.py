"""Nothing loads a second copy of mapping or rtl under its bare name."""

import subprocess
import sys

SCRIPT = """
import sys
from hwsim.rtl.blocks import BLOCKS
for block in BLOCKS.values():
    block.component(block.contract.from_preset("rtl"))
print([name for name in sys.modules if name.split(".")[0] in ("mapping", "rtl")])
"""


def test_components_come_from_hwsim_rtl_where_a_checkout_has_a_bare_rtl_too() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
