"""GPUs and CPUs to compare with, modelled by a roofline; nothing here is measured unless it says so."""

from hwsim.baselines.device import Device, devices, find_device
from hwsim.baselines.roofline import Modelled, decode_latency, step_times

__all__ = ["Device", "Modelled", "decode_latency", "devices", "find_device", "step_times"]
