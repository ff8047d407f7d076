"""The rows of the image list: the project's images, filtered."""

from bisect import bisect_left
from typing import Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from seginst_core.project import ImageEntry
from seginst_core.types import State
from seginst_gui.language import later, tr
from seginst_gui.panels.texts import count
from seginst_gui.session import Session

Shown = Literal["all", "todo", "draft", "done", "missing"]
Index = QModelIndex | QPersistentModelIndex

ENTRY_ROLE = Qt.ItemDataRole.UserRole
STATE_NAMES: dict[State, str] = {
    "todo": later("To do"),
    "draft": later("Draft"),
    "done": later("Done"),
}


class ImageRows(QAbstractListModel):
    """Places in ``session.entries`` that the filter lets through, in the project's order.

    A row whose state no longer fits the filter stays until another image is opened, so that
    nobody loses the place at the very moment of marking an image as done.
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._text, self._shown = "", "all"
        self._places: list[int] = []
        self._place_of: dict[int, int] = {}
        self._leaving: set[int] = set()
        self.reload()

    def reload(self) -> None:
        """Take the project's images as they are now."""
        self._place_of = {e.ref.id: place for place, e in enumerate(self._session.entries)}
        self._refilter()

    def set_filter(self, text: str, shown: Shown) -> None:
        """Show the images whose path contains ``text`` in any case, in one state or all."""
        if (text.casefold(), shown) != (self._text, self._shown):
            self._text, self._shown = text.casefold(), shown
            self._refilter()

    def update_images(self, ids: frozenset[int]) -> None:
        """Show that images changed; only their rows are touched."""
        if len(self._session.entries) != len(self._place_of):
            self.reload()
            return
        for image_id in ids:
            place = self._place_of[image_id]
            row = self._row_of_place(place)
            fits = self.fits(self._session.entries[place])
            if row is None and fits:
                self._insert(place)
            elif row is not None:
                if fits:
                    self._leaving.discard(image_id)
                else:
                    self._leaving.add(image_id)
                index = self.index(row)
                self.dataChanged.emit(index, index)

    def drop_leaving(self) -> None:
        """Remove the rows that do not fit the filter any more, but for the current image's."""
        stays = self._leaving & {self._session.image_id}
        for image_id in self._leaving - stays:
            row = self.row_of(image_id)
            if row is not None:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._places[row]
                self.endRemoveRows()
        self._leaving = stays

    def row_of(self, image_id: int) -> int | None:
        """Return an image's row; None if the filter hides it."""
        place = self._place_of.get(image_id)
        return None if place is None else self._row_of_place(place)

    def touch(self, image_id: int) -> None:
        """Paint an image's row anew."""
        row = self.row_of(image_id)
        if row is not None:
            index = self.index(row)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many images the filter lets through."""
        return 0 if parent.isValid() else len(self._places)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a row says; the delegate takes the whole entry."""
        if not index.isValid():
            return None
        entry = self._session.entries[self._places[index.row()]]
        if role == ENTRY_ROLE:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.ref.path
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(entry)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.ref.path}, {state_name(entry)}, {counts(entry)}"
        return None

    def fits(self, entry: ImageEntry) -> bool:
        """Return whether the filter lets an image through."""
        if self._shown == "missing" and not entry.missing:
            return False
        if self._shown not in ("all", "missing") and entry.state != self._shown:
            return False
        return not self._text or self._text in entry.ref.path.casefold()

    def _refilter(self) -> None:
        self.beginResetModel()
        entries = self._session.entries
        self._places = [place for place, entry in enumerate(entries) if self.fits(entry)]
        self._leaving.clear()
        self.endResetModel()

    def _row_of_place(self, place: int) -> int | None:
        row = bisect_left(self._places, place)
        return row if row < len(self._places) and self._places[row] == place else None

    def _insert(self, place: int) -> None:
        row = bisect_left(self._places, place)
        self.beginInsertRows(QModelIndex(), row, row)
        self._places.insert(row, place)
        self.endInsertRows()


def state_name(entry: ImageEntry) -> str:
    """Return an image's state in words."""
    return tr("Missing") if entry.missing else tr(STATE_NAMES[entry.state])


def counts(entry: ImageEntry) -> str:
    """Return how many objects an image has, as ``12 objects · 31 predicted``."""
    parts = []
    if entry.n_instances or not entry.n_predicted:
        parts.append(count(entry.n_instances, "object") if entry.n_instances else tr("no objects"))
    if entry.n_predicted:
        parts.append(tr("{n_predicted:,} predicted").format(n_predicted=entry.n_predicted))
    return " · ".join(parts)


def tooltip(entry: ImageEntry) -> str:
    """Return the whole path, the size where it is known, and all counts."""
    lines = [entry.ref.path]
    if entry.missing:
        lines.append(tr("The file is no longer in the folder; its objects are kept."))
    elif entry.ref.width:
        lines.append(f"{entry.ref.width:,} × {entry.ref.height:,} px")
    lines.append(counts(entry))
    if entry.n_predicted:
        lines.append(tr("Predictions of any score are counted, shown or not."))
    return "\n".join(lines)
