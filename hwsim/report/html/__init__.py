"""A run as one page that needs nothing but a browser."""

from hwsim.report.html.page import page

__all__ = ["page"]
