"""The sum of the vectors of all cores, in two levels."""
