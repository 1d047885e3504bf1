"""Rewrites of a graph: pure functions from one to another."""
