"""Compiled code is kept in some folder, for every user."""

import os
import tempfile
from pathlib import Path

import pytest

from hwsim.dram.device import kernel_cache


def test_without_a_folder_of_its_own_the_cache_goes_to_the_temporary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", "")
    monkeypatch.setattr(os, "access", lambda *_: False)
    kernel_cache.find_cache_folder()
    assert f"{tempfile.gettempdir()}/hwsim-numba-{os.getuid()}" == kernel_cache.config.CACHE_DIR


def test_a_writable_checkout_keeps_the_cache_beside_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", "")
    kernel_cache.find_cache_folder()
    assert kernel_cache.config.CACHE_DIR == ""


@pytest.mark.parametrize(
    "source",
    ["from enum import IntEnum", "from typing import NamedTuple", "from hwsim.dram.device.compiled import inlined"],
)
def test_what_another_file_holds_is_not_compiled_in_for_good(source: str, tmp_path: Path) -> None:
    (tmp_path / "device").mkdir()
    constants, prose = tmp_path / "device" / "tables.py", tmp_path / "notes.py"
    constants.write_text(source)
    prose.write_text("# nothing compiled")
    assert kernel_cache.forget_stale_code(tmp_path)  # nothing is known yet
    index = tmp_path / "device" / "__pycache__" / "bank_state.earliest.nbi"
    index.touch()
    prose.write_text("# nothing that is compiled")
    assert not kernel_cache.forget_stale_code(tmp_path)
    assert index.exists()
    constants.write_text(f"{source}  # changed")
    assert kernel_cache.forget_stale_code(tmp_path)
    assert not index.exists()
