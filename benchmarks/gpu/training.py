"""The part of ``benchmarks.gpu`` that trains."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

from benchmarks.gpu.rate import per_second, precisions, rate, word
from benchmarks.report import Choices, Figure
from benchmarks.training import plain_network
from seginst_core.engines import load_engine
from seginst_core.engines.base import Network, Sample
from seginst_core.engines.torchvision_engine import TorchvisionNetwork
from seginst_core.events import Event, Reporter
from seginst_core.models import detectron2
from seginst_core.models.config import NESTED_UNETS, TRAINING
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.sample.write import write_sample
from seginst_core.training.batches.detector import detector_batch
from seginst_core.training.batches.masks import mask_batch
from seginst_core.training.loop import Budget, fit
from seginst_core.training.recipe import DEFAULTS
from seginst_core.training.run import mask_losses
from seginst_core.training.scenes import Scenes, load_scenes
from seginst_core.types import Preset

BATCHES: Mapping[Preset, tuple[int, ...]] = {"fast": (2, 16), "accurate": (2, 8)}
N_KEPT = 4
BatchT = TypeVar("BatchT")
Losses = Callable[[], Mapping[str, Tensor]]


def loading(given: Choices, device: torch.device) -> Iterator[Figure]:
    """Draw crops with one thread and with several: what feeds the network."""
    del device
    scenes = _scenes(given.quick)
    alone = 0.0
    for n_threads in (1, 2) if given.quick else (1, 2, 4, 8):
        value = _crops_per_second(scenes, n_threads, 2 if given.quick else 30)
        alone = alone or value
        yield rate(f"loading_{n_threads}", value, "crops/s", "one thread", alone)


def detectors(given: Choices, device: torch.device) -> Iterator[Figure]:
    """Train a Mask R-CNN of each preset through the loop that users' runs go through."""
    scenes, least = _scenes(given.quick), 0.0 if given.quick else 1.0
    presets: tuple[Preset, ...] = ("tiny",) if given.quick else ("fast", "accurate")
    for preset in presets:
        for batch in BATCHES.get(preset, (2,)):
            for bfloat16 in precisions(device, given.quick):
                name = f"train_{preset}_{batch}_{word(bfloat16)}"
                value = batch * _ours(scenes, preset, batch, device, bfloat16, least)
                samples = _drawn(scenes, preset, batch)
                plain = _plain(preset, samples, device, bfloat16)
                against = batch * _steps(*plain, device, least)
                words = f"torchvision's own, {word(bfloat16)}, batches of {batch}"
                yield rate(name, value, "crops/s", words, against)
                if preset == "accurate" and detectron2.is_installed():
                    plain = _detectron2(samples, device, bfloat16)
                    against = batch * _steps(*plain, device, least)
                    words = f"detectron2's R50-FPN, {word(bfloat16)}, batches of {batch}"
                    yield rate(f"{name}_detectron2", value, "crops/s", words, against)


def mask_networks(given: Choices, device: torch.device) -> Iterator[Figure]:
    """Train a nested U-Net of each preset; nobody else's is there to compare with."""
    scenes, least = _scenes(given.quick), 0.0 if given.quick else 1.0
    presets: tuple[Preset, ...] = ("tiny",) if given.quick else ("fast", "accurate")
    for preset in presets:
        for batch in (4,) if given.quick else (16, 128):
            slower = None
            for bfloat16 in precisions(device, given.quick):
                unet = NestedUNet(4, NESTED_UNETS[preset].widths).to(device)
                unet.to(memory_format=torch.channels_last)
                value = batch * _fitted(
                    unet,
                    mask_losses(unet, device, in_bfloat16=bfloat16),
                    lambda rng, preset=preset, batch=batch: mask_batch(
                        scenes, rng, batch=batch, config=NESTED_UNETS[preset], recipe=DEFAULTS
                    ),
                    least,
                )
                words = "float32" if slower else "none"
                name = f"train_unet_{preset}_{batch}_{word(bfloat16)}"
                yield rate(name, value, "crops/s", words, slower)
                slower = value


@lru_cache(1)
def _scenes(quick: bool) -> Scenes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sample(folder, n_images=3 if quick else 12, seed=0, side_px=256 if quick else 1000)
        scenes = load_scenes(folder / "instances_train.json", folder / "images", Reporter())
        for k in range(len(scenes.scenes)):
            scenes.image(k)  # all fit into the memory that is kept for them
    return scenes


def _drawn(scenes: Scenes, preset: Preset, batch: int) -> list[list[Sample]]:
    rng = np.random.default_rng(0)
    return [_crops(scenes, rng, preset, batch) for _ in range(N_KEPT)]


def _crops(scenes: Scenes, rng: np.random.Generator, preset: Preset, batch: int) -> list[Sample]:
    side = TRAINING[preset].crop_px
    return detector_batch(scenes, rng, crop_px=side, batch=batch, input_scale=1.0, recipe=DEFAULTS)


def _crops_per_second(scenes: Scenes, n_threads: int, n_batches: int) -> float:
    def draw(k: int) -> int:
        return len(_crops(scenes, np.random.default_rng(k), "fast", 16))

    with ThreadPoolExecutor(n_threads) as pool:
        began = time.perf_counter()
        n_crops = sum(pool.map(draw, range(n_batches)))
        return n_crops / (time.perf_counter() - began)


