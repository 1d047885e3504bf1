"""Reports: their schema, and how they are shown and written."""

from hwsim.report.schema import SCHEMA_VERSION, Report

__all__ = ["SCHEMA_VERSION", "Report"]
