"""The status bar: what the tool does, where the pointer is, what runs, and on which device."""

import math

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import ElidedLabel

CPU_TIP = later("No GPU was found, so the models run on the processor, which takes longer.")

_GAP_PX = 10


class StatusBar(QStatusBar):
    """Permanent facts at the right, the tool's hint and passing words at the left."""

    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        # It gives way to the facts: a long one must not widen the window.
        self._hint = ElidedLabel(dim=False)
        self._hint.setObjectName("hint")
        self.addWidget(self._hint, 1)
        self._job = QLabel()
        self._bar = QProgressBar()
        self._bar.setObjectName("job_progress")
        self._bar.setFixedWidth(150)
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._cancel = QToolButton()
        self._cancel.setIcon(icon("cancel_job"))
        self._cancel.setAutoRaise(True)
        self._cancel.setToolTip(tr("Cancel"))
        self._cancel.setAccessibleName(tr("Cancel the running job"))
        self._cancel.clicked.connect(self.cancel_wanted)
        self._pointer = _Figures("-00000, -00000")
        self._image = QLabel()
        self._zoom = _Figures("00000 %")
        self._device = QLabel(tr("Device: starting…"))
        self._device.setObjectName("device")
        for widget in (
            self._job,
            self._bar,
            self._cancel,
            self._pointer,
            self._image,
            self._zoom,
            self._device,
        ):
            self.addPermanentWidget(widget)
        for label in (self._image, self._device):
            label.setContentsMargins(_GAP_PX, 0, 0, 0)
        self.show_idle()

    def show_hint(self, text: str) -> None:
        """Say what the tool in use does."""
        self._hint.show_text(text)

    def show_job(self, text: str, fraction: float) -> None:
        """Show what runs."""
        self._job.setText(
            self._job.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 280)
        )
        self._job.setToolTip(text)
        self._bar.setValue(round(1000 * fraction))
        for widget in (self._job, self._bar, self._cancel):
            widget.show()

    def show_idle(self) -> None:
        """Show that nothing runs."""
        for widget in (self._job, self._bar, self._cancel):
            widget.hide()

    def show_pointer(self, x: float, y: float) -> None:
        """Show the pixel under the pointer."""
        self._pointer.setText(f"{math.floor(x)}, {math.floor(y)}")

    def clear_pointer(self) -> None:
        """Show no pixel."""
        self._pointer.clear()

    def show_image(self, text: str, tip: str = "") -> None:
        """Show the image's size and what was done to show it."""
        self._image.setText(text)
        self._image.setToolTip(tip)

    def show_zoom(self, zoom: float) -> None:
        """Show how many pixels of the screen an image pixel takes."""
        self._zoom.setText(f"{100 * zoom:.0f} %")

    def show_device(self, device: str, name: str) -> None:
        """Name the device in use; a CPU is never silent about being one."""
        self._device.setText(tr("Device: {name}").format(name=name))
        self._device.setToolTip(
            tr(CPU_TIP) if device == "cpu" else tr("The models run on the GPU.")
        )

    @property
    def device_text(self) -> str:
        """What the status bar says of the device."""
        return self._device.text()


class _Figures(QLabel):
    """A label as wide as its ``widest`` text, so that another one moves and paints nothing else.

    Every move of the pointer changes it: laying out the bar anew took longer than a brush.
    """

    def __init__(self, widest: str) -> None:
        super().__init__()
        self._widest = widest
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        # Qt lays out anew after a text unless width and height are fixed.
        metrics = self.fontMetrics()
        self.setFixedSize(metrics.horizontalAdvance(self._widest), metrics.height())
