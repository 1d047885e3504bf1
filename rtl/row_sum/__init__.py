"""The sum, or the maximum, of a number of each core, in two levels."""
