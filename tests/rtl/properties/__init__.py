"""Properties of control logic, as assertions for formal proofs."""
