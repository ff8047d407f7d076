"""Where a review stands: which cases are listed, which one is looked at."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from PySide6.QtCore import QObject, Signal

from seginst_core.errors import ProjectError, SegInstError
from seginst_core.review.objects.arrange import (
    GROUP_BY,
    SORT_BY,
    Arrangement,
    Group,
    Scope,
    arranged,
)
from seginst_core.review.objects.schema import ObjectCase
from seginst_gui.language import tr
from seginst_gui.review import KEY, recalled
from seginst_gui.review.listing import CaseListing
from seginst_gui.session import Session

Act = tuple[int, ObjectCase | None]
"""A step: its image, and what was in focus then."""


class ReviewState(QObject):
    """The list and the case in focus; everything a person decides goes through the session."""

    groups_changed = Signal()
    focus_changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.listing = CaseListing(session, self)
        self.how = Arrangement()
        self.groups: list[Group] = []
        self.order: Sequence[ObjectCase] = ()
        self.focus: ObjectCase | None = None
        self._image_id = session.image_id
        self._going = False
        self._stays = False
        """Whether the person went to an image without a case: none elsewhere takes them away."""
        self._place = 0
        self._places: dict[tuple[int | str | None, ...], int] = {}
        self._acts: list[Act] = []
        """The steps since the review began."""
        self._undone: list[Act] = []
        """The steps taken back since the last new one, in the order they were taken back."""
        self._redoing = False
        self._wanted: tuple[int | str | None, ...] | None = None
        self.listing.changed.connect(self._arrange)
        session.stepped.connect(self._on_stepped)
        self._recall()

    def start(self) -> None:
        """List the cases, beginning with the current image."""
        self.listing.start()
        if not any(case.open for case in self.listing.all()) and not self.listing.n_waiting:
            self.arrange(replace(self.how, scope="all"))

    def arrange(self, how: Arrangement) -> None:
        """List other cases, or the same ones in another order."""
        if how != self.how:
            self.how = how
            self._remember()
            self._arrange()

    def look_at(self, case: ObjectCase | None) -> None:
        """Put a case into focus; its image is opened if another one is."""
        if case is not None and case.image_id != self.session.image_id:
            self._going = True
            try:
                self.session.open_image(case.image_id)
            except SegInstError:
                return
            finally:
                self._going = False
        self._set_focus(case)
        if case is not None:
            self._remember()

    def follow(self) -> None:
        """Look at the first case of the image that the person went to, at none if it has none."""
        was, here = self._image_id, self.session.image_id
        self._image_id = here
        # An image that is read beside comes twice.
        if self._going or was == here:
            return
        self._wanted, self._stays = None, True
        self._set_focus(next((c for c in self.order if c.image_id == here), None))

    def is_at(self, case: ObjectCase) -> bool:
        """Return whether a case's image is the open one; if another is, go to the case.

        ProjectError if the image cannot be read, or is not yet.
        """
        if case.image_id != self.session.image_id:
            self.look_at(case)
            return False
        if self.session.image is None:
            raise ProjectError(self.session.unreadable or tr("The image is still being read."))
        return True

    def at_hand(self) -> ObjectCase | None:
        """Return the case in focus as it is now; None if it is to be seen first (``is_at``)."""
        case = self.focus
        if case is None or not self.is_at(case):
            return None
        if self.listing.is_old(case):
            self.listing.list_now()
            was, case = case, self.focus
            # What comes into focus only now was not seen.
            if case is None or case.found != was.found:
                return None
        return case

    def step(self, n: int) -> None:
        """Go ``n`` cases on, or back."""
        if not self.order:
            return
        if self.focus is None or self._at(self.focus) is None:
            # The case was settled and is not listed any more: what follows it stands in its place.
            place = self._place + (n - 1 if n > 0 else n)
        else:
            place = (self._at(self.focus) or 0) + n
        self.look_at(self.order[min(max(place, 0), len(self.order) - 1)])

    def decide(self, act: Callable[[Session, ObjectCase], None]) -> None:
        """Let ``act`` repair the case in focus, and go on to the one after it.

        Nothing is repaired that is not seen: from another image, this goes to the case. What is
        raised is the caller's to say; then nothing has changed.
        """
        case = self.at_hand()
        if case is None:
            return
        place = self._at(case)
        after = None if place is None else self.order[place + 1 : place + 2]
        act(self.session, case)
        if after is None:
            self.step(1)
        elif after:
            self.look_at(self._again(after[0]) or after[0])
        elif self.how.scope == "queue":
            self.look_at(self.order[-1] if self.order else None)

    def can_undo(self) -> bool:
        """Return whether a step was made in this review, in any image."""
        return bool(self._acts)

    def undo(self) -> bool:
        """Take the last step back, in whichever image it was; return whether there was one."""
        case = self._go_to_last(self._acts)
        done = self.session.undo() is not None
        if case is not None:
            self.look_at(self._again(case))
        return done

    def can_redo(self) -> bool:
        """Return whether a step was taken back in this review, in any image."""
        return bool(self._undone)

    def redo(self) -> bool:
        """Do the step again that was taken back last, in whichever image; return as ``undo``."""
        case = self._go_to_last(self._undone)
        self._redoing = True
        try:
            done = self.session.redo() is not None
        finally:
            self._redoing = False
        if case is not None:
            self.look_at(self._again(case))
        return done

    def close(self) -> None:
        """Remember that the review was left."""
        self._remember(is_open=False)

    # ----------------------------------------------------------------------------------------

    def _on_stepped(self, image_id: int, n: int) -> None:
        """Keep the steps as the images' histories have them, whoever made or undid one."""
        if n > 0 and self._redoing and self._undone:
            self._acts.append(self._undone.pop())
        elif n > 0:
            self._acts += [(image_id, self.focus)] * n
            if not self._redoing:
                self._undone.clear()
        for _ in range(-n):
            self._undone.append(self._take_last(image_id))

    def _take_last(self, image_id: int) -> Act:
        """Take an image's last step off the steps; one from before the review has no case."""
        places = [k for k, (other, _) in enumerate(self._acts) if other == image_id]
        return self._acts.pop(places[-1]) if places else (image_id, None)

    def _go_to_last(self, acts: Sequence[Act]) -> ObjectCase | None:
        """Open the image of the last of the steps; return what was in focus then."""
        image_id, case = acts[-1] if acts else (self.session.image_id, None)
        if image_id is not None and image_id != self.session.image_id:
            self.session.open_image(image_id)
        return case

    def _arrange(self) -> None:
        names = {c.id: c.name for c in self.session.categories}
        self.groups = arranged(self.listing.all(), self.how, names)
        self.order = [case for group in self.groups for case in group.cases]
        self._places = {case.key: place for place, case in enumerate(self.order)}
        focus = self._again(self.focus)
        self.groups_changed.emit()
        if focus is None and self.focus is None and self.order:
            wanted = [case for case in self.order if case.key == self._wanted]
            waits = self._wanted is not None and not wanted and self.listing.n_waiting
            if not waits:
                here = [c for c in self.order if c.image_id == self.session.image_id]
                self._wanted = None
                elsewhere = [] if self._stays else list(self.order)
                for case in (wanted or here or elsewhere)[:1]:
                    self.look_at(case)
        elif focus is not self.focus:
            self._set_focus(focus)

    def _again(self, case: ObjectCase | None) -> ObjectCase | None:
        """Return a case as it is now: its own objects may have changed."""
        if case is None:
            return None
        here = self.listing.of(case.image_id)
        same = [c for c in here if c.key == case.key]
        if not same:
            same = [c for c in here if c.shares_with(case)]
        return same[0] if same else None

    def _set_focus(self, case: ObjectCase | None) -> None:
        self.focus = case
        self._stays = self._stays and case is None
        place = None if case is None else self._at(case)
        if place is not None:
            self._place = place
        if case is not None and case.truth_id is not None:
            self.session.select([case.truth_id])
        else:
            self.session.select([])
        self.focus_changed.emit()

    def _at(self, case: ObjectCase) -> int | None:
        return self._places.get(case.key)

    def _remember(self, *, is_open: bool = True) -> None:
        if self.session.project is not None:
            how, focus = self.how, self.focus
            table = {
                "open": is_open,
                "scope": how.scope,
                "sort": how.sort,
                "group": how.group,
                "focus": None if focus is None else focus.key,
            }
            self.session.project.set_setting(KEY, json.dumps(table))

    def _recall(self) -> None:
        table = recalled(self.session)
        scope, sort, group = (table.get(key) for key in ("scope", "sort", "group"))
        self.how = Arrangement(
            scope=next((s for s in get_args(Scope) if s == scope), "queue"),
            sort=next((s for s in SORT_BY if s == sort), "worth"),
            group=next((g for g in GROUP_BY if g == group), "image"),
        )
        focus = table.get("focus")
        self._wanted = tuple(focus) if isinstance(focus, list) else None
