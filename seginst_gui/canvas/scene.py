"""What the canvas shows, apart from the tool: the image's pyramid and the layers over it."""

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QRegion

from seginst_core.types import PIPELINES, Category, Instance, PipelineName
from seginst_gui.canvas.image.pyramid import Pyramid
from seginst_gui.canvas.looks import (
    annotated,
    chosen,
    colour_of,
    proposed,
)
from seginst_gui.canvas.overlay import Layer
from seginst_gui.canvas.render import Thing
from seginst_gui.canvas.stamps import Extent
from seginst_gui.display.settings import Layers, Style
from seginst_gui.session import Proposal, Session

_Rules = tuple[tuple[Category, ...], Style]


class Scene:
    """The image and its objects, painted from caches that outlive a frame."""

    def __init__(self) -> None:
        self.pyramid = Pyramid()
        self._annotation, self._selection = Layer(), Layer()
        self._proposals: dict[PipelineName, Layer] = {p: Layer() for p in PIPELINES}
        self._rules: _Rules = ((), Style())
        self._categories: dict[int, Category] = {}
        self._proposal: Proposal | None = None

    @property
    def n_rendered(self) -> int:
        """How many overlay tiles were drawn anew so far."""
        return sum(layer.n_rendered for layer in self._layers())

    def clear(self) -> None:
        """Forget the image and its objects."""
        self.pyramid.show(None)
        for layer in self._layers():
            layer.clear()

    def show_objects(self, session: Session) -> list[Extent]:
        """Take the session's objects; return the image pixels that look different now."""
        known = self._annotation.things if self._rules == _rules(session) else {}
        self._rules = _rules(session)
        self._categories = {category.id: category for category in session.categories}
        changed = self._annotation.show({i.id: self._thing(i, known) for i in session.shown})
        return changed + self._show_selected(session) + self._show_proposals(session)

    def show_changes(self, session: Session, ids: Collection[int]) -> list[Extent]:
        """Take what became of some annotated objects; the others cost nothing."""
        document = session.document
        if document is None or self._rules != _rules(session):
            return self.show_objects(session)
        known = self._annotation.things
        news: dict[int, Thing | None] = {}
        for key in ids:
            instance = None if key in session.hidden else document.get(key)
            if instance is not None:
                news[key] = self._thing(instance, known)
            elif key in known:
                news[key] = None
        return self._annotation.update(news) + self._show_selected(session)

    def show_selection(self, session: Session) -> list[Extent]:
        """Take which object is selected, or which prediction."""
        changed = self._show_selected(session)
        if session.proposal != self._proposal:
            changed += self._show_proposals(session)
        return changed

    def _show_selected(self, session: Session) -> list[Extent]:
        _, style = self._rules
        shown = self._annotation.things
        return self._selection.show(
            {
                i.id: (i, chosen(colour_of(i, self._categories, style.colour_by)))
                for i in session.selected
                if i.id in shown
            }
        )

    def _show_proposals(self, session: Session) -> list[Extent]:
        self._proposal = proposal = session.proposal
        changed: list[Extent] = []
        for pipeline, layer in self._proposals.items():
            wanted = proposal.id if proposal and proposal.pipeline == pipeline else None
            changed += layer.show(
                {i.id: (i, proposed(pipeline, i.id == wanted)) for i in session.proposals(pipeline)}
            )
        return changed

    def _thing(self, instance: Instance, known: Mapping[int, Thing]) -> Thing:
        """Return the very thing that is known, so that nothing is drawn anew for it."""
        thing = known.get(instance.id)
        if thing is not None and thing[0] is instance:
            return thing
        _, style = self._rules
        colour = colour_of(instance, self._categories, style.colour_by)
        return instance, annotated(colour, style.fill, style.outline_px)

    def paint(
        self,
        painter: QPainter,
        zoom: float,
        area: QRect,
        layers: Layers,
        *,
        unit_px: int,
        opacity: float,
        until: float,
    ) -> QRegion:
        """Paint objects on a part of the zoomed image, in its device pixels; see ``Layer.paint``.

        ``opacity`` 0..1 is theirs. Return what is not yet painted as it should be.
        """
        left = QRegion()
        painter.setOpacity(opacity)
        for layer in self._shown(layers):
            left += layer.paint(painter, zoom, area, unit_px, until)
        painter.setOpacity(1.0)
        return left

    def near(self, layers: Layers, x: float, y: float) -> list[Instance]:
        """Return the shown objects whose extent holds an image point, proposals last."""
        shown = [self._proposals[p] for p in PIPELINES if layers.shows(p)]
        return [
            instance
            for layer in ([self._annotation, *shown] if layers.annotation else shown)
            for instance in layer.near(x, y)
        ]

    def drop_old(self) -> None:
        """Forget the overlay of the earlier zoom: the whole view is drawn at this one."""
        for layer in self._layers():
            layer.drop_old()

    def _shown(self, layers: Layers) -> Sequence[Layer]:
        """Return what is painted of all there is, the lowest first."""
        # Proposals are lines around their objects, so they lie over the fills and hide no line;
        # the outline of what is being worked on is topmost.
        shown = [self._proposals[p] for p in PIPELINES if layers.shows(p)]
        return [self._annotation, *shown, self._selection] if layers.annotation else shown

    def _layers(self) -> tuple[Layer, ...]:
        return (self._annotation, *self._proposals.values(), self._selection)


def _rules(session: Session) -> _Rules:
    """Return what the look of an annotated object follows from."""
    return session.categories, session.display.now.style
