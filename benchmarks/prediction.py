"""``python -m benchmarks.prediction``: pasting, both networks, tiles, and memory on a large image.

``--only NAME...`` takes some of the parts, ``--cpu-time`` measures processor time instead of the
clock's. The OpenVINO figures appear where it is installed.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import numpy as np
import torch
from torch import nn
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2
from torchvision.models.detection.roi_heads import paste_masks_in_image

from benchmarks.large_image import large_image
from benchmarks.report import (
    Choices,
    Figure,
    choices,
    figure,
    memory_as_it_comes,
    seconds,
    seconds_in_turns,
    show,
)
from seginst_core.engines.batches import CROPS_AT_ONCE, TILES_AT_ONCE, Batches, batches_for
from seginst_core.engines.openvino_backend import openvino_unet, use_openvino
from seginst_core.engines.torchvision_engine import TorchvisionNetwork
from seginst_core.masks.paste import paste_soft
from seginst_core.masks.rle import encode
from seginst_core.memory import keep_freed_memory
from seginst_core.models.card import ModelCard
from seginst_core.models.config import DETECTORS, NESTED_UNETS, NestedUNetConfig
from seginst_core.models.folding import fold_batch_norm
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.winograd import use_winograd, uses_winograd
from seginst_core.pipelines.drawing import torch_draw
from seginst_core.pipelines.end_to_end import EndToEnd
from seginst_core.pipelines.tiling import tile_grid
from seginst_core.pipelines.two_stage import TwoStage
from seginst_core.types import Box, Category, FloatArray, ImageArray

CPU = torch.device("cpu")
N_DETECTIONS = 100
# What a trained RPN finds likely in an aerial image: both sides get as many.
N_LIKELY = 100
Part = Callable[[Choices], Iterator[Figure]]


def main() -> None:
    """Print one figure a line."""
    keep_freed_memory()
    given = choices("Prediction, against plain torch and torchvision, on the CPU.", PARTS)
    for name, part in PARTS.items():
        if not given.only or name in given.only:
            torch.manual_seed(0)
            for found in part(given):
                show(found)


def pasting(given: Choices) -> Iterator[Figure]:
    """Soft 28 x 28 masks into an image: as crops, and on to exact run lengths."""
    n_masks, side, n_runs = (10, 400, 1) if given.quick else (100, 4000, 5)
    boxes = boxes_in(n_masks, side, np.random.default_rng(0))
    soft = _soft_masks(n_masks, np.random.default_rng(1))

    def crops() -> None:
        for square, box in zip(soft, boxes, strict=True):
            paste_soft(square, box, side, side)

    def rles() -> None:
        for square, box in zip(soft, boxes, strict=True):
            encode(paste_soft(square, box, side, side), side, side)

    squares = torch.from_numpy(soft)[:, None]
    corners = torch.tensor([[b.x0, b.y0, b.x1, b.y1] for b in boxes])
    theirs = seconds(lambda: paste_masks_in_image(squares, corners, (side, side)), 1, given.clock)
    words = f"torchvision paste_masks_in_image, {n_masks} masks into {side} x {side}"
    for name, work in (("paste_crops", crops), ("paste_rle", rles)):
        value = seconds(work, n_runs, given.clock)
        yield figure(name, 1000 * value, "ms", words, 1000 * theirs)


def mask_rcnn(given: Choices) -> Iterator[Figure]:
    """A Mask R-CNN on a ResNet-50: the same weights and as many objects on both sides.

    Its weights are random, so its RPN is given the doubts of a trained one: of its thousand
    proposals N_LIKELY are likely. torchvision looks at all of them again, we at the likely ones.
    """
    side, n_runs = (128, 1) if given.quick else (800, 3)
    image = noise(side)
    tensor = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    theirs, ours, network = same_mask_rcnns(tensor, side, CPU)
    folded = deepcopy(network.net)
    if uses_winograd(CPU):
        use_winograd(network)
    (found,) = network.detect([image], 0.05)
    theirs.roi_heads.detections_per_img = len(found.scores)

    def plain() -> None:
        with memory_as_it_comes(), torch.inference_mode():
            theirs([tensor])

    against = 1000 * seconds(plain, n_runs, given.clock)
    words = (
        f"torchvision maskrcnn_resnet50_fpn_v2, same weights and input, {side} x {side}, "
        f"{len(found.scores)} objects"
    )
    value = 1000 * seconds(lambda: ours.predict(image, score=0.0), n_runs, given.clock)
    yield figure("maskrcnn_r50_800", value, "ms", words, against)
    if find_spec("openvino"):
        network.net = folded
        use_openvino(network)
        value = 1000 * seconds(lambda: ours.predict(image, score=0.0), n_runs, given.clock)
        yield figure("maskrcnn_r50_800_openvino", value, "ms", words, against)


def same_mask_rcnns(
    tensor: torch.Tensor, side: int, device: torch.device
) -> tuple[nn.Module, EndToEnd, TorchvisionNetwork]:
    """Return torchvision's Mask R-CNN R50, our pipeline with its weights, and the network in it."""
    theirs = maskrcnn_resnet50_fpn_v2(
        weights=None, weights_backbone=None, num_classes=2, min_size=side
    ).eval()
    _make_doubtful(theirs, tensor)
    theirs.to(device)
    config = replace(DETECTORS["accurate"], norm="batch", n_proposals=1000)
    network = TorchvisionNetwork(config, 1, masks=True, device=device)
    network.net.load_state_dict(theirs.state_dict())
    network.net.roi_heads.detections_per_img = N_DETECTIONS
    network.eval()
    fold_batch_norm(network)
    card = ModelCard("random", "end-to-end", "torchvision", "accurate", _planes(), config, None)
    return theirs, EndToEnd(card, device, network, Batches(1)), network


