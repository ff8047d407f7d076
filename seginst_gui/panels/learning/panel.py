"""The training panel: the run at work, what came of the last one, and the quick refresh."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSpinBox, QSplitter, QVBoxLayout, QWidget

from seginst_gui.language import tr
from seginst_gui.panels.labels import ElidedLabel
from seginst_gui.panels.learning.jobs import JobsPanel
from seginst_gui.panels.learning.verdict import VerdictView
from seginst_gui.session import Session
from seginst_gui.settings import REFRESH_EVERY

_JOBS_SHARE, _VERDICT_SHARE = 400, 800


class TrainingPanel(QWidget):
    """``refresh_set(n)`` asks for a quick refresh after every ``n`` corrections, 0 for none."""

    refresh_set = Signal(int)

    def __init__(self, session: Session, refresh_every: int) -> None:
        super().__init__()
        self.jobs = JobsPanel()
        self.verdict = VerdictView(session)
        self.verdict.hide()
        self._on = QCheckBox(tr("Refresh the masks quickly after every"))
        self._on.setObjectName("refresh_on")
        self._on.setToolTip(
            tr(
                "The nested U-Net learns from the objects you corrected, for a few minutes in the "
                "background. The result is used only if it draws better on others you corrected; "
                "if not, the next refresh of the same model waits for twice as many."
            )
        )
        self._on.setChecked(refresh_every > 0)
        self._every = QSpinBox()
        self._every.setObjectName("refresh_every")
        self._every.setAccessibleName(tr("Corrected objects between two refreshes"))
        self._every.setRange(5, 10_000)
        self._every.setValue(refresh_every or REFRESH_EVERY)
        self._every.setSuffix(" " + tr("corrected objects"))
        self._on.toggled.connect(self._set)
        self._every.valueChanged.connect(self._set)
        self._stands = ElidedLabel()
        self._stands.setObjectName("refresh_stands")
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 6)
        row.addWidget(self._on)
        row.addWidget(self._every)
        row.addWidget(self._stands, 1)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self.jobs)
        self._split.addWidget(self.verdict)
        self._split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split, 1)
        layout.addLayout(row)

    def open_verdict(self) -> None:
        """Show what came of a run, beside the run itself."""
        if not self.verdict.isVisible():
            self.verdict.show()
            # What was hidden has no width of its own yet.
            self._split.setSizes([_JOBS_SHARE, _VERDICT_SHARE])

    def show_refresh(self, sentence: str) -> None:
        """Say how the quick refresh stands."""
        self._stands.show_text(sentence)

    def _set(self) -> None:
        self._every.setEnabled(self._on.isChecked())
        self.refresh_set.emit(self._every.value() if self._on.isChecked() else 0)
