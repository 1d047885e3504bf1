"""A learned number for each place of a key relative to its query, which attention adds to their score."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.errors import GraphError


@dataclass(frozen=True, kw_only=True)
class RelativeBias:
    """Biases of the scores within windows of a grid of tokens, which lie row by row.

    In a window of side M a key is at most M - 1 rows and columns away from its query, to either side, so a head has
    (2 M - 1)^2 biases. The score of a pair becomes q k / sqrt(d) + bias, before the exponential. A unit that computes
    scores pair by pair thus needs one element of its head's table a pair, by the places of both, and one addition.

    Attributes
    ----------
    window : side of a window, in tokens
    columns : tokens in a row of the grid

    Source: Swin Transformer, section 3.2, equation 4.
    """

    window: int
    columns: int

    @property
    def entries(self) -> int:
        """Biases of one head."""
        return self._side**2

    def entry(self, query: int, key: int) -> int:
        """Which bias of a head belongs to the tokens at two places of the grid.

        Raises
        ------
        GraphError : they are too far apart to be in one window
        """
        (query_row, query_column), (key_row, key_column) = (divmod(place, self.columns) for place in (query, key))
        down, right = query_row - key_row, query_column - key_column
        if max(abs(down), abs(right)) >= self.window:
            raise GraphError(f"relative bias: tokens {query} and {key} are in no window of {self.window}")
        return (down + self.window - 1) * self._side + right + self.window - 1

    @property
    def _side(self) -> int:
        return 2 * self.window - 1

    def __str__(self) -> str:
        return f"relative bias {self._side} x {self._side}"
