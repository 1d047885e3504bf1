"""Pieces from which components are built: pipelines, buffers."""
