"""Which image of the truth an image of the predictions is: files are told by name."""

from collections.abc import Iterable, Sequence

from seginst_core.errors import DataError
from seginst_core.images.names import Parts, is_end, parts_of
from seginst_core.types import ImageRef


def images_by_name(listed: Sequence[tuple[int, str]], truth: Iterable[ImageRef]) -> dict[int, int]:
    """Map the predictions' images, ids and file names, to the truth's; unknown ones are left out.

    An equal name comes first. An image without one is that whose path ends in the other's whole
    path: of a list of files predictions have longer paths than a truth inside a folder, of a
    folder within they have shorter ones. DataError if that leaves a choice.
    """
    groups: dict[str, list[tuple[Parts, ImageRef]]] = {}
    for ref in truth:
        if parts := _parts(ref.path):
            groups.setdefault(parts[-1], []).append((parts, ref))
    named = [(own_id, name, _parts(name)) for own_id, name in listed]
    found: list[tuple[int, str, ImageRef]] = []
    rest = []
    for own_id, name, parts in named:
        same = [ref for key, ref in groups.get("".join(parts[-1:]), ()) if key == parts]
        if same:
            found.append((own_id, name, _only(name, same)))
        else:
            rest.append((own_id, name, parts))
    taken = {ref.id for _, _, ref in found}
    for own_id, name, parts in rest:
        near = [(k, r) for k, r in groups.get("".join(parts[-1:]), ()) if r.id not in taken]
        if fits := _fitting(parts, near):
            found.append((own_id, name, _only(name, fits)))
    return _one_to_one(found)


def _parts(name: str) -> Parts:
    return parts_of(name.replace("\\", "/"))


def _fitting(parts: Parts, near: Sequence[tuple[Parts, ImageRef]]) -> list[ImageRef]:
    """Return the images whose paths end in this one, else the longest that this one ends in."""
    longer = [ref for key, ref in near if is_end(parts, key)]
    if longer:
        return longer
    shorter = [(len(key), ref) for key, ref in near if is_end(key, parts)]
    most = max((n_parts for n_parts, _ in shorter), default=0)
    return [ref for n_parts, ref in shorter if n_parts == most]


def _only(name: str, refs: Sequence[ImageRef]) -> ImageRef:
    if len(refs) > 1:
        raise DataError(
            f"The predictions' image {name} may be {refs[0].path} (image {refs[0].id}) or "
            f"{refs[1].path} (image {refs[1].id}) of the truth."
        )
    return refs[0]


def _one_to_one(found: Sequence[tuple[int, str, ImageRef]]) -> dict[int, int]:
    ids: dict[int, int] = {}
    names: dict[int, str] = {}
    for own_id, name, ref in found:
        if own_id in ids:
            raise DataError(f"The predictions list the image {own_id} twice.")
        if ref.id in names:
            raise DataError(
                f"The predictions' images {names[ref.id]} and {name} may both be {ref.path} of "
                "the truth."
            )
        ids[own_id], names[ref.id] = ref.id, name
    return ids
