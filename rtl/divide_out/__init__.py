"""The division at the end of a row."""
