"""Patterns as text: `parse_pattern` reads what `str` of a pattern writes.

union        = intersection { "|" intersection }
intersection = atom { "&" atom }
atom         = "(" union ")" | kind [ "(" [ argument { "," argument } ] ")" ]
argument     = [ name "=" ] value
value        = number | word | "(" number { "," number } ")" | union
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_type_hints

from hwsim.mapping.errors import PatternError, nearest
from hwsim.mapping.patterns.after import After
from hwsim.mapping.patterns.axial import Axial
from hwsim.mapping.patterns.block_local import BlockLocal
from hwsim.mapping.patterns.causal import Causal
from hwsim.mapping.patterns.full import Full
from hwsim.mapping.patterns.global_tokens import GlobalTokens
from hwsim.mapping.patterns.memory_slots import MemorySlots
from hwsim.mapping.patterns.pattern import Pattern
from hwsim.mapping.patterns.random_blocks import RandomBlocks
from hwsim.mapping.patterns.segment import CrossSegment, Segment
from hwsim.mapping.patterns.strided import Strided, StridedHeads
from hwsim.mapping.patterns.window import Window
from hwsim.mapping.patterns.window2d import Window2d

KINDS: dict[str, type[Pattern]] = {
    "full": Full,
    "causal": Causal,
    "window": Window,
    "block_local": BlockLocal,
    "global": GlobalTokens,
    "random_blocks": RandomBlocks,
    "window2d": Window2d,
    "axial": Axial,
    "strided": Strided,
    "strided_heads": StridedHeads,
    "segment": Segment,
    "cross_segment": CrossSegment,
    "memory_slots": MemorySlots,
    "after": After,
}

MOST_CHARACTERS = 10_000
DEEPEST = 30  # brackets within brackets, far below what Python's stack takes
_TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z_][A-Za-z_0-9]*)|(?P<number>-?[0-9]{1,18}(?![0-9]))|(?P<sign>[(),|&=])|(?P<end>$))"
)


def parse_pattern(text: str) -> Pattern:
    """The pattern that `text` writes, such as `(block_local(64, 1) | global(2)) & causal`.

    Parameters of a kind come in the order of its fields or by name; `&` binds more closely than `|`.

    Raises
    ------
    PatternError : names the character at which the text goes wrong, and the nearest kind or parameter
    """
    if len(text) > MOST_CHARACTERS:
        raise PatternError(f"a pattern of {len(text)} characters is longer than {MOST_CHARACTERS}")
    parser = _Parser(text=text, tokens=_split(text))
    pattern = parser.union()
    parser.take("", "'|', '&' or the end")
    return pattern


@dataclass(frozen=True, kw_only=True)
class _Token:
    """A word, number or sign; the empty text is the end."""

    text: str
    kind: str
    at: int


def _split(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while not tokens or tokens[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise _wrong(text, start, f"{text[start : start + 20]!r} is no word, sign or number of up to 18 digits")
        tokens.append(_Token(text=match[match.lastgroup], kind=match.lastgroup, at=match.start(match.lastgroup)))
        at = match.end()
    return tokens


def _wrong(text: str, at: int, reason: str) -> PatternError:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return PatternError(f"pattern {shown!r}, character {at + 1}: {reason}")


class _Parser:
    """Recursive descent: a method for each line of the grammar."""

    def __init__(self, *, text: str, tokens: list[_Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def take(self, text: str, expected: str) -> None:
        """Go past a sign that must come now."""
        if self.token.text != text:
            raise self.unexpected(expected)
        self.next = min(self.next + 1, len(self.tokens) - 1)

    def wrong(self, reason: str, token: _Token | None = None) -> PatternError:
        return _wrong(self.text, (token or self.token).at, reason)

    def unexpected(self, expected: str) -> PatternError:
        return self.wrong(f"expected {expected}, got {repr(self.token.text) if self.token.text else 'the end'}")

    def union(self) -> Pattern:
        pattern = self.intersection()
        while self.token.text == "|":
            self.next += 1
            pattern |= self.intersection()
        return pattern

    def intersection(self) -> Pattern:
        pattern = self.atom()
        while self.token.text == "&":
            self.next += 1
            pattern &= self.atom()
        return pattern

    def atom(self) -> Pattern:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"brackets within brackets, more than {DEEPEST} deep")
        if self.token.text == "(":
            self.next += 1
            pattern = self.union()
            self.take(")", "')'")
        else:
            pattern = self.call()
        self.depth -= 1
        return pattern

    def call(self) -> Pattern:
        name = self.token
        if name.kind != "word":
            raise self.unexpected("a kind of pattern")
        if name.text not in KINDS:
            raise self.wrong(f"no kind {name.text!r}{nearest(name.text, KINDS)}")
        self.next += 1
        kind = KINDS[name.text]
        given = self.arguments(kind) if self.token.text == "(" else {}
        missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in given]
        if missing:
            raise self.wrong(f"{name.text} needs {', '.join(missing)}", name)
        try:
            return kind(**given)
        except PatternError as cause:
            raise self.wrong(str(cause), name) from None

    def arguments(self, kind: type[Pattern]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        self.take("(", "'('")
        while self.token.text != ")":
            if given:
                self.take(",", "',' or ')'")
            field = self.parameter(kind, given)
            given[field.name] = self.value(get_type_hints(kind)[field.name])
        self.take(")", "')'")
        return given

    def parameter(self, kind: type[Pattern], given: dict[str, Any]) -> Field[Any]:
        """The field that the next argument is for: the one it names, or the next in order."""
        known = {field.name: field for field in fields(kind)}
        token = self.token
        if token.kind == "word" and self.tokens[self.next + 1].text == "=":
            if token.text not in known:
                raise self.wrong(f"{kind.kind} has no parameter {token.text!r}{nearest(token.text, known)}")
            if token.text in given:
                raise self.wrong(f"{kind.kind} gets {token.text} twice")
            self.next += 2
            return known[token.text]
        if len(given) == len(known):
            raise self.wrong(f"{kind.kind} has {len(known)} parameters, got more")
        field = list(known.values())[len(given)]
        if list(given) != list(known)[: len(given)]:
            raise self.wrong(f"parameters of {kind.kind} after a named one need their names")
        return field

    def value(self, wanted: Any) -> Any:
        """A value of the type that the field has."""
        readers: dict[Any, Callable[[], Any]] = {int: self.number, tuple[int, ...]: self.numbers, Pattern: self.union}
        return readers.get(wanted, self.word)()

    def number(self) -> int:
        if self.token.kind != "number":
            raise self.unexpected("a whole number")
        self.next += 1
        return int(self.tokens[self.next - 1].text)

    def numbers(self) -> tuple[int, ...]:
        self.take("(", "numbers in brackets")
        found = [self.number()]
        while self.token.text == ",":
            self.next += 1
            found.append(self.number())
        self.take(")", "',' or ')'")
        return tuple(found)

    def word(self) -> str:
        if self.token.kind != "word":
            raise self.unexpected("a word")
        self.next += 1
        return self.tokens[self.next - 1].text
