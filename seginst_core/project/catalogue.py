"""The images and categories of a project, as rows of the database.

All functions here run inside the caller's ``reading`` or ``writing``.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from seginst_core.errors import ImageError, ProjectError
from seginst_core.images import is_text, read_size
from seginst_core.project.codec import edit_from_bytes
from seginst_core.types import PALETTE, Category, ImageRef, State

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One row of the image list.

    The width and height of ``ref`` are 0 until the file was read once. ``n_predicted`` counts the
    objects of the prediction shown, the larger one if both pipelines have one. ``missing`` says
    that the file is no longer in the folder.
    """

    ref: ImageRef
    state: State
    n_instances: int
    n_predicted: int
    missing: bool


_SHOWN = (
    "IFNULL((SELECT n_instances FROM predictions p WHERE image_id = i.id AND pipeline = '{0}' "
    "ORDER BY p.model = (SELECT model FROM live_models WHERE pipeline = '{0}' "
    "ORDER BY id DESC LIMIT 1) DESC, p.id DESC LIMIT 1), 0)"
)
_ENTRIES = (
    "SELECT i.id, i.path, i.width, i.height, i.state, i.missing, "
    "(SELECT COUNT(*) FROM instances WHERE image_id = i.id), "
    f"MAX({_SHOWN.format('two-stage')}, {_SHOWN.format('end-to-end')}) FROM images i"
)


def entries(db: sqlite3.Connection) -> tuple[ImageEntry, ...]:
    """Return all images in the folder's order, those whose file is missing last."""
    rows = db.execute(f"{_ENTRIES} ORDER BY i.missing, i.place, i.path").fetchall()
    return tuple(_entry(row) for row in rows)


def entry(db: sqlite3.Connection, image_id: int) -> ImageEntry:
    """Return one image; ProjectError if the project has none of that id."""
    row = db.execute(f"{_ENTRIES} WHERE i.id = ?", (image_id,)).fetchone()
    if row is None:
        raise ProjectError(f"There is no image {image_id} in this project.")
    return _entry(row)


def scan(db: sqlite3.Connection, paths: Sequence[str]) -> tuple[str, ...]:
    """Take over the folder's files as they are now; return sentences on what is not as it was."""
    known = {
        path: (image_id, place, bool(missing))
        for image_id, path, place, missing in db.execute(
            "SELECT id, path, place, missing FROM images"
        )
    }
    usable = [path for path in paths if is_text(path)]
    new: list[tuple[str, int]] = []
    moved: list[tuple[int, int]] = []
    for place, path in enumerate(usable):
        row = known.pop(path, None)
        if row is None:
            new.append((path, place))
        elif row[1:] != (place, False):
            moved.append((place, row[0]))
    vanished = {image_id: path for path, (image_id, _, missing) in known.items() if not missing}
    db.executemany("INSERT INTO images (path, place) VALUES (?, ?)", new)
    db.executemany("UPDATE images SET place = ?, missing = 0 WHERE id = ?", moved)
    db.executemany("UPDATE images SET missing = 1 WHERE id = ?", [(k,) for k in vanished])
    notes: list[str] = []
    if vanished:
        first = min(vanished.values())
        notes.append(
            f"{first} is no longer in the folder; its objects are kept."
            if len(vanished) == 1
            else f"{len(vanished)} images are no longer in the folder, {first} among them; "
            "their objects are kept."
        )
    n_odd = len(paths) - len(usable)
    if n_odd:
        notes.append(
            "1 file was left out: its name is not valid text."
            if n_odd == 1
            else f"{n_odd} files were left out: their names are not valid text."
        )
    return tuple(notes)


def is_replaced(folder: Path, ref: ImageRef) -> bool:
    """Return whether an image's file has another size now; one that cannot be read does not."""
    with suppress(ImageError):
        return read_size(folder / ref.path) != (ref.width, ref.height)
    return False


def size(db: sqlite3.Connection, folder: Path, image_id: int, *, anew: bool = False) -> ImageRef:
    """Return an image with its size, read from the file the first time; ImageError if it cannot.

    It is read ``anew`` only if nothing was ever drawn on the image, and what models found in the
    file of the old size is forgotten then.
    """
    ref = entry(db, image_id).ref
    if ref.width and (not anew or _is_drawn_on(db, image_id)):
        return ref
    if ref.width:
        db.execute("DELETE FROM predictions WHERE image_id = ?", (image_id,))
    width, height = read_size(folder / ref.path)
    set_sizes(db, [(width, height, image_id)])
    return replace(ref, width=width, height=height)


def _is_drawn_on(db: sqlite3.Connection, image_id: int) -> bool:
    """Return whether an image has objects, or steps that could bring some back."""
    query = "SELECT EXISTS (SELECT 1 FROM instances WHERE image_id = ?)"
    (has_objects,) = db.execute(query, (image_id,)).fetchone()
    rows = db.execute("SELECT text, body FROM history WHERE image_id = ?", (image_id,))
    edits = (edit_from_bytes(image_id, text, body)[0] for text, body in rows)
    return bool(has_objects) or any(e.changes or e.refused or e.allowed for e in edits)


