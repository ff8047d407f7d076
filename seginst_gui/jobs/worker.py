"""The window's end of the worker process: jobs out as JSON lines, events back as signals."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Qt, Signal

import seginst_core
from seginst_core.events import JsonValue
from seginst_gui.language import tr

_STDERR_KEPT_BYTES = 4000
_TERMINAL = ("done", "failed", "cancelled")
# -P: the person's folder is often the current one, and a "types.py" in it is none of ours.
WORKER_COMMAND = (sys.executable, "-P", "-m", "seginst_core.worker")


class WorkerClient(QObject):
    """One worker process; it runs the jobs submitted to it one after another.

    ``event(id, dict)`` carries a running job's events; then exactly one of
    ``finished(id, result)``, ``failed(id, sentence)`` and ``cancelled(id)`` follows. A worker
    that dies fails its jobs, emits ``died(sentence)`` and is started again by the next
    ``submit``, never by itself.
    """

    ready = Signal(str, str)
    # Hides QObject.event in Python only: Qt's own dispatch takes no notice of a signal.
    event = Signal(str, dict)  # type: ignore[assignment]
    finished = Signal(str, dict)
    failed = Signal(str, str)
    cancelled = Signal(str)
    died = Signal(str)

    def __init__(
        self, parent: QObject | None = None, *, command: Sequence[str] = WORKER_COMMAND
    ) -> None:
        super().__init__(parent)
        self._command = tuple(command)
        self._process: QProcess | None = None
        self._jobs: dict[str, str] = {}
        self._n_submitted = 0
        self._unread = bytearray()
        self._is_held = False
        self._stderr_tail = b""
        self.device = ""
        self.device_name = ""

    @property
    def busy(self) -> bool:
        """Whether a job is running or waiting."""
        return bool(self._jobs)

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def start(self) -> None:
        """Start the process if there is none, so that ``ready`` names the device before any job."""
        if self._process is not None:
            return
        process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_stderr)
        process.finished.connect(self._on_finished)
        # Queued, since a program that cannot be started would fail jobs inside submit().
        process.errorOccurred.connect(self._on_error, Qt.ConnectionType.QueuedConnection)
        self._process = process
        self._unread.clear()
        self._stderr_tail = b""
        process.start(self._command[0], list(self._command[1:]))

    def submit(self, job: str, params: Mapping[str, JsonValue]) -> str:
        """Hand a job to the worker (started if need be) and return the job's id."""
        self.start()
        self._n_submitted += 1
        job_id = str(self._n_submitted)
        self._jobs[job_id] = job
        self._write({"id": job_id, "job": job, "params": params})
        return job_id

    def cancel(self, job_id: str) -> None:
        """Ask a running or waiting job to stop; ``cancelled`` follows unless it ended first."""
        if job_id in self._jobs:
            self._write({"cancel": job_id})

    def hold(self) -> None:
        """Let the worker go on and say nothing of it: what it sends waits for ``release``."""
        self._is_held = True

    def release(self) -> None:
        """Say what came meanwhile, and go on as before."""
        self._is_held = False
        self._read()

    def stop(self, timeout_ms: int = 2000) -> None:
        """End the process: cancel its jobs by closing its input, kill it after ``timeout_ms``."""
        process, self._process = self._process, None
        self._jobs.clear()
        if process is None:
            return
        if process.state() != QProcess.ProcessState.NotRunning:
            process.closeWriteChannel()
            if not process.waitForFinished(timeout_ms):
                process.kill()
                process.waitForFinished(timeout_ms)
        process.deleteLater()

    def retire(self) -> None:
        """Let an idle process end by itself, without waiting; ``submit`` starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        for wire in (
            process.readyReadStandardOutput,
            process.readyReadStandardError,
            process.finished,
            process.errorOccurred,
        ):
            wire.disconnect()
        process.finished.connect(process.deleteLater)
        process.closeWriteChannel()

    def _write(self, message: Mapping[str, object]) -> None:
        if self._process is not None:
            self._process.write(orjson.dumps(message) + b"\n")

    def _read(self) -> None:
        if self._process is None or self._is_held:
            return
        self._unread += self._process.readAllStandardOutput().data()
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        for line in lines:
            if line.strip():
                self._receive(bytes(line))

    def _read_stderr(self) -> None:
        if self._process is not None:
            text = self._stderr_tail + self._process.readAllStandardError().data()
            self._stderr_tail = text[-_STDERR_KEPT_BYTES:]

    def _receive(self, line: bytes) -> None:
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            self._stderr_tail = (self._stderr_tail + line + b"\n")[-_STDERR_KEPT_BYTES:]
            return
        kind = message.get("event")
        if kind == "ready":
            self.device, self.device_name = message["device"], message["device_name"]
            self.ready.emit(self.device, self.device_name)
            return
        job_id = message.get("id")
        if job_id not in self._jobs:
            return
        if kind in _TERMINAL:
            del self._jobs[job_id]
        if kind == "done":
            self.finished.emit(job_id, message["result"])
        elif kind == "failed":
            self.failed.emit(job_id, message["message"])
        elif kind == "cancelled":
            self.cancelled.emit(job_id)
        else:
            self.event.emit(job_id, message)

    def _on_finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        if self._process is None:  # stop() was asked for
            return
        self.release()
        self._read_stderr()
        crashed = status == QProcess.ExitStatus.CrashExit
        self._bury(_how_it_ended(exit_code, crashed, self._stderr_tail))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._bury(
                tr("The worker could not be started: {errorstring}.").format(
                    errorstring=self._process.errorString()
                )
            )

    def _bury(self, sentence: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        jobs, self._jobs = self._jobs, {}
        for job_id in jobs:
            self.failed.emit(job_id, sentence)
        self.died.emit(sentence)


def _environment() -> QProcessEnvironment:
    """The window's environment, with this very seginst_core importable in spite of -P."""
    environment = QProcessEnvironment.systemEnvironment()
    source = str(Path(seginst_core.__file__).parents[1])
    paths = [path for path in environment.value("PYTHONPATH").split(os.pathsep) if path]
    environment.insert("PYTHONPATH", os.pathsep.join([*paths, source]))
    return environment


def _how_it_ended(exit_code: int, crashed: bool, stderr_tail: bytes) -> str:
    """One sentence on a worker's end; on POSIX a crash's exit code is the signal's number."""
    if crashed and os.name == "posix" and exit_code == signal.SIGKILL:
        return tr("The worker was killed, most likely because the machine ran out of memory.")
    if crashed:
        return tr("The worker crashed (signal {exit_code}); your annotations are safe.").format(
            exit_code=exit_code
        )
    lines = stderr_tail.decode(errors="replace").strip().splitlines()
    reason = f": {lines[-1].strip()}" if lines else ""
    return tr("The worker stopped by itself (exit code {exit_code}){reason}").format(
        exit_code=exit_code, reason=reason
    )
