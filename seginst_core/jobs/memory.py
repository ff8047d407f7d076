"""The most memory that a piece of work takes."""

from contextlib import suppress
from pathlib import Path

import torch

from seginst_core.memory import give_back_freed_memory

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class PeakMemory:
    """Counts from when it is made: a GPU's memory if ``device`` is one, else the process's."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._known = True
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            # What the work before freed and the process kept would count as this work's.
            give_back_freed_memory()
            try:
                _RESET.write_text(_RESET_PEAK)
            except OSError:
                self._known = False

    def gigabytes(self) -> float | None:
        """Return the peak so far in units of 10^9 bytes; None where the system does not tell."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) / 1e9
        if self._known:
            with suppress(OSError):
                for line in _STATUS.read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        return int(line.split()[1]) * 1024 / 1e9
        return None
