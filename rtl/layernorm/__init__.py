"""Layer norm in two stages that work on tokens one after the other: statistics, then the affine map."""
