"""Whole data sets out of and into a project; ``merge`` is in the caller's ``writing``."""

import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from seginst_core.errors import ImageError, ProjectError
from seginst_core.images import read_size
from seginst_core.masks.geometry import trim
from seginst_core.project import catalogue, history
from seginst_core.project.document import Document
from seginst_core.project.edits import Edit, add
from seginst_core.project.schema import writing
from seginst_core.types import (
    PALETTE,
    STATES,
    Annotation,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Origin,
    State,
)

MAX_NOTES = 20

Look: TypeAlias = tuple[object, ...]


def measure(db: sqlite3.Connection, folder: Path, states: Collection[State]) -> dict[int, str]:
    """Read the sizes that are not known yet of images in ``states``; sentences on what failed.

    Nobody is kept from writing while the files are read, only while the sizes are stored.
    """
    notes: dict[int, str] = {}
    sizes: list[tuple[int, int, int]] = []
    for entry in catalogue.entries(db):
        if entry.state in states and not entry.ref.width:
            try:
                sizes.append((*read_size(folder / entry.ref.path), entry.ref.id))
            except ImageError as error:
                notes[entry.ref.id] = f"{entry.ref.path} was left out: {_clause(error)}."
    if sizes:
        with writing(db):
            catalogue.set_sizes(db, sizes)
    return notes


def collect(db: sqlite3.Connection, states: Collection[State], notes: Mapping[int, str]) -> Dataset:
    """Return the measured images in ``states`` with their annotations, and all categories.

    It is one moment's state, whatever others write meanwhile, and it keeps nobody from writing.
    ``notes`` are why the images that are not measured are left out.
    """
    db.execute("BEGIN")
    try:
        entries = [e for e in catalogue.entries(db) if e.state in states]
        found = history.annotations(db, states)
        categories = catalogue.categories(db)
    finally:
        db.execute("ROLLBACK")
    images = tuple(entry.ref for entry in entries if entry.ref.width)
    missed = [notes[e.ref.id] for e in entries if not e.ref.width and e.ref.id in notes]
    return Dataset(
        images, categories, {ref.id: found[ref.id] for ref in images}, _shortened(missed)
    )


def merge(
    db: sqlite3.Connection, folder: Path, dataset: Dataset, next_id: int
) -> tuple[tuple[str, ...], int]:
    """Add a data set's annotations to the images of the same path, one undoable edit an image.

    Instances keep their ids where these are ``next_id`` or more, so never used here; the others
    get new ones. Returns sentences on what was skipped, and the next id never used.
    """
    here = {entry.ref.path: entry.ref for entry in catalogue.entries(db)}
    dataset = spelled_as(dataset, here)
    notes: list[str] = []
    absent = [ref.path for ref in dataset.images if ref.path not in here]
    if absent:
        notes.append(
            f"{absent[0]} was skipped: it is not in this folder."
            if len(absent) == 1
            else f"{len(absent)} images were skipped because they are not in this folder, "
            f"for example {absent[0]}."
        )
    fitting, skipped = _fitting(db, folder, dataset, here)
    # A file of which no image fits leaves no classes behind either.
    coming = dataset.categories if fitting or not skipped else ()
    category_ids = _merge_categories(db, coming)
    notes += _joined_categories(coming)
    kept, next_id = _kept_ids(dataset, next_id)
    n_twice = 0
    for image, annotation in fitting:
        document = open_document(db, image)
        looks = {_look(instance) for instance in document.instances}
        fresh: list[Instance] = []
        for instance in annotation.instances:
            category_id = category_ids.get(instance.category_id)
            if category_id is None:
                raise ProjectError(
                    f"Nothing was imported: object {instance.id} is of category "
                    f"{instance.category_id}, which the file does not list."
                )
            instance = replace(instance, category_id=category_id, origin=Origin("import"))
            if looks and _look(instance) in looks:
                n_twice += 1
                continue
            if instance.id not in kept:
                instance = replace(instance, id=next_id)
                next_id += 1
            fresh.append(instance)
        edit = _import_edit(document, fresh, annotation.state)
        if edit is not None:
            document.check(edit)
            history.record(db, edit, document.revision)
    if n_twice:
        notes.append(
            "1 object was skipped because it is here already."
            if n_twice == 1
            else f"{n_twice} objects were skipped because they are here already."
        )
    return (*notes, *_shortened(skipped)), next_id


def spelled_as(dataset: Dataset, paths: Collection[str]) -> Dataset:
    """Return a data set with the spelling of ``paths`` where an image's differs in nothing else.

    The same letters may be spelled in two ways, and macOS changes one into the other.
    """
    spelling = {unicodedata.normalize("NFC", path): path for path in paths}
    images = tuple(
        ref
        if ref.path in paths
        else replace(ref, path=spelling.get(unicodedata.normalize("NFC", ref.path), ref.path))
        for ref in dataset.images
    )
    return replace(dataset, images=images)


