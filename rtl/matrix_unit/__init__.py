"""An array of floating-point multiply-accumulates for tiles of rows times a matrix."""
