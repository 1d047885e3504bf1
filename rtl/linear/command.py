"""Run-time commands of the unified linear unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Command:
    """One run-time command.

    Attributes
    ----------
    tokens : number of tokens to compute; 0 releases the weights unused
    in_tiles, out_tiles : features in and out, in tiles
    use_gelu : results pass GELU
    use_expert : tokens come from the stream `index`, otherwise they are 0, 1, ...
    use_score : a result is `dst + score * y` instead of `y`
    """

    tokens: int
    in_tiles: int
    out_tiles: int
    use_gelu: bool = False
    use_expert: bool = False
    use_score: bool = False

    @property
    def words(self) -> int:
        """Tiles of weights, which equal the cycles per token."""
        return self.in_tiles * self.out_tiles
