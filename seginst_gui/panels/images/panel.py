"""The image panel: every image of the project with its state, and a filter."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.images.delegate import ImageDelegate
from seginst_gui.panels.images.rows import ENTRY_ROLE, ImageRows, Shown
from seginst_gui.panels.images.thumbnails import Thumbnails
from seginst_gui.panels.labels import dim_label, empty_label
from seginst_gui.session import Session

SENTENCE_NO_FOLDER = later("Open a folder of images to begin.")
SENTENCE_NO_MATCH = later("No image matches the filter.")
_SHOWN: tuple[tuple[Shown, str, str], ...] = (
    ("all", later("All"), "image"),
    ("todo", later("To do"), "todo"),
    ("draft", later("Draft"), "draft"),
    ("done", later("Done"), "done"),
    ("missing", later("Missing"), "missing"),
)


class ImagesPanel(QWidget):
    """Lists the images; ``image_activated(image_id)`` asks to open one."""

    image_activated = Signal(int)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._header = QLabel()
        self._n_shown = dim_label()
        self._n_shown.setWordWrap(False)
        self._text = QLineEdit(placeholderText=tr("Filter by name"))
        self._text.setAccessibleName(tr("Filter by name"))
        self._text.setClearButtonEnabled(True)
        self._text.addAction(icon("search", "dim"), QLineEdit.ActionPosition.LeadingPosition)
        self._state = QComboBox()
        self._state.setAccessibleName(tr("State"))
        self._state.setToolTip(tr("Show only images in this state"))
        # In a narrow panel its icon says enough, and the name filter needs the room.
        self._state.setMinimumContentsLength(3)
        self._state.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        for shown, name, symbol in _SHOWN:
            self._state.addItem(icon(symbol), tr(name), shown)
        # Or its list would be as narrow, and cut the words short.
        choices = self._state.view()
        choices.setMinimumWidth(choices.sizeHintForColumn(0))
        self.thumbnails = Thumbnails(self)
        self._rows = ImageRows(session, self)
        self._view = _List()
        self._view.setModel(self._rows)
        self._view.setItemDelegate(ImageDelegate(self.thumbnails, self._view))
        self._view.setUniformItemSizes(True)
        self._view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.setObjectName("images")
        self._view.setAccessibleName(tr("Images"))
        self._empty = empty_label(tr(SENTENCE_NO_FOLDER))
        self._lay_out()
        self._text.textChanged.connect(self._filter)
        self._text.returnPressed.connect(self._activate_first)
        self._state.currentIndexChanged.connect(self._filter)
        self._view.clicked.connect(self._activate)
        self._view.activated.connect(self._activate)
        self.thumbnails.ready.connect(self._rows.touch)
        session.project_changed.connect(self._reload)
        session.images_changed.connect(self._update_images)
        session.image_changed.connect(self._follow)
        # A filter that nobody sees would pass images over for no reason.
        session.is_listed = lambda entry: not self.isVisible() or self._rows.fits(entry)
        self._reload()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._header, 1)
        top.addWidget(self._n_shown)
        filters = QHBoxLayout()
        filters.addWidget(self._text, 3)
        filters.addWidget(self._state, 2)
        head = QVBoxLayout()
        head.setContentsMargins(8, 8, 8, 0)
        head.setSpacing(6)
        head.addLayout(top)
        head.addLayout(filters)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._empty, 1)

    def _reload(self) -> None:
        project = self._session.project
        if project is not None:
            self.thumbnails.use_folder(project.folder)
        self._rows.reload()
        self._follow()
        self._count()

    def _filter(self) -> None:
        self._rows.set_filter(self._text.text().strip(), self._state.currentData())
        self._follow()
        self._count()

    def _update_images(self, ids: frozenset[int]) -> None:
        self._rows.update_images(ids)
        self._count()

    def _follow(self) -> None:
        """Select the current image and bring it into view; one that is hidden leaves no other."""
        self._rows.drop_leaving()
        image_id = self._session.image_id
        row = None if image_id is None else self._rows.row_of(image_id)
        if row is None:
            self._view.setCurrentIndex(QModelIndex())
            return
        index = self._rows.index(row)
        self._view.setCurrentIndex(index)
        self._view.scrollTo(index)
        self._count()

    def _count(self) -> None:
        entries = self._session.entries
        n_done = sum(entry.state == "done" for entry in entries)
        n_shown = self._rows.rowCount()
        self._header.setText(
            tr("{n_done:,} of {len:,} done").format(n_done=n_done, len=len(entries))
            if entries
            else tr("No images")
        )
        self._n_shown.setText(
            tr("{n_shown:,} shown").format(n_shown=n_shown) if n_shown != len(entries) else ""
        )
        self._view.setVisible(n_shown > 0)
        self._empty.setVisible(n_shown == 0)
        self._empty.setText(tr(SENTENCE_NO_MATCH if entries else SENTENCE_NO_FOLDER))

    def _activate_first(self) -> None:
        if self._rows.rowCount():
            self._activate(self._rows.index(0))

    def _activate(self, index: QModelIndex) -> None:
        image_id = index.data(ENTRY_ROLE).ref.id
        # A double click is a click and an activation; the image need not be opened twice.
        if self._session.image_id != image_id:
            self.image_activated.emit(image_id)


class _List(QListView):
    """Paints the rows that changed; Qt's own lays out and paints the whole list every time."""

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        """Paint some rows anew; all rows are as high as each other, whatever they say."""
        QAbstractItemView.dataChanged(self, top_left, bottom_right, roles)
