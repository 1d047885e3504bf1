"""Layer norm in two stages that work on tokens one behind the other: statistics, then the affine map."""
