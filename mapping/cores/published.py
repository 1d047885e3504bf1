"""Windows as the published accelerator has them: as many keys as cores, an even number."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_

from hwsim.mapping.patterns import After, BlockLocal, Pattern, Union, Window


def published_windows(pattern: Pattern) -> Pattern:
    """The pattern with windows that 2w cores hold: keys i - w to i + w - 1 of row i.

    Replaced are, alone, in unions and behind other tokens (`after`):

    - `window(w, w)`, also dilated, by `window(w, w - 1)`: one key less;
    - `block_local(size, n, forward=n)` by the window of as many keys, (2 n + 1) size, which slides with each row.
      BigBird's `block_local(64, 1, forward=1)` becomes `window(96, 95)`.

    Nothing else is: no window on one side, no intersection, no grid.
    """
    match pattern:
        case Union():
            return reduce(or_, map(published_windows, pattern.parts))
        case After():
            return replace(pattern, pattern=published_windows(pattern.pattern))
        case Window() if pattern.left == pattern.right > 0:
            return replace(pattern, right=pattern.right - 1)
        case BlockLocal() if pattern.back == pattern.forward > 0:
            keys = (2 * pattern.back + 1) * pattern.size
            return Window(left=keys // 2, right=keys - keys // 2 - 1)
    return pattern
