"""Division: the exact quotient of two unsigned numbers, cut off to the result's resolution."""
