"""Generated models and machines, small enough for the reference players."""

from hypothesis import strategies as st

SMALL_MODELS = st.fixed_dictionaries(
    {
        "layers": st.integers(1, 2),
        "d_model": st.sampled_from([16, 40, 96]),
        "heads": st.sampled_from([1, 2, 4]),
        "tokens": st.integers(1, 5),
        "prompt": st.integers(0, 5),
        "batch": st.integers(1, 2),
    }
)
SMALL_MACHINES = st.fixed_dictionaries(
    {
        "channels": st.integers(1, 3),
        "banks": st.sampled_from([4, 16]),
        "asic.clock_hz": st.sampled_from([1_000_000_000, 300_000_000]),
        "asic.adders": st.sampled_from([4, 256]),
        "batching": st.sampled_from(["token", "row_reuse"]),
        "accumulators": st.sampled_from([3, 32]),
        "timing.tREFI_ns": st.sampled_from([900, 6825]),
    }
)
