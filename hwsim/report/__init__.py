"""Reports: their schema, and how they are shown and written."""
