"""The rounds of ``benchmarks.loop``: labelling with a model, and learning from the result."""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import numpy as np

from benchmarks.annotator import Drawing, Work, draw_polygon, label
from benchmarks.repair import wave
from seginst_core.events import Event, JsonValue, Reporter
from seginst_core.formats import coco_json
from seginst_core.images import read_picture
from seginst_core.jobs import JOBS
from seginst_core.masks.geometry import mask_box
from seginst_core.masks.rle import Rle, decode
from seginst_core.models.card import read_card
from seginst_core.project import Project, add
from seginst_core.project.learning.data import corrections, n_objects, newest, split
from seginst_core.project.learning.stage import faults
from seginst_core.review.objects.fair import begun_by, for_scoring
from seginst_core.types import (
    HUMAN,
    Annotation,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Mask,
    Origin,
    Stage,
)
from seginst_gui.jobs.plan import MINUTES
from seginst_gui.jobs.refreshing import ITERATIONS, MIN_TRIED, MOST_TRAIN, MOST_TRIED


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train; with neither said, as long as the window does."""

    minutes: float | None = None
    iterations: int | None = None

    def params(self, stage: Stage = "all") -> dict[str, JsonValue]:
        """The parameters of a training job of ``stage`` that say so."""
        if self.iterations is not None:
            return {"iterations": self.iterations}
        return {"minutes": MINUTES[stage] if self.minutes is None else self.minutes}


@dataclass(frozen=True, slots=True)
class Scene:
    """An image to label: its file, its true objects, and each of them as a polygon."""

    ref: ImageRef
    path: Path
    category: Category
    truths: tuple[Mask, ...]
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What labelling some images took, image by image, and what the model had found there."""

    works: tuple[Work, ...]
    found: tuple[tuple[Instance, ...], ...]

    @property
    def actions(self) -> int:
        """Clicks, keys and strokes of all images."""
        return sum(work.actions for work in self.works)

    def part(self, first: int, end: int) -> Self:
        """What some of the images took, one after the other."""
        return replace(self, works=self.works[first:end], found=self.found[first:end])

    def words(self) -> str:
        """The actions, and how the objects were finished."""
        parts = [f"{self.actions} actions"]
        for name in ("accepted", "repaired", "boxed", "waved", "polygons", "deleted"):
            parts.append(f"{sum(getattr(work, f'n_{name}') for work in self.works)} {name}")
        return ", ".join(parts)


def scenes_of(data: Path, n_images: int | None, seed: int) -> tuple[Scene, ...]:
    """Return the train images of a data set in the random order of ``seed``, the first if told."""
    dataset = coco_json.read(data / "annotations" / "instances_train.json")
    order = np.random.default_rng(seed).permutation(len(dataset.images))
    scenes = []
    for k in order[:n_images]:
        ref = dataset.images[int(k)]
        objects = dataset.annotations.get(ref.id, Annotation(ref.id)).instances
        masks = tuple(one.mask for one in objects if one.mask is not None)
        drawings = tuple(draw_polygon(mask, (ref.width, ref.height)) for mask in masks)
        path = data / "images" / ref.path
        scenes.append(Scene(ref, path, dataset.categories[0], masks, drawings))
    return tuple(scenes)


def train_starter(data: Path, out: Path, start: Path, budget: Budget) -> Path:
    """Train a two-stage model from another's on the val images, none of which is labelled here."""
    params: dict[str, JsonValue] = {
        "train": str(data / "annotations" / "instances_val.json"),
        "images": str(data / "images"),
        "out": str(out),
        "pipeline": "two-stage",
        "start": str(start),
        **budget.params(),
    }
    JOBS["train"](params, Reporter())
    return out


def label_with(model: Path, scenes: Sequence[Scene]) -> Cost:
    """Label images with the proposals and the box tool of a model."""
    found: dict[int, tuple[Instance, ...]] = {}

    def send(event: Event) -> None:
        if event["event"] == "prediction":
            found[cast(int, event["image_id"])] = _instances(event)

    rows: list[JsonValue] = [{"image_id": s.ref.id, "path": str(s.path)} for s in scenes]
    JOBS["predict"]({"model": str(model), "images": rows}, Reporter(send))
    works = []
    for scene in scenes:
        boxes = [mask_box(mask) for mask in scene.truths]
        sides: list[JsonValue] = [[b.x0, b.y0, b.x1, b.y1] for b in boxes]
        asked: dict[str, JsonValue] = {
            "model": str(model), "path": str(scene.path), "boxes": sides,
        }  # fmt: skip
        drawn = cast(list[Rle | None], JOBS["box_masks"](asked, Reporter())["masks"])
        pixels = read_picture(scene.path).pixels
        begun = {
            "box": [None if rle is None else decode(rle) for rle in drawn],
            "wand": [wave(pixels, truth) for truth in scene.truths],
        }
        proposals, size = found[scene.ref.id], (pixels.shape[1], pixels.shape[0])
        works.append(label(scene.truths, scene.drawings, proposals, begun, size))
    return Cost(tuple(works), tuple(found[scene.ref.id] for scene in scenes))


