"""``python -m benchmarks.ablation DATA_SET...``: what each choice of the training recipe is worth.

A data set is a folder with ``annotations/instances_train.json``, ``annotations/instances_val.json``
and ``images/``; without one, a small synthetic set is drawn. Every variant trains the same network
for as many iterations from the same seed, so that a busy machine changes nothing but the wait.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

from benchmarks.report import Figure, show
from seginst_core.sample.write import write_sample
from seginst_core.training.plan import TrainConfig
from seginst_core.training.recipe import DEFAULTS, Recipe
from seginst_core.training.run import train
from seginst_core.types import PipelineName, Preset

VARIANTS: Mapping[str, Recipe] = {
    "base": DEFAULTS,
    "sgd": replace(DEFAULTS, optimiser="sgd", rate_factor=5.0),
    "rate_halved": replace(DEFAULTS, rate_factor=0.5),
    "rate_doubled": replace(DEFAULTS, rate_factor=2.0),
    "no_average": replace(DEFAULTS, average_decay=0.0),
    "longer_average": replace(DEFAULTS, average_decay=0.998),
    "no_warm_up": replace(DEFAULTS, warm_up=0),
    "no_clipping": replace(DEFAULTS, gradient_norm=0.0),
    "no_scale_jitter": replace(DEFAULTS, scale_jitter=1.0),
    "wide_scale_jitter": replace(DEFAULTS, scale_jitter=2.0),
    "no_turns": replace(DEFAULTS, right_angles=False),
    "no_colour": replace(DEFAULTS, colour=False),
    "anywhere": replace(DEFAULTS, object_centred=0.0),
    "copy_paste": replace(DEFAULTS, copy_paste=0.5),
    "seen_as_is": replace(DEFAULTS, typical_px=0.0),
    "seen_smaller": replace(DEFAULTS, typical_px=48.0),
    "seen_larger": replace(DEFAULTS, typical_px=80.0),
    "no_box_jitter": replace(DEFAULTS, box_jitter=0.0),
}


def main() -> None:
    """Print two figures a variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", type=Path, metavar="DATA_SET")
    parser.add_argument("--quick", action="store_true", help="two variants, a few iterations")
    parser.add_argument("--iterations", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    # The box jitter is the nested U-Net's alone: it needs --pipeline two-stage.
    parser.add_argument("--pipeline", choices=("two-stage", "end-to-end"), default="end-to-end")
    parser.add_argument("--preset", choices=get_args(Preset), default="fast")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    given = parser.parse_args()
    names = ["base", "copy_paste"] if given.quick else ["base", *given.only]
    with tempfile.TemporaryDirectory() as folder:
        for data in given.data or [_synthetic(Path(folder) / "synthetic")]:
            base: float | None = None
            for name in dict.fromkeys(names):
                config = _config(data, Path(folder) / data.name / name, given.pipeline)
                config = replace(config, recipe=VARIANTS[name], seed=given.seed)
                preset, n = ("tiny", 40) if given.quick else (given.preset, given.iterations)
                config = replace(config, preset=preset, iterations=n)
                scores = train(config).scores
                ap = scores["segm_AP"]
                base = ap if base is None else base
                words = f"the recipe as it is, {config.iterations} iterations, val of {data.name}"
                ratio = round(ap / base, 3) if base else None
                show(Figure(f"{data.name}.{name}.AP", round(ap, 4), "mask AP", words, ratio))
                ap50 = round(scores["segm_AP50"], 4)
                show(Figure(f"{data.name}.{name}.AP50", ap50, "mask AP50", words, None))


def _config(data: Path, out: Path, pipeline: PipelineName) -> TrainConfig:
    notes = data / "annotations"
    if not notes.is_dir():
        notes = data
    train_json, val_json = (notes / f"instances_{part}.json" for part in ("train", "val"))
    for path in (train_json, val_json):
        if not path.is_file():
            sys.exit(f"{data} holds no {path.name}.")
    return TrainConfig(
        train=train_json, images=data / "images", out=out, pipeline=pipeline, val=val_json
    )


def _synthetic(folder: Path) -> Path:
    write_sample(folder, n_images=4, seed=0, side_px=400)
    return folder


if __name__ == "__main__":
    main()
