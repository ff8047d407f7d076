import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from seginst_core.errors import Cancelled, DataError
from seginst_core.events import Event, Reporter
from seginst_core.sample import write_sample

N_IMAGES, SIDE = 12, 480


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample")
    write_sample(path, n_images=N_IMAGES, seed=3, side_px=SIDE)
    return path


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted((folder / "images").iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _splits(folder: Path) -> tuple[COCO, COCO]:
    return COCO(folder / "instances_train.json"), COCO(folder / "instances_val.json")


def test_an_image_depends_on_the_seed_and_its_number_only(folder: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "few", n_images=3, seed=3, side_px=SIDE)
    write_sample(tmp_path / "other", n_images=2, seed=4, side_px=SIDE)
    whole, few = _hashes(folder), _hashes(tmp_path / "few")
    assert len(few) == 3
    assert few.items() <= whole.items()
    assert not set(_hashes(tmp_path / "other").values()) & set(whole.values())
    masks = [
        json.loads((f / "instances_train.json").read_bytes()) for f in (folder, tmp_path / "few")
    ]
    first = [[a["segmentation"] for a in m["annotations"] if a["image_id"] == 1] for m in masks]
    assert first[0] == first[1]


def test_the_json_names_every_image_once_and_reads_in_pycocotools(folder: Path) -> None:
    train, val = _splits(folder)
    assert (len(train.imgs), len(val.imgs)) == (10, 2)
    assert not set(train.imgs) & set(val.imgs)
    assert not set(train.anns) & set(val.anns)
    names = {image["file_name"] for coco in (train, val) for image in coco.imgs.values()}
    assert names == {file.name for file in (folder / "images").iterdir()}
    for coco in (train, val):
        assert [c["name"] for c in coco.cats.values()] == ["airplane"]
        for image in coco.imgs.values():
            pixels = cv2.imread(str(folder / "images" / image["file_name"]))
            assert pixels.shape == (image["height"], image["width"], 3)
            assert pixels.std() > 5


def test_masks_are_plausible_planes_that_do_not_overlap(folder: Path) -> None:
    n_planes = 0
    for coco in _splits(folder):
        for image_id in coco.imgs:
            anns = coco.loadAnns(coco.getAnnIds(image_id))
            if not anns:
                continue
            masks = np.stack([coco.annToMask(ann) for ann in anns])
            assert masks.shape[1:] == (SIDE, SIDE)
            assert masks.sum(axis=0).max() == 1
            for ann, mask in zip(anns, masks, strict=True):
                n_planes += 1
                x, y, w, h = ann["bbox"]
                assert 0 <= x < x + w <= SIDE
                assert 0 <= y < y + h <= SIDE
                assert ann["bbox"] == list(coco_mask.toBbox(ann["segmentation"]))
                assert ann["area"] == mask.sum() > 20
                assert max(w, h) <= 170
                # A plane fills a good part of its box, but never most of it unless it is cut.
                cut = x == 0 or y == 0 or x + w == SIDE or y + h == SIDE
                assert cut or 0.1 < ann["area"] / (w * h) < 0.65
    assert n_planes > 20


def test_planes_differ_from_the_ground_around_them(folder: Path) -> None:
    train, _ = _splits(folder)
    contrasts = []
    for ann in train.anns.values():
        mask = train.annToMask(ann)
        ring = cv2.dilate(mask, np.ones((9, 9), np.uint8)) - mask
        path = folder / "images" / train.imgs[ann["image_id"]]["file_name"]
        pixels = cv2.imread(str(path)).astype(np.float32)
        contrasts.append(
            np.abs(pixels[mask > 0].mean(axis=0) - pixels[ring > 0].mean(axis=0)).max()
        )
    assert np.median(contrasts) > 20


def test_about_one_image_in_six_has_no_plane(folder: Path) -> None:
    train, val = _splits(folder)
    empty = [i for coco in (train, val) for i in coco.imgs if not coco.getAnnIds(i)]
    assert 1 <= len(empty) <= 4


def test_progress_is_reported_and_a_stop_leaves_no_json(tmp_path: Path) -> None:
    events: list[Event] = []

    def send(event: Event) -> None:
        events.append(event)
        if event["done"] == 1:
            reporter.stop.set()

    reporter = Reporter(send=send)
    with pytest.raises(Cancelled):
        write_sample(tmp_path, n_images=4, side_px=256, reporter=reporter)
    assert [event["done"] for event in events] == [0, 1]
    assert not list(tmp_path.glob("*.json"))


def test_two_images_make_a_training_and_a_validation_set(tmp_path: Path) -> None:
    write_sample(tmp_path, n_images=2, side_px=256)
    train, val = _splits(tmp_path)
    assert len(train.imgs) == len(val.imgs) == 1


@pytest.mark.parametrize(("n_images", "side_px"), [(0, 800), (1, 800), (2, 20)])
def test_senseless_sizes_are_refused(tmp_path: Path, n_images: int, side_px: int) -> None:
    with pytest.raises(DataError, match="sample"):
        write_sample(tmp_path, n_images=n_images, side_px=side_px)
    assert not list(tmp_path.iterdir())
