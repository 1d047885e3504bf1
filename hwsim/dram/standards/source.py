"""Where the files of a standard lie: in the package, by name, or in a user's folder, by path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.data_file import read_data, read_text
from hwsim.errors import DramError

STANDARDS = (
    "pim_gpt",
    "gddr6_aim",
    "ddr4",
    "ddr4_2133",
    "ddr4_zcu102",
    "ddr5",
    "lpddr4",
    "lpddr5",
    "gddr6",
    "hbm2",
    "hbm2_u55c",
    "hbm2e",
    "hbm3",
    "hbm2_newton",
    "hbm_pim",
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of one standard.

    Attributes
    ----------
    name : of a shipped standard, or the path of a user's YAML file as it was given; messages begin with it
    folder : of the user's files; None for a shipped standard
    """

    name: str
    folder: Path | None = None

    def document(self) -> dict[str, Any]:
        """The YAML file; a user's is checked field by field.

        Raises
        ------
        DramError : a user's file that cannot be read, or with a field that is wrong
        """
        if self.folder is None:
            document: dict[str, Any] = read_data("hwsim.dram", f"standards/{self.name}.yaml")
            return document
        # pydantic loads when a user's file is to be checked; the shipped ones are checked by tests
        from hwsim.dram.standards.check import check_document
        from hwsim.mapping.yaml_file import read_mapping

        document = read_mapping(Path(self.name), DramError)
        check_document(document, origin=self.name)
        return document

    def table(self, file: str) -> tuple[str, str]:
        """The table of constraints, which lies beside the YAML file: how messages call it, and its text.

        Raises
        ------
        DramError : it is not there or no text
        """
        if self.folder is None:
            return file, read_text("hwsim.dram", f"standards/{file}")
        path = self.folder / file
        try:
            return str(path), path.read_text(encoding="utf-8")
        except OSError as cause:
            raise DramError(f"{self.name}: constraints: {file} beside it cannot be read: {cause.strerror}") from None
        except UnicodeDecodeError:
            raise DramError(f"{self.name}: constraints: {file} beside it is not UTF-8 text") from None


def find_source(name: str) -> Source:
    """A shipped standard by name, or a user's by the path of its file, which ends in .yaml or .yml.

    Raises
    ------
    DramError : neither
    """
    if name in STANDARDS:
        return Source(name=name)
    if name.endswith((".yaml", ".yml")):
        return Source(name=name, folder=Path(name).parent)
    raise DramError(f"no DRAM standard {name!r}; there are {', '.join(STANDARDS)}, or the path of a .yaml file")
