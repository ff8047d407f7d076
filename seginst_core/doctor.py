"""A look at the machine: what SegInst needs, what is there, and what to install where it is not."""

import ctypes
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from seginst_core.library import list_models, user_folder
from seginst_core.models import detectron2

Level = Literal["good", "note", "bad"]
"""``bad`` keeps the window from starting; a ``note`` is worth knowing."""

QT_LIBRARIES: Mapping[str, str] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""What Qt needs on Linux whatever it draws on, and the Debian package that has it."""

X11_LIBRARIES: Mapping[str, str] = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt needs besides to show a window on an X11 display."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer."""

    topic: str
    level: Level
    text: str


def examine() -> tuple[Finding, ...]:
    """Look at everything; never raises for what it finds."""
    return (
        Finding("Python", "good", f"{platform.python_version()} on {platform.platform()}"),
        *_torch(),
        _cpu(),
        _detectron2(),
        *_qt(),
        _display(),
        *_models(),
        _data_folder(),
    )


def can_start_window(findings: Sequence[Finding]) -> bool:
    """Whether nothing found keeps the window from starting."""
    return all(finding.level != "bad" for finding in findings)


def missing_libraries(libraries: Mapping[str, str]) -> tuple[str, ...]:
    """Return the Debian packages of those libraries that the dynamic linker cannot load."""
    if not sys.platform.startswith("linux"):
        return ()
    return tuple(package for name, package in libraries.items() if not _loads(name))


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _torch() -> tuple[Finding, ...]:
    try:
        import torch

        from seginst_core.engines.device import describe_device, pick_device

        device = pick_device("auto")
    except Exception as error:  # a broken installation can raise anything
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        text = f"torch cannot be used ({first}), so models cannot run or be trained."
        return (Finding("torch", "note", text),)
    devices = [describe_device(device)]
    if device.type == "cuda":
        others = range(1, torch.cuda.device_count())
        devices += [describe_device(torch.device("cuda", k)) for k in others]
    return (
        Finding("torch", "good", f"{torch.__version__}, torchvision {_version('torchvision')}"),
        Finding("Device", "good", "; ".join(devices)),
    )


def _cpu() -> Finding:
    try:
        from seginst_core.engines.device import cpu_flags

        flags = cpu_flags()
    except Exception:  # no torch: already said
        flags = set()
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    has = [name for flag, name in _CPU_FEATURES.items() if flag in flags]
    speed = ", ".join(has) if has else "no AMX or AVX512-BF16"
    return Finding("CPU", "good", f"{platform.machine()}, {n_cores} cores to use, {speed}")


_CPU_FEATURES = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "avx512f": "AVX512"}


def _detectron2() -> Finding:
    if not detectron2.is_installed():
        text = (
            "not installed, and only the detectron2 engine needs it; to add it: "
            f"{detectron2.DETECTRON2_PAGE}"
        )
    else:
        text = f"{_version('detectron2')} is installed"
    return Finding("detectron2", "note", text)


def _qt() -> tuple[Finding, ...]:
    if importlib.util.find_spec("PySide6") is None:
        return (Finding("Qt", "bad", "PySide6 is not installed: pip install PySide6-Essentials"),)
    version = _version("PySide6_Essentials")
    findings = [Finding("Qt", "good", f"PySide6 {version}")]
    if sys.version_info < (3, 12) and _major_minor(version) >= (6, 12):
        text = "PySide6 6.12 crashes on this Python: pip install 'PySide6-Essentials<6.12'"
        findings.append(Finding("Qt", "bad", text))
    if packages := missing_libraries(QT_LIBRARIES):
        findings.append(Finding("Qt libraries", "bad", _install(packages)))
    if packages := missing_libraries(X11_LIBRARIES):
        needed = _platform() == "xcb"
        text = f"for X11 displays: {_install(packages)}"
        findings.append(Finding("Qt libraries", "bad" if needed else "note", text))
    if len(findings) == 1 and sys.platform.startswith("linux"):
        findings.append(Finding("Qt libraries", "good", "all there"))
    return tuple(findings)


def _install(packages: Sequence[str]) -> str:
    return f"apt install {' '.join(packages)}"


def _platform() -> str:
    """The display Qt will choose: its own setting first, then Wayland, then X11; "" if none."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    if chosen or not sys.platform.startswith("linux"):
        return chosen or sys.platform
    if os.environ.get("WAYLAND_DISPLAY"):
        return "wayland"
    return "xcb" if os.environ.get("DISPLAY") else ""


def _display() -> Finding:
    name = _platform()
    if not name:
        text = (
            "there is none, so the window cannot start; the command line can be used "
            "(QT_QPA_PLATFORM=offscreen starts the window unseen)."
        )
        return Finding("Display", "bad", text)
    return Finding("Display", "good", name)


def _models() -> tuple[Finding, ...]:
    listing = list_models()
    names = ", ".join(f"{m.name} ({m.place})" for m in listing.models) or "none"
    notes = tuple(Finding("Models", "note", note) for note in listing.notes)
    return (Finding("Models", "good" if listing.models else "note", names), *notes)


def _data_folder() -> Finding:
    folder = user_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding("Data folder", "bad", f"{folder} cannot be written: {error.strerror}.")
    return Finding("Data folder", "good", str(folder))


def _major_minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"
