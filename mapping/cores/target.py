"""The pipeline of cores that a pattern is compiled for."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.errors import MappingError


@dataclass(frozen=True, kw_only=True)
class CoreTarget:
    """Cores in a pipeline of stages with two banks between any two.

    Attributes
    ----------
    cores : keys that are held at a time
    loads : rows of K and V that a LOAD stage may load without becoming the slowest; an aim, not a limit
    sv_stage : stages from LOAD to SV: 2 where SV follows QK, 4 with the two stages of a running maximum between them
    """

    cores: int
    loads: int
    sv_stage: int = 2

    def __post_init__(self) -> None:
        for name, value, least in (("cores", self.cores, 1), ("loads", self.loads, 1), ("sv_stage", self.sv_stage, 2)):
            if value < least:
                raise MappingError(f"{name} must be at least {least}, got {value}")

    @property
    def bank_free_after(self) -> int:
        """Rows from the last one that sees a key to the first one in whose LOAD stage its bank may be loaded.

        A key that LOAD brings for row r goes into the bank of the key that the core held before the present one, and
        SV is the last stage that reads it. LOAD can begin with row r when the next stage has done with row r - 2, as
        there are two banks between them; that one could begin with row r - 2 when the stage after it had done with
        row r - 4, and so on to SV, which has done with row r - 2 `sv_stage`. With all stages in lockstep SV is ahead
        of that, at row r - `sv_stage`.
        """
        return 2 * self.sv_stage

    @property
    def drain(self) -> int:
        """Intervals in which the pipeline runs empty between passes: after SV come two reductions and the division."""
        return self.sv_stage + 3
