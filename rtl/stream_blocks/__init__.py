"""Pieces that components are built of: pipelines, buffers."""
