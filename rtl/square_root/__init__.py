"""Square root: bit by bit, then rounded."""
