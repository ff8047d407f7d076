"""The images and objects that training draws from, with decoded images kept in bounded memory."""

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from seginst_core.errors import DataError, ImageError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.images import image_file, read_image, read_size
from seginst_core.lenient import shortened
from seginst_core.types import Category, ImageArray, ImageRef, Instance

CACHE_BYTES = 2 << 30
SCALE_STEP = 0.25
SCALES = (0.5, 4.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """One training image and its objects (crowd regions left out), in full-image pixels."""

    ref: ImageRef
    instances: tuple[Instance, ...]


class Scenes:
    """All training images; reading one again is free while the cache has room.

    Several threads may ask at once.
    """

    def __init__(
        self, folder: Path, scenes: Sequence[Scene], categories: Sequence[Category]
    ) -> None:
        self.scenes = tuple(scenes)
        self.categories = tuple(categories)
        self.objects = tuple(
            (s, k) for s, scene in enumerate(scenes) for k in range(len(scene.instances))
        )
        self.masked = tuple(
            (s, k) for s, k in self.objects if scenes[s].instances[k].mask is not None
        )
        self._folder = folder
        self._cache: OrderedDict[int, ImageArray] = OrderedDict()
        self._cached_bytes = 0
        self._lock = Lock()

    def image(self, index: int) -> ImageArray:
        """Return the pixels of scene ``index``, from memory if it was read lately."""
        with self._lock:
            if index in self._cache:
                self._cache.move_to_end(index)
                return self._cache[index]
        image = read_image(image_file(self._folder, self.scenes[index].ref.path))
        with self._lock:
            if index in self._cache:
                return self._cache[index]  # another thread read it meanwhile
            self._cache[index] = image
            self._cached_bytes += image.nbytes
            while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        return image

    def masked_in(self, index: int) -> list[int]:
        """Return which objects of scene ``index`` have a mask."""
        return [k for k, i in enumerate(self.scenes[index].instances) if i.mask is not None]

    @property
    def labels(self) -> Mapping[int, int]:
        """The 0-based label of each category id."""
        return {category.id: label for label, category in enumerate(self.categories)}

    def scale_to(self, typical_px: float) -> float:
        """Return the factor that makes the longer side of the median box ``typical_px``."""
        sides = [max(i.box.width, i.box.height) for scene in self.scenes for i in scene.instances]
        factor = typical_px / max(float(np.median(sides)), 1.0)
        return float(np.clip(round(factor / SCALE_STEP) * SCALE_STEP, *SCALES))


def load_scenes(data: Path, folder: Path, reporter: Reporter) -> Scenes:
    """Read a COCO file whose images lie under ``folder``.

    Images that are absent, damaged or of another size than stated, where the objects would lie
    elsewhere, are reported and left out. DataError if no image or no object is left.
    """
    dataset = coco_json.read(data)
    for note in dataset.notes:
        reporter.log(note)
    if not folder.is_dir():
        raise DataError(f"There is no images folder at {folder}.")
    scenes, absent = [], []
    for ref in dataset.images:
        if not os.path.isfile(image_file(folder, ref.path)):  # noqa: PTH113 - of any length
            absent.append(ref.path)
            continue
        annotation = dataset.annotations.get(ref.id)
        instances = annotation.instances if annotation else ()
        kept = tuple(i for i in instances if not i.iscrowd and i.box.width >= 1 <= i.box.height)
        scenes.append(Scene(ref, kept))
    if absent:
        reporter.log(f"{len(absent)} images named in {data.name} are absent, such as {absent[0]}.")
    if not scenes:
        raise DataError(f"None of the images named in {data.name} is in {folder}.")
    if not any(scene.instances for scene in scenes):
        raise DataError(
            f"{data.name} holds no annotated object, so there is nothing to learn from."
        )
    faults = {scene.ref.id: image_fault(folder, scene.ref) for scene in scenes}
    for note in shortened(
        [f"{fault} It is left out of training." for fault in faults.values() if fault]
    ):
        reporter.log(note)
    scenes = [scene for scene in scenes if not faults[scene.ref.id]]
    if not any(scene.instances for scene in scenes):
        raise DataError(f"No image of {data.name} that holds an object can be learned from.")
    return Scenes(folder, scenes, dataset.categories)


def image_fault(folder: Path, ref: ImageRef) -> str:
    """Return a sentence on why an image cannot be used, "" if its header is as stated."""
    try:
        width, height = read_size(image_file(folder, ref.path))
    except ImageError as error:
        return str(error)
    if (width, height) == (ref.width, ref.height):
        return ""
    return f"{ref.path} has {width} x {height} pixels, not {ref.width} x {ref.height} as stated."
