"""What control logic must keep, as assertions for formal proofs."""
