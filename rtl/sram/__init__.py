"""Working memory on chip."""
