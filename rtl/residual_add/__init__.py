"""The sum of the residual stream and a branch, element by element."""
