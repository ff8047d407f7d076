"""What the doctor says about machines that lack something."""

from pathlib import Path

import pytest

from seginst_core import doctor
from seginst_core.doctor import Finding


@pytest.fixture(autouse=True)
def unseen_display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGINST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("sys.platform", "linux")


def of(topic: str, findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.topic == topic]


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(doctor, "_loads", lambda name: name not in names)


def test_a_machine_with_everything_can_start_the_window(monkeypatch) -> None:
    without(monkeypatch)
    findings = doctor.examine()
    assert doctor.can_start_window(findings)
    assert {"Python", "torch", "Device", "CPU", "detectron2", "Qt", "Models"} <= {
        finding.topic for finding in findings
    }


def test_a_missing_library_is_named_by_its_debian_package(monkeypatch) -> None:
    without(monkeypatch, "libEGL.so.1", "libxkbcommon.so.0")
    findings = doctor.examine()
    assert not doctor.can_start_window(findings)
    (finding,) = of("Qt libraries", findings)
    assert finding.text == "apt install libegl1 libxkbcommon0"


def test_an_x11_library_matters_only_where_x11_is_used(monkeypatch) -> None:
    without(monkeypatch, "libxcb-cursor.so.0")
    assert doctor.can_start_window(doctor.examine())
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    findings = doctor.examine()
    assert not doctor.can_start_window(findings)
    assert "libxcb-cursor0" in of("Qt libraries", findings)[0].text


def test_no_display_is_said(monkeypatch) -> None:
    without(monkeypatch)
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    findings = doctor.examine()
    assert not doctor.can_start_window(findings)
    assert of("Display", findings)[0].level == "bad"


def test_a_data_folder_that_cannot_be_written_is_said(monkeypatch, tmp_path: Path) -> None:
    without(monkeypatch)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SEGINST_HOME", str(tmp_path / "file" / "home"))
    findings = doctor.examine()
    assert of("Data folder", findings)[0].level == "bad"
    assert not doctor.can_start_window(findings)


def test_a_library_that_is_not_there_does_not_load() -> None:
    assert doctor.missing_libraries({"libnosuchthing.so.1": "libnosuchthing1"}) == (
        "libnosuchthing1",
    )


def test_the_crashing_pair_of_python_and_qt_is_named(monkeypatch) -> None:
    without(monkeypatch)
    monkeypatch.setattr(doctor, "_version", lambda package: "6.12.0")
    monkeypatch.setattr("sys.version_info", (3, 11, 7))
    assert any("<6.12" in finding.text for finding in of("Qt", doctor._qt()))
    monkeypatch.setattr("sys.version_info", (3, 12, 0))
    assert len(of("Qt", doctor._qt())) == 1
