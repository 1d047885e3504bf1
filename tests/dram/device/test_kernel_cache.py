"""Compiled code is kept in some folder, for every user."""

import os
import tempfile

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
