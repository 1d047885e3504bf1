"""Workloads made from what others keep of a model."""
