"""The quick refresh: the live two-stage model's nested U-Net learns from corrected objects."""

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from seginst_core.errors import DataError, ImageError, ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.formats import coco_json
from seginst_core.jobs.learning.fine_tune import MASK_PASSES
from seginst_core.jobs.params import Params, number, path, text, texts
from seginst_core.masks.geometry import iou
from seginst_core.models.card import CARD_NAME, DETECTOR_FILE, read_card, write_card
from seginst_core.review.bootstrap import ends_of_95
from seginst_core.training.few_images import design_effect

if TYPE_CHECKING:
    from seginst_core.pipelines.two_stage import TwoStage

MIN_HELD_OUT = 5
"""Corrections that a refresh is tried on, at least."""
N_RESAMPLES = 2000


def refresh_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Train the nested U-Net of ``model`` on ``train`` for ``iterations``; try it on ``val``.

    Both are COCO files of corrected objects under ``images``. The boxes are the objects' own and
    the measure is the mean IoU of the masks drawn in them; the refreshed model is better if the
    95 % interval of its gain, by a bootstrap over the objects, wider where many are of one image,
    is above zero. Otherwise ``out`` is taken away again.
    Returns ``{"model", "name", "id", "before", "after", "ci95", "n", "better"}``. DataError if
    there is too little to try it on, ModelError unless ``model`` is two-stage.
    """
    from seginst_core.pipelines.load import load_pipeline
    from seginst_core.pipelines.two_stage import TwoStage
    from seginst_core.training.plan import TrainConfig
    from seginst_core.training.run import train

    start, out, images = path(params, "model"), path(params, "out"), path(params, "images")
    device, val = text(params, "device", "auto"), path(params, "val")
    former = load_pipeline(start, device)
    if not isinstance(former, TwoStage):
        raise ModelError(f"{former.card.name} has no nested U-Net that could be refreshed.")
    in_images = _ious(former, val, images, reporter)
    old = np.concatenate([[], *in_images])
    if len(old) < MIN_HELD_OUT:
        raise DataError(f"A refresh is tried on {MIN_HELD_OUT} corrected objects or more.")
    resume = params.get("resume") is True
    if not (resume and (out / CARD_NAME).is_file()):
        config = TrainConfig(
            train=path(params, "train"),
            images=images,
            out=out,
            pipeline="two-stage",
            engine=former.card.engine,
            start=start,
            stage="mask",
            iterations=int(number(params, "iterations")),
            mask_passes=MASK_PASSES,
            device=device,
            seed=int(number(params, "seed", 0)),
            resume=resume,
            renamed=texts(params, "renamed"),
            description=text(params, "description", ""),
        )
        train(config, reporter)
        _keep_detector(start, out)
    refreshed = cast(TwoStage, load_pipeline(out, device))
    new = np.concatenate(_ious(refreshed, val, images, reporter))
    low, high = _interval(new - old, design_effect(map(len, in_images)))
    card = read_card(out)
    better = low > 0
    if not better:
        shutil.rmtree(out)
    return {
        "model": str(out),
        "name": card.name,
        "id": card.id,
        "before": round(float(old.mean()), 4),
        "after": round(float(new.mean()), 4),
        "ci95": [round(low, 4), round(high, 4)],
        "n": len(old),
        "better": better,
    }


def _keep_detector(start: Path, out: Path) -> None:
    """Take over the detector's file as it is, so that its digest says that nothing changed."""
    shutil.copyfile(start / DETECTOR_FILE, out / DETECTOR_FILE)
    card, began = read_card(out), read_card(start)
    files = {**card.files, DETECTOR_FILE: began.files[DETECTOR_FILE]}
    write_card(out, replace(card, files=files))


def _ious(
    model: "TwoStage", data: Path, images: Path, reporter: Reporter
) -> list[npt.NDArray[np.float64]]:
    """Return, image by image, the IoU of each corrected mask with what is drawn in its box."""
    from seginst_core.images import read_image

    dataset = coco_json.read(data)
    found: list[npt.NDArray[np.float64]] = []
    for done, ref in enumerate(dataset.images):
        reporter.progress(done, len(dataset.images), "Trying the masks on corrected objects")
        annotation = dataset.annotations.get(ref.id)
        masked = [i for i in annotation.instances if i.mask is not None] if annotation else []
        if not masked:
            continue
        try:
            image = read_image(images / ref.path)
        except ImageError as error:
            reporter.log(str(error))
            continue
        drawn = model.masks_in_boxes(image, [i.box for i in masked], reporter)
        pairs = [
            (i.mask, mask) for i, mask in zip(masked, drawn, strict=True) if i.mask is not None
        ]
        found.append(np.array([0.0 if mask is None else iou(truth, mask) for truth, mask in pairs]))
    return found


def _interval(gains: npt.NDArray[np.float64], effect: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean gain over resamples of the objects.

    It is widened about the mean by the root of the design effect.
    """
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(gains), (N_RESAMPLES, len(gains)))
    ends = np.percentile(gains[drawn].mean(axis=1), ends_of_95(len(gains)))
    low, high = gains.mean() + (ends - gains.mean()) * math.sqrt(effect)
    return float(low), float(high)