class Loop:
    """A project that takes in what was labelled, and fine-tunes its live model on it."""

    def __init__(
        self, scenes: Sequence[Scene], folder: Path, starter: Path, budget: Budget
    ) -> None:
        self.live = starter
        self._budget = budget
        self._n_runs = 0
        folder.mkdir()
        for scene in scenes:
            shutil.copyfile(scene.path, folder / scene.ref.path)
        self._project = Project.open(folder)
        self._category = self._project.add_category(scenes[0].category.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._project.close()

    def take(self, scenes: Sequence[Scene], cost: Cost) -> None:
        """Store the masks that labelling left, one step an image; the images are done."""
        project = self._project
        places = {entry.ref.path: entry.ref.id for entry in project.images()}
        for scene, work in zip(scenes, cost.works, strict=True):
            document = project.document(places[scene.ref.path])
            ids = project.new_ids(len(work.masks))
            objects = _objects(work, ids, self._category.id, read_card(self.live).id)
            edit = add(document.image.id, objects, "Label")
            project.commit(document, replace(edit, state=(document.state, "done")))

    def refresh(self) -> str:
        """Let the nested U-Net learn from what is corrected, as the window does; say what came."""
        train, tried = corrections(self._project.dataset(["done"]), self._sides())
        train, tried = newest(train, MOST_TRAIN), newest(tried, MOST_TRIED)
        if n_objects(tried) < MIN_TRIED:
            return f"no refresh: {n_objects(tried)} corrected objects to try it on"
        if self._lacks():
            return "no refresh: the model does not know the class"
        run, out = self._run(train, tried)
        result = JOBS["refresh_masks"](
            {
                "model": str(self.live),
                "train": str(run / "train.json"),
                "val": str(run / "val.json"),
                "images": str(self._project.folder),
                "out": str(out),
                "iterations": self._budget.iterations or ITERATIONS,
            },
            Reporter(_say_logs),
        )
        if result["better"]:
            self.live = out
        words = "better" if result["better"] else "not better"
        ious = f"{result['before']} -> {result['after']}, interval of the gain {result['ci95']}"
        return f"refresh on {n_objects(train)} objects: {words}. Mean IoU {ious}"

    def learn(self, scenes: Sequence[Scene], cost: Cost) -> str:
        """Fine-tune the stage a round suggests on all that is labelled; say what came of it."""
        train, val = split(self._project.dataset(["done"]), self._sides())
        live = [read_card(self.live).id]
        fair, _ = for_scoring(val, live)
        run, out = self._run(train, fair)
        stage = self._stage(scenes, cost)
        params: dict[str, JsonValue] = {
            "train": str(run / "train.json"),
            "val": str(run / "val.json") if val.images else None,
            "images": str(self._project.folder),
            "out": str(out),
            "pipeline": "two-stage",
            "start": str(self.live),
            "former": str(self.live),
            "begun": begun_by(val, live),
            "stage": stage,
            **self._budget.params(stage),
        }
        result = JOBS["fine_tune"](params, Reporter(_say_logs))
        verdict = cast(dict[str, JsonValue] | None, result["verdict"])
        if verdict is None:
            return f"trained {stage} on {len(train.images)} images, none held out: not used"
        if verdict["word"] == "better":
            self.live = out
        n = len(train.images), len(val.images)
        said = f"trained {stage} on {n[0]} images, {n[1]} held out: {verdict['word']}"
        return f"{said}. {verdict['reason']}"

    def _sides(self) -> Mapping[int, bool]:
        """Return which done images are held out, once and for all."""
        project, learning = self._project, self._project.learning
        ids = [e.ref.id for e in project.images() if e.state == "done"]
        rows: list[JsonValue] = [
            {"image_id": k, "path": str(project.image_path(k))} for k in learning.unseen(ids)
        ]
        looks = cast(list[list[object]], JOBS["image_looks"]({"images": rows}, Reporter())["looks"])
        learning.set_looks({cast(int, k): str(look) for k, look in looks})
        return learning.draw_sides()

    def _run(self, train: Dataset, val: Dataset) -> tuple[Path, Path]:
        """Write what a run learns from and is tried on; return its folder and its model's."""
        self._n_runs += 1
        run = self._project.runs_folder / str(self._n_runs)
        coco_json.write(train, run / "train.json")
        coco_json.write(val, run / "val.json")
        return run, self._project.models_folder / f"run-{self._n_runs}"

    def _lacks(self) -> bool:
        return bool(read_card(self.live).lacks([self._category.name]))

    def _stage(self, scenes: Sequence[Scene], cost: Cost) -> Stage:
        if self._lacks():
            return "all"
        pairs = [
            (_objects(work, range(len(work.masks)), self._category.id, ""), found)
            for work, found in zip(cost.works, cost.found, strict=True)
        ]
        return faults(pairs).stage


def _objects(work: Work, ids: Iterable[int], category_id: int, model: str) -> tuple[Instance, ...]:
    """Return the objects that labelling left; what was begun by ``model`` is still from it."""
    return tuple(
        Instance(
            instance_id,
            category_id,
            mask_box(mask),
            mask,
            origin=Origin("model", model, edited=k not in work.untouched)
            if k in work.begun
            else HUMAN,
        )
        for instance_id, (k, mask) in zip(ids, enumerate(work.masks), strict=True)
    )


def _instances(event: Event) -> tuple[Instance, ...]:
    from seginst_gui.jobs.results import prediction_from_event

    names = {str(c["name"]): 1 for c in cast(list[dict[str, object]], event["categories"])}
    return prediction_from_event(event, names).instances


def _say_logs(event: Event) -> None:
    if event["event"] == "log":
        print(f"  {event['text']}", file=sys.stderr, flush=True)
