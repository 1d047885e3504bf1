"""Several devices of one machine: the link between them, and one report of all."""
