"""Run-time commands of the patch embedding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Command:
    """One run-time command; its parts are done in this order.

    Attributes
    ----------
    load : weights and biases are loaded, and stay until the next load
    class_token : the first row of `position` leaves as it is: the class token, which the file of positions includes
    stripes : stripes of an image to embed
    """

    stripes: int
    load: bool = False
    class_token: bool = False
