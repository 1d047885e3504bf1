"""SWAT."""
