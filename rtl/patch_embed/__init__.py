"""Patch embedding: image patches times resident weights, plus position vectors."""