def _fitting(
    db: sqlite3.Connection, folder: Path, dataset: Dataset, here: Mapping[str, ImageRef]
) -> tuple[list[tuple[ImageRef, Annotation]], list[str]]:
    """Return our images of the file's size with the file's annotations; sentences on the others."""
    fitting: list[tuple[ImageRef, Annotation]] = []
    skipped: list[str] = []
    for ref in dataset.images:
        annotation = dataset.annotations.get(ref.id)
        if ref.path not in here or annotation is None:
            continue
        try:
            image = catalogue.size(db, folder, here[ref.path].id)
        except ImageError as error:
            skipped.append(f"{ref.path} was skipped: {_clause(error)}.")
            continue
        if (image.width, image.height) == (ref.width, ref.height):
            fitting.append((image, annotation))
        else:
            skipped.append(
                f"{ref.path} was skipped: the file says {ref.width} × {ref.height} pixels, "
                f"the image has {image.width} × {image.height}."
            )
    return fitting, skipped


def open_document(db: sqlite3.Connection, image: ImageRef) -> Document:
    """Read one image's annotation."""
    query = "SELECT revision FROM images WHERE id = ?"
    (revision,) = db.execute(query, (image.id,)).fetchone()
    annotation = history.annotations(db, image_id=image.id)[image.id]
    return Document(image, annotation, revision, history.refusals(db, image.id))


def _import_edit(document: Document, fresh: list[Instance], state: State) -> Edit | None:
    """Return the edit that brings in new objects and the file's word on the image, if any."""
    image_id = document.image.id
    if fresh:
        objects = "1 object" if len(fresh) == 1 else f"{len(fresh)} objects"
        # An image with objects is at least a draft.
        state = "draft" if state == "todo" else state
        edit = add(image_id, fresh, f"Import {objects}", "import")
    elif STATES.index(state) > STATES.index(document.state):
        # Nothing new never takes a finished image back to a draft.
        edit = Edit(image_id, (), f"Import: mark as {state}", tool="import")
    else:
        return None
    return edit if state == document.state else replace(edit, state=(document.state, state))


def _merge_categories(db: sqlite3.Connection, coming: Iterable[Category]) -> dict[int, int]:
    """Map the file's category ids to ours, by name; what is here keeps its name and colour."""
    ours = {category.name.casefold(): category.id for category in catalogue.categories(db)}
    mapped: dict[int, int] = {}
    for place, category in enumerate(coming):
        name = _name(category)
        if name.casefold() not in ours:
            # Files without colours come with the palette's in order; ours go on from what is here.
            colour = None if category.colour == PALETTE[place % len(PALETTE)] else category.colour
            added = catalogue.add_category(db, name, colour, category.supercategory, category.id)
            ours[name.casefold()] = added.id
        mapped[category.id] = ours[name.casefold()]
    return mapped


def _joined_categories(coming: Iterable[Category]) -> list[str]:
    """Return a sentence on the file's categories that became one, none if all stay apart."""
    alike: dict[str, list[str]] = {}
    for category in coming:
        alike.setdefault(_name(category).casefold(), []).append(_name(category))
    joined = [" and ".join(names) for names in alike.values() if len(names) > 1]
    if not joined:
        return []
    more = f", and {len(joined) - MAX_NOTES} more" if len(joined) > MAX_NOTES else ""
    return [
        "Categories whose names differ in case alone or not at all became one: "
        f"{', '.join(joined[:MAX_NOTES])}{more}."
    ]


def _name(category: Category) -> str:
    return category.name.strip() or f"category {category.id}"


def renumbered(
    dataset: Dataset, images: Iterable[ImageRef], categories: Iterable[Category], name: str
) -> tuple[str, ...]:
    """Return sentences on what has another id here than in the file ``name``: results go by ids."""
    image_ids = {ref.path: ref.id for ref in images}
    class_ids = {category.name.casefold(): category.id for category in categories}
    counts = {
        "Images": sum(image_ids.get(ref.path, ref.id) != ref.id for ref in dataset.images),
        "Classes": sum(
            class_ids.get(_name(category).casefold(), category.id) != category.id
            for category in dataset.categories
        ),
    }
    return tuple(
        f"{what} that have another id here than in {name}: {n}; results made for that file do "
        "not fit an export of this project."
        for what, n in counts.items()
        if n
    )


def _kept_ids(dataset: Dataset, next_id: int) -> tuple[set[int], int]:
    """Return the file's ids that were never used here, and the next id after all of them."""
    ids = {i.id for a in dataset.annotations.values() for i in a.instances}
    # Far below the limit, so that there is always room for new ones above.
    kept = {k for k in ids if next_id <= k <= history.MAX_ID // 2}
    return kept, max(kept, default=next_id - 1) + 1


def _look(instance: Instance) -> Look:
    """Return what two instances share that are the same object, however their masks are cropped."""
    if instance.mask is None:
        box = instance.box
        return instance.category_id, box.x0, box.y0, box.x1, box.y1
    tight = trim(instance.mask.bits, instance.mask.x0, instance.mask.y0)
    if tight is None:
        return (instance.category_id,)
    return instance.category_id, tight.x0, tight.y0, tight.bits.shape, tight.bits.tobytes()


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")


def _shortened(notes: list[str]) -> tuple[str, ...]:
    if len(notes) <= MAX_NOTES:
        return tuple(notes)
    return (*notes[:MAX_NOTES], f"And {len(notes) - MAX_NOTES} more images like these.")
