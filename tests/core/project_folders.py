"""Folders of images, instances and whole-database pictures for the project tests."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from seginst_core.masks.geometry import mask_box
from seginst_core.project import Document, Edit, Project, add
from seginst_core.types import HUMAN, Box, Instance, Mask, Origin

WIDTH, HEIGHT = 60, 40


def write_image(path: Path, width: int = WIDTH, height: int = HEIGHT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))
    assert done
    path.write_bytes(data.tobytes())
    return path


def make_folder(folder: Path, names: Sequence[str] = ("a.png", "b.png", "c.png")) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        write_image(folder / name)
    return folder


def blob(instance_id: int, seed: int = 0, category_id: int = 1, origin: Origin = HUMAN) -> Instance:
    rng = np.random.default_rng([seed, instance_id])
    bits = rng.random((9, 11)) < 0.6
    bits[4, 5] = True
    mask = Mask(int(rng.integers(0, WIDTH - 11)), int(rng.integers(0, HEIGHT - 9)), bits)
    return Instance(instance_id, category_id, mask_box(mask), mask, origin=origin)


def box_only(instance_id: int, category_id: int = 1) -> Instance:
    return Instance(instance_id, category_id, Box(1.25, 2.5, 30.125, 20.0), None)


def reshaped(instance: Instance, seed: int) -> Instance:
    """The same object with another mask."""
    other = blob(instance.id, seed)
    return replace(instance, mask=other.mask, box=other.box)


def draw(project: Project, document: Document, n: int = 1, text: str = "Draw") -> Edit:
    """Commit ``n`` new objects and return the edit."""
    edit = add(document.image.id, [blob(k) for k in project.new_ids(n)], text)
    project.commit(document, edit)
    return edit


def database(folder: Path) -> Path:
    return folder / ".seginst" / "project.db"


def dump(folder: Path) -> list[str]:
    """Everything in the database, as SQL."""
    with closing(sqlite3.connect(database(folder))) as db:
        return list(db.iterdump())


def execute(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(database(folder))) as db:
        db.executescript(script)
