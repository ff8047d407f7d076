"""The sample data set on disk: JPEG images and COCO files for training and validation."""

from pathlib import Path

import cv2
import numpy as np
import orjson

from seginst_core.errors import DataError
from seginst_core.events import JsonValue, Reporter
from seginst_core.files import write_atomic
from seginst_core.sample.draw import Sample, draw_sample
from seginst_core.types import BoolArray

_VAL_EVERY = 6
_MIN_SIDE_PX = 128


def write_sample(
    folder: Path,
    *,
    n_images: int = 12,
    seed: int = 0,
    side_px: int = 800,
    reporter: Reporter | None = None,
) -> None:
    """Write a synthetic airfield: ``images/``, ``instances_train.json`` and ``instances_val.json``.

    Every sixth image is for validation and about one in six shows no aeroplane. Image k depends
    on ``seed``, ``side_px`` and k only. DataError for fewer than two images or tiny ones;
    Cancelled between images, leaving whole images and no json.
    """
    if n_images < 2:
        raise DataError("A sample needs at least two images, one to train on and one to check.")
    if side_px < _MIN_SIDE_PX:
        raise DataError(f"A sample's images need sides of at least {_MIN_SIDE_PX} pixels.")
    reporter = reporter or Reporter()
    images: list[dict[str, JsonValue]] = []
    annotations: list[dict[str, JsonValue]] = []
    for number in range(n_images):
        reporter.progress(number, n_images, f"Drawing image {number + 1} of {n_images}")
        sample = draw_sample(seed, number, side_px)
        name = f"airfield_{number:05d}.jpg"
        write_atomic(folder / "images" / name, _jpeg(sample, seed, number))
        image_id = number + 1
        images.append({"id": image_id, "file_name": name, "width": side_px, "height": side_px})
        for mask in sample.masks:
            annotations.append(_annotation(len(annotations) + 1, image_id, mask))
    last = n_images if n_images < _VAL_EVERY else 0
    val = {k for k in range(1, n_images + 1) if k % _VAL_EVERY == 0 or k == last}
    for split, ids in (("train", set(range(1, n_images + 1)) - val), ("val", val)):
        content = {
            "info": {"description": "Synthetic airfield", "seed": seed},
            "images": [image for image in images if image["id"] in ids],
            "categories": [{"id": 1, "name": "airplane", "supercategory": ""}],
            "annotations": [found for found in annotations if found["image_id"] in ids],
        }
        write_atomic(folder / f"instances_{split}.json", orjson.dumps(content))
    reporter.progress(n_images, n_images, "Sample written")


def _jpeg(sample: Sample, seed: int, number: int) -> bytes:
    quality = int(np.random.default_rng([seed, number, 1]).integers(88, 96))
    bgr = np.ascontiguousarray(sample.image[..., ::-1])
    ok, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise DataError("This OpenCV cannot write JPEG images.")
    return bytes(data)


def _annotation(annotation_id: int, image_id: int, mask: BoolArray) -> dict[str, JsonValue]:
    from pycocotools import mask as coco_mask

    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    box: list[JsonValue] = [float(side) for side in coco_mask.toBbox(rle)]
    height, width = mask.shape
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "segmentation": {"size": [height, width], "counts": rle["counts"].decode("ascii")},
        "area": float(np.count_nonzero(mask)),
        "bbox": box,
        "iscrowd": 0,
    }
