"""The rows of the object table."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from seginst_core.types import Category, Instance
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.objects.filter import ObjectFilter
from seginst_gui.panels.swatch import swatch
from seginst_gui.session import PIPELINE_LETTERS, Session

Index = QModelIndex | QPersistentModelIndex
COLUMNS = (later("Class"), later("Area"), later("Score"), later("Origin"))
CLASS, AREA, SCORE, ORIGIN = range(4)
_TIPS = (
    later("Class of the object"),
    later("Area in pixels"),
    later("How sure the model was, 0 to 1"),
    later("Drawn by hand, taken from A or B, or imported"),
)
_MARKED = {"lock": later("Locked."), "hide": later("Hidden.")}
# With more changes than that, to set all rows is faster than row by row.
_MANY = 64


@dataclass(frozen=True)
class Row:
    """One object: all that the table says of it is told when asked for, as few rows are looked at.

    ``mark`` is the icon of what was done to it for the time being: ``lock``, ``hide`` or nothing.
    """

    id: int
    instance: Instance
    of_class: Category | None
    mark: str

    @property
    def category(self) -> str:
        """The name of its class."""
        return self.of_class.name if self.of_class else ""

    @property
    def colour(self) -> tuple[int, int, int]:
        """That of its class."""
        return self.of_class.colour if self.of_class else (128, 128, 128)

    @property
    def has_mask(self) -> bool:
        """Whether it is more than a box."""
        return self.instance.mask is not None

    @cached_property
    def area_px(self) -> int:
        """Area of its mask, or of its box if it has none; a large mask takes long to count."""
        mask, box = self.instance.mask, self.instance.box
        return round(box.width * box.height) if mask is None else mask.area

    @property
    def score(self) -> float | None:
        """How sure the model was, 0 to 1."""
        score = self.instance.score
        return self.instance.origin.score if score is None else score

    @property
    def origin(self) -> str:
        """Where it came from, in a word or two."""
        return origin_text(self.instance)

    @property
    def words(self) -> str:
        """Class, origin and attributes in small letters, to be searched."""
        return " ".join((self.category, self.origin, *self._attributes())).casefold()

    @property
    def tip(self) -> str:
        """All that is known of the object, a line for each attribute."""
        kind = "" if self.has_mask else tr(", a box without a mask")
        parts = [
            tr("Object {id}{kind}.").format(id=self.id, kind=kind),
            origin_sentence(self.instance),
            tr(_MARKED[self.mark]) if self.mark else "",
        ]
        return "\n".join((" ".join(filter(None, parts)), *self._attributes()))

    def _attributes(self) -> list[str]:
        return [f"{key} = {value}" for key, value in sorted(self.instance.attributes.items())]


SortKey = tuple[str | float, int]
_KEYS: tuple[Callable[[Row], str | float], ...] = (
    lambda row: row.category.casefold(),
    lambda row: row.area_px,
    lambda row: -1.0 if row.score is None else row.score,
    lambda row: row.origin,
)


class ObjectRows(QAbstractTableModel):
    """The current image's objects, in the order of a column or, at first, of their drawing."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._column, self._descending = -1, False
        self._rows: list[Row] = []
        self._by_id: dict[int, Row] = {}
        self._filter = ObjectFilter()

    def set_filter(self, wanted: ObjectFilter) -> None:
        """Have rows only of the objects that a filter lets through."""
        if wanted != self._filter:
            self._filter = wanted
            self.reload()

    def reload(self) -> None:
        """Take all objects as they are now."""
        self._take([], self._session.instances)

    def update_objects(self, ids: frozenset[int]) -> None:
        """Show what became of some objects; other rows are not touched."""
        document = self._session.document
        if len(ids) > _MANY:
            stay = [row for row in self._rows if row.id not in ids]
            self._take(stay, document.some(ids) if document else ())
            return
        row_of = self._maker()
        for instance_id in sorted(ids):
            instance = document.get(instance_id) if document else None
            old = self._by_id.get(instance_id)
            new = None if instance is None else row_of(instance)
            new = new if new is not None and self._filter.matches(new) else None
            if old is not None and new is not None and self._key(old) == self._key(new):
                place = self._place(old)
                self._rows[place] = self._by_id[instance_id] = new
                self.dataChanged.emit(self.index(place, 0), self.index(place, ORIGIN))
                continue
            if old is not None:
                self._remove(old)
            if new is not None:
                self._insert(new)

    def id_at(self, row: int) -> int:
        """Return the id of the object in a row."""
        return self._rows[row].id

    def rows_of(self, ids: Iterable[int]) -> list[int]:
        """Return the rows of objects, ascending; ids that are not there are left out."""
        return sorted(self._place(self._by_id[i]) for i in ids if i in self._by_id)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many objects there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1 is the order of drawing."""
        self.layoutAboutToBeChanged.emit()
        self._column = column
        self._descending = order == Qt.SortOrder.DescendingOrder and column >= 0
        before = [row.id for row in self._rows]
        self._rows.sort(key=self._key, reverse=self._descending)
        places = {row.id: place for place, row in enumerate(self._rows)}
        kept = self.persistentIndexList()
        moved = [self.index(places[before[old.row()]], old.column()) for old in kept]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return a column's title."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(COLUMNS[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr(_TIPS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell says."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column == ORIGIN and row.mark:
            return icon(row.mark)
        if role == Qt.ItemDataRole.DecorationRole and column == CLASS:
            return swatch(row.colour)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        return None

    def _key(self, row: Row) -> SortKey:
        # The id makes keys unique, so that a row's place can be found by its key.
        return (_KEYS[self._column](row) if self._column >= 0 else 0.0, row.id)

    def _place(self, row: Row) -> int:
        if not self._descending:
            return bisect_left(self._rows, self._key(row), key=self._key)
        # Read from the back, a descending list ascends.
        low, high, key = 0, len(self._rows), self._key(row)
        while low < high:
            middle = (low + high) // 2
            if self._key(self._rows[middle]) > key:
                low = middle + 1
            else:
                high = middle
        return low

    def _remove(self, row: Row) -> None:
        place = self._place(row)
        self.beginRemoveRows(QModelIndex(), place, place)
        del self._rows[place], self._by_id[row.id]
        self.endRemoveRows()

    def _insert(self, row: Row) -> None:
        place = self._place(row)
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.insert(place, row)
        self._by_id[row.id] = row
        self.endInsertRows()

    def _take(self, stay: list[Row], instances: Iterable[Instance]) -> None:
        """Show rows as they are, and rows of these objects."""
        self.beginResetModel()
        news = map(self._maker(), instances)
        wanted = filter(self._filter.matches, news) if self._filter else news
        self._rows = [*stay, *wanted]
        self._by_id = {row.id: row for row in self._rows}
        self._rows.sort(key=self._key, reverse=self._descending)
        self.endResetModel()

    def _maker(self) -> Callable[[Instance], Row]:
        """Return what makes the rows of many objects."""
        classes = {category.id: category for category in self._session.categories}
        hidden, locked = self._session.hidden, self._session.locked

        def row(instance: Instance) -> Row:
            key = instance.id
            mark = "hide" if key in hidden else "lock" if key in locked else ""
            return Row(key, instance, classes.get(instance.category_id), mark)

        return row


def origin_text(instance: Instance) -> str:
    """Return where an object came from, as ``hand``, ``A``, ``B, edited`` or ``import``."""
    origin = instance.origin
    if origin.kind == "human":
        return tr("hand")
    text = tr("import")
    if origin.kind == "model":
        text = PIPELINE_LETTERS[origin.pipeline] if origin.pipeline else tr("model")
    return tr("{text}, edited").format(text=text) if origin.edited else text


def origin_sentence(instance: Instance) -> str:
    """Return where an object came from, at length."""
    origin = instance.origin
    if origin.kind == "human":
        return tr("Drawn by hand.")
    parts = [tr("Imported") if origin.kind == "import" else tr("Taken from a model")]
    if origin.pipeline:
        parts = [
            tr("Taken from {letter} ({pipeline})").format(
                letter=PIPELINE_LETTERS[origin.pipeline], pipeline=origin.pipeline
            )
        ]
    if origin.score is not None:
        parts.append(tr("score {score:.2f}").format(score=origin.score))
    if origin.edited:
        parts.append(tr("edited by hand since"))
    return ", ".join(parts) + "."


def _text(row: Row, column: int) -> str:
    if column == CLASS:
        return row.category
    if column == AREA:
        return (
            f"{row.area_px:,}"
            if row.has_mask
            else tr("box {area_px:,}").format(area_px=row.area_px)
        )
    if column == SCORE:
        return "" if row.score is None else f"{row.score:.2f}"
    return row.origin


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = {AREA: Qt.AlignmentFlag.AlignRight, SCORE: Qt.AlignmentFlag.AlignHCenter}
    return side.get(column, Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
