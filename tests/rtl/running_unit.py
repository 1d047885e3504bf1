"""A unit of RTL that runs in Verilator while other code calls it, and keeps its state from call to call."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from cocotb_tools.runner import get_runner

from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.toolchain import verilator_environment
from hwsim.rtl.ports import Streams
from tests.rtl.benches.bench_serve import VARIABLE


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a call gave.

    Attributes
    ----------
    streams : the beats of the output streams
    first, last : the periods of a stream's first and last beat, counted from 1 in the period of the call's first beat
    """

    streams: Streams
    first: Mapping[str, int]
    last: Mapping[str, int]


class RunningUnit:
    """A simulation that is never stalled: all inputs are there from the start, all outputs are taken at once.

    Parameters
    ----------
    contract : says its name and its streams
    build : folder of the simulation
    folder : for what the simulator writes
    """

    def __init__(self, contract: Contract, build: Path, folder: Path) -> None:
        self.contract = contract
        self._ports = {port.name: port for port in contract.ports}
        self._log = folder / f"{contract.block}.log"
        self._place = TemporaryDirectory(prefix="hwsim-")  # a socket's address must be short
        self._listener = Listener(str(Path(self._place.name) / "socket"))
        arguments = (contract.block, build, folder / contract.block, self._log, str(self._listener.address))
        self._process = multiprocessing.get_context("fork").Process(target=_simulate, args=arguments)
        self._process.start()
        self._line: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._connect().send(None)
        self._process.join()
        self._line.close()
        self._listener.close()
        self._place.cleanup()

    def call(self, periods: int = 0, **streams: Mapping[str, Any]) -> Answer:
        """Offer some streams; streams that are not named have no beats.

        Parameters
        ----------
        periods : after which the last result has come, if results are asked for

        Raises
        ------
        AssertionError : the simulation ended; says what it complained of
        """
        for name, beats in streams.items():
            self._ports[name].check(beats)
        payloads = {name: self._ports[name].pack(beats) for name, beats in streams.items()}
        try:
            line = self._connect()
            line.send((payloads, periods))
            given, spans = line.recv()
        except (EOFError, OSError):
            said = [line for line in self._log.read_text().splitlines() if "Error" in line]
            raise AssertionError(f"{self.contract.block} ended; {self._log} says:\n" + "\n".join(said[-8:])) from None
        return Answer(
            streams={name: self._ports[name].unpack(beats) for name, beats in given.items()},
            first={name: span[0] for name, span in spans.items()},
            last={name: span[1] for name, span in spans.items()},
        )

    def _connect(self) -> Any:
        """The line to the simulator, which comes up while others do."""
        if self._line is None:
            self._line = self._listener.accept()
            self._line.send(self.contract.ports)
        return self._line


def _simulate(name: str, build: Path, run: Path, log: Path, address: str) -> None:
    """Run the simulator to its end."""
    run.mkdir()
    with patch.dict(os.environ, verilator_environment()), suppress(SystemExit):  # the runner raises it for a failure
        get_runner("verilator").test(
            test_module="tests.rtl.benches.bench_serve",
            hdl_toplevel=name,
            hdl_toplevel_lang="verilog",
            build_dir=build,
            test_dir=run,
            results_xml=str(run / "results.xml"),
            extra_env={VARIABLE: address, "COCOTB_ANSI_OUTPUT": "0"},
            log_file=log,
        )
    with suppress(OSError):
        Client(address).close()  # for a caller who still waits for the simulator
