"""Which processor a network runs on; never a silent fall back to the CPU."""

import platform
from pathlib import Path

import torch

from seginst_core.errors import ModelError, is_out_of_memory


def pick_device(name: str = "auto") -> torch.device:
    """Return the device asked for: ``auto`` is the GPU where there is one.

    ModelError if a device is named that this machine, or this build of torch, does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ModelError(f"{name!r} is not a device; choose auto, cpu or cuda.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            "CUDA was asked for but torch finds no CUDA device here; "
            "choose --device cpu, or see `seginst doctor`."
        )
    try:
        torch.zeros(1, device=device).item()
    except Exception as error:  # each kind of device says in its own way that there is none
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"This machine has no device {name} to run models on; choose --device auto, or see "
            "`seginst doctor`."
        ) from error
    return device


def describe_device(device: torch.device) -> str:
    """Name a device for a person, such as ``CPU, 2 threads (AMD EPYC)``."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "mps":
        return "Apple GPU (mps)"
    return f"CPU, {torch.get_num_threads()} threads ({_cpu_name()})"


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 beats float32 there: on GPUs, and on CPUs with AMX or AVX512-BF16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    return bool({"amx_bf16", "avx512_bf16"} & cpu_flags())


def cpu_flags() -> set[str]:
    """Return the CPU's feature flags where the system lists them (Linux), else nothing."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    for line in text.splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
