"""``python -m benchmarks.training``: how many batches a minute a network learns from.

The yardstick is what people write with torchvision alone: its Mask R-CNN on a GroupNorm ResNet-18
with a feature pyramid, AdamW in float32, each object's mask made in the whole image and cut to the
crop. Crop, batch, images and the number of threads are the same. The data are the generated
airfield, so nothing has to be fetched; both see decoded images and crops around objects.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from benchmarks.report import Choices, Figure, choices, show
from seginst_core.engines import load_engine
from seginst_core.engines.base import Sample
from seginst_core.events import Event, Reporter
from seginst_core.masks.geometry import window
from seginst_core.models.config import TRAINING
from seginst_core.sample.write import write_sample
from seginst_core.training.batches.detector import detector_batch
from seginst_core.training.loop import Budget, fit
from seginst_core.training.recipe import DEFAULTS
from seginst_core.training.scenes import Scenes, load_scenes

PRESET = TRAINING["fast"]
Clock = Callable[[], float]
Work = Callable[[int], float]
"""Trains so many iterations and returns the seconds they took."""


def main() -> None:
    """Print one figure a line."""
    given = choices("Training, against plain torchvision.", ())
    with tempfile.TemporaryDirectory() as folder:
        for found in throughput(Path(folder), given):
            show(found)


def throughput(folder: Path, given: Choices) -> Iterator[Figure]:
    """Train both in turns, so that other work on the machine slows both alike."""
    n_images, n_rounds, n_iterations = (3, 1, 2) if given.quick else (12, 5, 10)
    write_sample(folder, n_images=n_images, seed=0)
    scenes = load_scenes(folder / "instances_train.json", folder / "images", Reporter())
    ours, theirs = _ours(scenes, given.clock), _plain(scenes, given.clock)
    for work in (ours, theirs):
        work(2)  # the first iterations allocate
    taken = [(ours(n_iterations), theirs(n_iterations)) for _ in range(n_rounds)]
    own, other = (
        60 * n_iterations / float(np.median(seconds)) for seconds in zip(*taken, strict=True)
    )
    yield Figure(
        "iterations_per_minute",
        round(own, 2),
        "1/min",
        f"plain torchvision Mask R-CNN, GroupNorm ResNet-18 FPN, AdamW, float32, crops of "
        f"{PRESET.crop_px} px, batches of {PRESET.batch}, {torch.get_num_threads()} threads: "
        f"{other:.2f}",
        round(own / other, 3),
    )


def _ours(scenes: Scenes, clock: Clock) -> Work:
    """Train end-to-end with the preset ``fast`` through the loop that users' runs go through."""
    torch.manual_seed(0)
    engine = load_engine("torchvision")
    config = engine.configure("fast", masks=True, published=False, config="")
    network = engine.build(config, 1, masks=True, device=torch.device("cpu"))

    def train(n_iterations: int) -> float:
        began: list[float] = []

        def send(event: Event) -> None:
            # Not the setting up, which a run does once.
            if event["event"] == "progress" and not began:
                began.append(clock())

        fit(
            network,
            lambda samples: network.losses(samples),
            lambda rng: _crops(scenes, rng),
            budget=Budget(iterations=n_iterations),
            learning_rate=1e-4,
            recipe=DEFAULTS,
            seed=0,
            part="detector",
            reporter=Reporter(send),
        )
        return clock() - began[0]

    return train


def _crops(scenes: Scenes, rng: np.random.Generator) -> list[Sample]:
    return detector_batch(
        scenes, rng, crop_px=PRESET.crop_px, batch=PRESET.batch, input_scale=1.0, recipe=DEFAULTS
    )


def _plain(scenes: Scenes, clock: Clock) -> Work:
    """Train the yardstick as torchvision's own examples do."""
    torch.manual_seed(0)
    network = plain_network(1)
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4, weight_decay=1e-2)
    rng = np.random.default_rng(0)

    def train(n_iterations: int) -> float:
        began = clock()
        for _ in range(n_iterations):
            pairs = [_plain_sample(scenes, rng) for _ in range(PRESET.batch)]
            losses = network([image for image, _ in pairs], [target for _, target in pairs])
            total = sum(losses.values())
            optimiser.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
        return clock() - began

    return train


def plain_network(n_categories: int) -> MaskRCNN:
    """Build the yardstick's network; its anchors are as small as ours."""
    backbone = resnet_fpn_backbone(
        backbone_name="resnet18",
        weights=None,
        norm_layer=lambda channels: nn.GroupNorm(32 if channels % 32 == 0 else 16, channels),
        trainable_layers=5,
    )
    return MaskRCNN(
        backbone,
        num_classes=n_categories + 1,
        rpn_anchor_generator=AnchorGenerator(
            ((16,), (32,), (64,), (128,), (256,)), ((0.5, 1.0, 2.0),) * 5
        ),
        min_size=PRESET.crop_px,
        max_size=4000,
    )


def _plain_sample(scenes: Scenes, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """Draw a crop around an object with full-size masks, cut to the crop."""
    index, k = scenes.objects[int(rng.integers(len(scenes.objects)))]
    image, side = scenes.image(index), PRESET.crop_px
    height, width = image.shape[:2]
    box = scenes.scenes[index].instances[k].box
    x, y = (
        int(np.clip((low + high) / 2 - rng.uniform(0.2, 0.8) * side, 0, room))
        for low, high, room in ((box.x0, box.x1, width - side), (box.y0, box.y1, height - side))
    )
    masks, boxes = [], []
    for instance in scenes.scenes[index].instances:
        assert instance.mask is not None
        whole = window(instance.mask, 0, 0, width, height)
        part = whole[y : y + side, x : x + side]
        if part.sum() < 16 or part.sum() <= 0.4 * instance.mask.area:
            continue
        rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
        boxes.append([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        masks.append(part)
    target = {
        "boxes": torch.tensor(np.array(boxes).reshape(-1, 4), dtype=torch.float32),
        "labels": torch.ones(len(boxes), dtype=torch.int64),
        "masks": torch.from_numpy(np.stack(masks) if masks else np.zeros((0, side, side), bool)).to(
            torch.uint8
        ),
    }
    crop = np.ascontiguousarray(image[y : y + side, x : x + side])
    return torch.from_numpy(crop).permute(2, 0, 1).float() / 255, target


if __name__ == "__main__":
    main()