def _ours(
    scenes: Scenes,
    preset: Preset,
    batch: int,
    device: torch.device,
    bfloat16: bool,
    least: float,
) -> float:
    torch.manual_seed(0)
    engine = load_engine("torchvision")
    config = engine.configure(preset, masks=True, published=False, config="")
    network = engine.build(config, 1, masks=True, device=device)
    assert isinstance(network, TorchvisionNetwork)
    network.in_bfloat16 = bfloat16
    trained: Network = network
    return _fitted(network, trained.losses, lambda rng: _crops(scenes, rng, preset, batch), least)


def _fitted(
    network: nn.Module,
    losses: Callable[[BatchT], Mapping[str, Tensor]],
    batch_at: Callable[[np.random.Generator], BatchT],
    least: float,
) -> float:
    """Return the steps a second of a run, after one of a few steps that chooses algorithms."""
    stamps: list[float] = []

    def send(event: Event) -> None:
        if event["event"] == "progress":
            stamps.append(time.perf_counter())

    for budget in (Budget(iterations=3), Budget(seconds=least) if least else Budget(iterations=3)):
        stamps.clear()
        fit(
            network,
            losses,
            batch_at,
            budget=budget,
            learning_rate=1e-4,
            recipe=DEFAULTS,
            seed=0,
            part="network",
            reporter=Reporter(send),
        )
    # Not the first step, before which nothing is drawn yet.
    return (len(stamps) - 2) / (stamps[-1] - stamps[1])


def _steps(network: nn.Module, losses: Losses, device: torch.device, least: float) -> float:
    """Return the steps a second of a loop as the libraries' examples write it."""
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4, weight_decay=1e-2, fused=True)

    def step() -> None:
        total = torch.stack(list(losses().values())).sum()
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()

    return per_second(step, device, least=least)


def _plain(
    preset: Preset, batches: Sequence[Sequence[Sample]], device: torch.device, bfloat16: bool
) -> tuple[nn.Module, Losses]:
    """Return torchvision's network and what makes its losses of the next batch."""
    torch.manual_seed(0)
    side = TRAINING[preset].crop_px
    network = plain_network(1)
    if preset == "accurate":
        network = maskrcnn_resnet50_fpn_v2(
            weights=None, weights_backbone=None, num_classes=2, min_size=side, max_size=4000
        )
    network.to(device)
    turn = _turns(batches)

    def losses() -> Mapping[str, Tensor]:
        samples = turn()
        images = [_chw(sample).to(device).float() / 255 for sample in samples]
        targets = [
            {
                "boxes": sample.boxes.to(device),
                "labels": sample.labels.to(device) + 1,
                "masks": _whole_masks(sample).to(device),
            }
            for sample in samples
        ]
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            found: Mapping[str, Tensor] = network(images, targets)
        return found

    return network, losses


def _detectron2(
    batches: Sequence[Sequence[Sample]], device: torch.device, bfloat16: bool
) -> tuple[nn.Module, Losses]:
    """Return detectron2's network and what makes its losses of the next batch."""
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model
    from detectron2.structures import BitMasks, Boxes, Instances
    from detectron2.utils.events import EventStorage

    from benchmarks.detectron2 import ZOO
    from seginst_core.engines.detectron2_config import zoo_file

    node = get_cfg()
    node.merge_from_file(str(zoo_file(ZOO)), allow_unsafe=False)
    node.MODEL.WEIGHTS, node.MODEL.DEVICE = "", str(device)
    node.MODEL.ROI_HEADS.NUM_CLASSES = 1
    node.INPUT.MASK_FORMAT = "bitmask"
    torch.manual_seed(0)
    network = build_model(node)
    turn = _turns(batches)

    def given(sample: Sample) -> dict[str, object]:
        objects = Instances(tuple(sample.image.shape[:2]))
        objects.gt_boxes = Boxes(sample.boxes)
        objects.gt_classes = sample.labels
        objects.gt_masks = BitMasks(_whole_masks(sample))
        return {"image": _chw(sample), "instances": objects}

    def losses() -> Mapping[str, Tensor]:
        # The network writes its statistics into a storage that has to be there.
        with EventStorage(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            found: Mapping[str, Tensor] = network([given(sample) for sample in turn()])
        return found

    return network, losses


def _turns(batches: Sequence[Sequence[Sample]]) -> Callable[[], Sequence[Sample]]:
    turn = cycle(batches)
    return lambda: next(turn)


def _chw(sample: Sample) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))


@lru_cache(256)
def _whole_masks(sample: Sample) -> Tensor:
    """Return each object's mask in the whole crop, as the libraries want them."""
    height, width = sample.image.shape[:2]
    masks = torch.zeros(len(sample.boxes), height, width, dtype=torch.uint8)
    for k, (box, mask) in enumerate(zip(sample.boxes.tolist(), sample.masks, strict=True)):
        x0, y0, x1, y1 = (round(v) for v in box)
        x0, y0 = min(x0, width - 1), min(y0, height - 1)
        size = (max(y1 - y0, 1), max(x1 - x0, 1))
        grown = nn.functional.interpolate(mask[None, None].float(), size)[0, 0] > 0.5
        masks[k, y0 : y0 + size[0], x0 : x0 + size[1]] = grown[: height - y0, : width - x0]
    return masks