@torch.inference_mode()
def _make_doubtful(net: nn.Module, tensor: torch.Tensor) -> None:
    """Let an RPN find as many anchors likely as a trained one does, and no others."""
    for name, module in net.named_modules():
        if name.endswith("bn3"):
            # Sixteen unnormalised residual blocks would let activations grow without bound.
            module.weight.fill_(0.2)
    batch, _ = net.transform([tensor])
    head = net.rpn.head
    objectness, _ = head(list(net.backbone(batch.tensors).values()))
    logits = torch.cat([level.flatten() for level in objectness])
    # Spread, so that not the rounding decides; then moved, for suppression leaves about a third.
    factor = 1.0 / float(logits.std())
    head.cls_logits.weight.mul_(factor)
    cut = float((logits * factor).topk(3 * N_LIKELY).values[-1])
    head.cls_logits.bias.fill_(float(torch.tensor(0.05).logit()) - cut)


def nested_unet(given: Choices) -> Iterator[Figure]:
    """The masks in 64 boxes of an image, cutting and pasting included."""
    preset, n_boxes, n_runs = ("tiny", 8, 1) if given.quick else ("accurate", 64, 5)
    shape = NESTED_UNETS[preset]
    unet = NestedUNet(4, shape.widths).eval()
    crops = torch.rand(n_boxes, 4, shape.crop_px, shape.crop_px)
    boxes = boxes_in(n_boxes, 1000, np.random.default_rng(2))
    image = noise(1000)

    def plain() -> None:
        with memory_as_it_comes(), torch.inference_mode():
            unet(crops)

    ways = {"": torch_draw(unet, CPU, unet.depth), "_l2": torch_draw(unet, CPU, 2)}
    if find_spec("openvino"):
        ways["_openvino"] = openvino_unet(unet, shape.crop_px, unet.depth)
    works: dict[str, Callable[[], object]] = {"plain": plain}
    for name, draw in ways.items():
        ours = replace(without_detector(preset, shape), draw=draw)
        works[name] = partial(ours.masks_in_boxes, image, boxes)
    taken = seconds_in_turns(works, n_runs, given.clock)
    words = (
        f"the same network alone, in float32 as torch runs it, {n_boxes} crops of "
        f"{shape.crop_px} x {shape.crop_px}"
    )
    for name in ways:
        yield figure(
            f"nested_unet_64{name}", 1000 * taken[name], "ms", words, 1000 * taken["plain"]
        )


def tiles(given: Choices) -> Iterator[Figure]:
    """A large image beside its tiles one by one: what tiling and merging add."""
    side, n_runs = (1100, 1) if given.quick else (2000, 3)
    network = TorchvisionNetwork(DETECTORS["tiny"], 1, masks=True, device=CPU).eval()
    card = ModelCard(
        "random", "end-to-end", "torchvision", "tiny", _planes(), DETECTORS["tiny"], None
    )
    ours = EndToEnd(card, CPU, network, batches_for(CPU, TILES_AT_ONCE))
    image = noise(side)
    parts = [image[t.y0 : t.y1, t.x0 : t.x1] for t in tile_grid(side, side)]

    def apart() -> None:
        for part in parts:
            ours.predict(part, score=0.0, tile=None)

    value = seconds(lambda: ours.predict(image, score=0.0), n_runs, given.clock)
    words = f"its {len(parts)} tiles as images of their own, {side} x {side}"
    yield figure("tiled", value, "s", words, seconds(apart, n_runs, given.clock))


def without_detector(preset: str, shape: NestedUNetConfig) -> TwoStage:
    """Make a two-stage pipeline whose detector is not asked."""
    config = DETECTORS["tiny"]
    card = ModelCard("random", "two-stage", "torchvision", preset, _planes(), config, shape)
    network = TorchvisionNetwork(config, 1, masks=False, device=CPU)
    unet = NestedUNet(4, NESTED_UNETS["tiny"].widths)
    draw = torch_draw(unet, CPU, unet.depth)
    return TwoStage(card, CPU, network, draw, shape, Batches(1), batches_for(CPU, CROPS_AT_ONCE))


def _planes() -> tuple[Category, ...]:
    return (Category(1, "airplane"),)


def noise(side: int) -> ImageArray:
    """Return a picture of coloured squares of 8 px."""
    small = np.random.default_rng(3).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    return small.repeat(8, axis=0).repeat(8, axis=1)


def boxes_in(n: int, side: int, rng: np.random.Generator) -> list[Box]:
    """Boxes of 2 to 10 percent of the image's side, as objects in aerial images are."""
    sizes = rng.uniform(0.02 * side, 0.1 * side, (n, 2))
    corners = rng.uniform(0, 1, (n, 2)) * (side - sizes)
    return [
        Box(float(x), float(y), float(x + w), float(y + h))
        for (x, y), (w, h) in zip(corners, sizes, strict=True)
    ]


def _soft_masks(n: int, rng: np.random.Generator) -> FloatArray:
    """Soft discs of changing size."""
    axis = (np.arange(28) - 13.5) / 14
    distance = np.hypot(axis[:, None], axis[None, :])
    radii = rng.uniform(0.5, 1.0, (n, 1, 1))
    return (1 / (1 + np.exp(12 * (distance[None] - radii)))).astype(np.float32)


PARTS: Mapping[str, Part] = {
    "pasting": pasting,
    "mask_rcnn": mask_rcnn,
    "nested_unet": nested_unet,
    "tiles": tiles,
    "large_image": large_image,
}


if __name__ == "__main__":
    main()
