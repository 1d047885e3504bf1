"""What a program keeps in the channels of HBM fits there, or a line says what does not."""

import pytest

from hwsim.errors import MachineError
from hwsim.pipeline import load_workload, prepare


def test_queries_that_a_channel_does_not_hold() -> None:
    """A channel holds 512 MiB; 16 rows of Q fill a block of 2 KiB, and a head of 512 rows 32 blocks."""
    assert prepare(load_workload("swat_kernel", tokens=512, batch=8192), "swat")
    with pytest.raises(
        MachineError, match="q of a pipeline's heads takes 536,936,448 B, and a channel holds 536,870,912"
    ):
        prepare(load_workload("swat_kernel", tokens=512, batch=8193), "swat")
    assert prepare(load_workload("swat_kernel", tokens=512, batch=8193), "swat", {"pipelines": 2})


def test_weights_that_their_channels_do_not_hold() -> None:
    workload = load_workload("longformer_base_4096", layers=96, tokens=64, n_ctx=64)
    settings = {"matrix.weight_channels": 1}
    with pytest.raises(MachineError, match=r"weights take [0-9,]+ B in each of 1 channels \(matrix.weight_channels\)"):
        prepare(workload, "swat", settings)
    assert prepare(workload, "swat", {"matrix.weight_channels": 4})