def set_sizes(db: sqlite3.Connection, sizes: Iterable[tuple[int, int, int]]) -> None:
    """Keep widths and heights of images; each row is width, height and the image's id."""
    db.executemany("UPDATE images SET width = ?, height = ? WHERE id = ?", sizes)


def categories(db: sqlite3.Connection) -> tuple[Category, ...]:
    """Return the categories in id order."""
    rows = db.execute(
        "SELECT id, name, colour, supercategory FROM categories WHERE removed = 0 ORDER BY id"
    ).fetchall()
    return tuple(Category(k, name, _colour(text), above) for k, name, text, above in rows)


def add_category(
    db: sqlite3.Connection,
    name: str,
    colour: Colour | None = None,
    supercategory: str = "",
    wanted_id: int | None = None,
) -> Category:
    """Add a category, with the palette's next colour unless told, and ``wanted_id`` if it is free.

    One that was removed under the same name comes back with its old id, so that history keeps
    meaning the same.
    """
    here = categories(db)
    name = _free_name(here, name)
    if colour is None:
        used = {category.colour for category in here}
        unused = (tone for tone in PALETTE if tone not in used)
        colour = next(unused, PALETTE[len(here) % len(PALETTE)])
    ids = {
        category_id: old_name if removed else None
        for category_id, old_name, removed in db.execute(
            "SELECT id, name, removed FROM categories ORDER BY id DESC"
        )
    }
    old = [k for k, old_name in ids.items() if old_name and old_name.casefold() == name.casefold()]
    if old:
        category_id = old[0]
    elif wanted_id is not None and 0 <= wanted_id < 2**31 and wanted_id not in ids:
        category_id = wanted_id
    else:
        category_id = 1 + max(ids, default=0)
    db.execute(
        "INSERT INTO categories (id, name, colour, supercategory) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, colour = excluded.colour, "
        "supercategory = excluded.supercategory, removed = 0",
        (category_id, name, _text(colour), supercategory),
    )
    return Category(category_id, name, colour, supercategory)


def update_category(db: sqlite3.Connection, category: Category) -> None:
    """Rename or recolour a category; ProjectError if the name is empty or taken.

    A former name is kept, for models that learned it (``former_names``).
    """
    here = {other.id: other for other in categories(db)}
    if category.id not in here:
        raise ProjectError(f"Category {category.id} is not in this project.")
    name = _free_name([other for k, other in here.items() if k != category.id], category.name)
    former = here[category.id].name.casefold()
    if former != name.casefold():
        db.execute("INSERT OR REPLACE INTO former_names VALUES (?, ?)", (former, category.id))
    db.execute(
        "UPDATE categories SET name = ?, colour = ?, supercategory = ? WHERE id = ?",
        (name, _text(category.colour), category.supercategory, category.id),
    )


def former_names(db: sqlite3.Connection) -> dict[str, str]:
    """Return what categories were called before, in small letters, with their names now.

    A name that another category has taken since is that one's.
    """
    now = {category.id: category.name for category in categories(db)}
    taken = {name.casefold() for name in now.values()}
    return {
        former: now[category_id]
        for former, category_id in db.execute("SELECT name, category_id FROM former_names")
        if category_id in now and former not in taken
    }


def remove_category(db: sqlite3.Connection, category_id: int) -> None:
    """Hide a category that no instance uses; the row stays, because history may speak of it."""
    named = {category.id: category.name for category in categories(db)}
    if category_id not in named:
        raise ProjectError(f"Category {category_id} is not in this project.")
    query = "SELECT COUNT(*) FROM instances WHERE category_id = ?"
    (n_used,) = db.execute(query, (category_id,)).fetchone()
    if n_used:
        objects = "1 object uses it" if n_used == 1 else f"{n_used} objects use it"
        raise ProjectError(f"The category {named[category_id]} cannot be removed: {objects}.")
    db.execute("UPDATE categories SET removed = 1 WHERE id = ?", (category_id,))


def _free_name(others: Sequence[Category], name: str) -> str:
    name = name.strip()
    if not name:
        raise ProjectError("A category needs a name.")
    for other in others:
        if other.name.casefold() == name.casefold():
            raise ProjectError(f"There is a category {other.name} already.")
    return name


def _entry(row: tuple[int, str, int, int, State, int, int, int]) -> ImageEntry:
    image_id, path, width, height, state, missing, n_instances, n_predicted = row
    ref = ImageRef(image_id, path, width, height)
    return ImageEntry(ref, state, n_instances, n_predicted, bool(missing))


def _text(colour: Colour) -> str:
    return "#" + bytes(colour).hex()


def _colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
