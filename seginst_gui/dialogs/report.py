"""The report on A and B in a window of its own: the same charts and tables as on its page."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from seginst_core.errors import FormatError
from seginst_core.files import write_atomic
from seginst_core.formats.coco_json import check_name
from seginst_core.review.schema import Report
from seginst_gui.dialogs import report_sections as sections
from seginst_gui.dialogs import resize_on_screen
from seginst_gui.dialogs.report_costs import NamedCost, costs
from seginst_gui.jobs.aside import Aside
from seginst_gui.language import tr
from seginst_gui.panels.labels import dim_label
from seginst_gui.widgets.figures import Figures

_WIDEST_PX = 900
_MARGIN_PX, _GAP_PX = 20, 28


class ReportDialog(QDialog):
    """Shows a report that was read from ``folder``, where its page is too; it is not modal.

    ``read_costs`` is called in a thread.
    """

    def __init__(
        self,
        report: Report,
        folder: Path,
        read_costs: Callable[[], Sequence[NamedCost]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("report_dialog")
        self.setWindowTitle(tr("Report on {name}").format(name=folder.parents[1].name))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(560)
        resize_on_screen(self, 900, 700)
        self._page = folder / "report.html"
        self._wait = dim_label(tr("Counting what the corrections cost…"))
        self._parts = QVBoxLayout()
        self._parts.setSpacing(_GAP_PX)
        shown = (sections.scores, sections.curves, sections.budget)
        self._parts.addWidget(sections.head(report))
        for part in (*shown, sections.confusions, sections.histogram):
            self._parts.addWidget(part(report))
        if (spent := sections.corrections(report)) is not None:
            self._parts.addWidget(spent)
        self._parts.addWidget(self._wait)
        self._inner = QWidget()
        self._scroll = self._make_scroll()
        self._said = QLabel()
        self._said.setObjectName("report_said")
        self._said.setWordWrap(True)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._said)
        layout.addWidget(self._make_buttons())
        for table in self.findChildren(Figures):
            self._follow(table)
        self._scroll.setFocus()
        Aside(read_costs, self._show_costs, self._wait.setText, self)

    def _make_scroll(self) -> QScrollArea:
        self._inner.setMaximumWidth(_WIDEST_PX)
        column = QVBoxLayout(self._inner)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.addLayout(self._parts)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("report_scroll")
        scroll.setAccessibleName(tr("Report"))
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        scroll.setBackgroundRole(QPalette.ColorRole.Base)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._inner)
        return scroll

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        role = QDialogButtonBox.ButtonRole.ActionRole
        for text, name, act in (
            (tr("Open in the browser"), "report_browser", self._open_page),
            (tr("Save a copy…"), "report_save", self._save_copy),
        ):
            button = buttons.addButton(text, role)
            button.setObjectName(name)
            button.clicked.connect(act)
        for button in buttons.findChildren(QPushButton):
            # Enter while reading presses nothing.
            button.setAutoDefault(False)
        return buttons

    def _show_costs(self, found: Sequence[NamedCost]) -> None:
        part, former = costs(found), self.findChildren(Figures)[-1]
        self._parts.replaceWidget(self._wait, part)
        self._wait.hide()
        for table in part.findChildren(Figures):
            self._follow(table)
            self.setTabOrder(former, table)

    def _follow(self, table: Figures) -> None:
        """Keep the cell in view that the keys went to."""

        def show() -> None:
            place = table.visualItemRect(table.currentItem())
            middle = table.viewport().mapTo(self._inner, place.center())
            self._scroll.ensureVisible(middle.x(), middle.y(), 0, 40)

        table.currentItemChanged.connect(lambda *_items: show())

    def _open_page(self) -> None:
        if not self._page.is_file():
            self._say(tr("{page} is gone; write the report anew.").format(page=self._page))
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._page))):
            self._say(tr("No program was found that opens {page}.").format(page=self._page))

    def _save_copy(self) -> None:
        project = self._page.parents[2]
        suggested = project.parent / f"{project.name}_report.html"
        asked = QFileDialog(
            self, tr("Save a copy of the report"), str(suggested), tr("Web page (*.html)")
        )
        asked.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # A browser shows a file without an ending as text.
        asked.setDefaultSuffix("html")
        if not asked.exec():
            return
        path = Path(asked.selectedFiles()[0])
        try:
            check_name(path)
            write_atomic(path, self._page.read_bytes())
        except FormatError as error:
            self._say(str(error))
        except OSError as error:
            why = error.strerror or error
            self._say(tr("The report could not be copied ({why}).").format(why=why))
        else:
            self._say(tr("The report is copied to {path}.").format(path=path))

    def _say(self, text: str) -> None:
        self._said.setText(text)
        self._said.show()
