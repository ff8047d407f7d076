"""A worker without torch for tests of the window: its jobs do little, but as the real ones do it.

``fine_tune`` counts to ``iterations``, keeps where it is in a checkpoint and makes a model
directory; what its verdict says stands in the file that ``FAKE_VERDICT`` names. Predictions have
as many objects as the model's card says, or one.
"""

import errno
import json
import os
import time
from pathlib import Path

import seginst_core.worker as worker
from seginst_core.files import write_atomic
from seginst_core.masks.rle import encode
from seginst_core.models.card import ModelCard, read_card, write_card
from seginst_core.models.config import DetectorConfig, NestedUNetConfig
from seginst_core.types import Category, Mask

SIDE_PX = 8


def make_model(folder, pipeline, n_found, weights):
    """Write a model directory whose predictions have ``n_found`` objects."""
    folder.mkdir(parents=True, exist_ok=True)
    card = ModelCard(
        folder.name,
        pipeline,
        "torchvision",
        "tiny",
        (Category(1, "plane"),),
        DetectorConfig(),
        NestedUNetConfig() if pipeline == "two-stage" else None,
        training={"n_found": n_found},
        files={"detector.safetensors": weights},
    )
    write_card(folder, card)
    return card


def image_looks(params, reporter):
    if os.environ.get("FAKE_LOOKS_FAIL"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    # No two are alike: each differs from any other in many bits.
    patterns = [(0x1111111111111111 * (k % 15 + 1)) & (2**64 - 1) for k in range(40)]
    return {"looks": [[r["image_id"], f"{patterns[r['image_id']]:016x}"] for r in params["images"]]}


def fine_tune(params, reporter):
    out = Path(params["out"])
    place = out / "checkpoint" / "place"
    done = 0
    if params.get("resume") and place.is_file():
        done = int(place.read_text())
        reporter.log(f"Training goes on from iteration {done}.")
    place.parent.mkdir(parents=True, exist_ok=True)
    losses = {"loss": 1.0}
    full_at = int(os.environ.get("FAKE_FULL_AT", params["iterations"]))
    while done < params["iterations"]:
        if done == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        reporter.progress(done, params["iterations"], f"iteration {done}")
        reporter.loss(done, losses, 0.1, "detector")
        time.sleep(0.01)
        done += 1
        # Whole or not at all, as the real ones: a worker may be killed while it writes.
        write_atomic(place, str(done).encode())
    card = make_model(out, params["pipeline"], 3, f"weights of {out.name}")
    verdict = None
    if params["val"]:
        verdict = json.loads(Path(os.environ["FAKE_VERDICT"]).read_text())
    return {"model": str(out), "name": out.name, "id": card.id, "scores": {}, "verdict": verdict}


def refresh_masks(params, reporter):
    out = Path(params["out"])
    if os.environ.get("FAKE_REFRESH_WAITS"):
        reporter.stop.wait()
        reporter.check()
    card = make_model(out, "two-stage", 2, f"weights of {out.name}")
    return {
        "model": str(out), "name": out.name, "id": card.id, "before": 0.7, "after": 0.8,
        "ci95": [0.02, 0.2], "n": 9, "better": not os.environ.get("FAKE_REFRESH_IN_VAIN"),
    }  # fmt: skip


def predict(params, reporter):
    card = read_card(Path(params["model"]))
    import numpy as np

    for row in params["images"]:
        found = []
        for k in range(card.training.get("n_found", 1)):
            mask = Mask(SIDE_PX * k, 0, np.ones((SIDE_PX, SIDE_PX), bool))
            found.append(
                {
                    "bbox": [SIDE_PX * k, 0, SIDE_PX, SIDE_PX],
                    "score": 0.9,
                    "category": "plane",
                    "segmentation": encode(mask, 80, 60),
                }
            )
        reporter.send(
            {
                "event": "prediction",
                "image_id": row["image_id"],
                "model": card.id,
                "model_name": card.name,
                "pipeline": card.pipeline,
                "seconds": 0.1,
                "categories": [{"id": 1, "name": "plane"}],
                "instances": found,
            }
        )
    return {"images": len(params["images"])}


if __name__ == "__main__":
    worker.JOBS = {
        "image_looks": image_looks,
        "fine_tune": fine_tune,
        "refresh_masks": refresh_masks,
        "predict": predict,
    }
    worker.describe = lambda: {"device": "cpu", "device_name": "CPU of a test"}
    worker.main()
