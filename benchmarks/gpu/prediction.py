"""The part of ``benchmarks.gpu`` that predicts."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.gpu.rate import per_second, precisions, rate, word
from benchmarks.large_image import STARTERS, picture
from benchmarks.prediction import boxes_in, noise, same_mask_rcnns, without_detector
from benchmarks.report import Choices, Figure
from seginst_core.engines.batches import Batches
from seginst_core.engines.rcnn.detect import TorchParts
from seginst_core.engines.torchvision_engine import TorchvisionNetwork
from seginst_core.models import detectron2
from seginst_core.models.config import NESTED_UNETS
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.pipelines.drawing import torch_draw
from seginst_core.pipelines.load import load_pipeline
from seginst_core.pipelines.tiling import auto_tiles

TILE_PX = 800


def tiles(given: Choices, device: torch.device) -> Iterator[Figure]:
    """A large image with both starter models, so many of its tiles at once, in both formats."""
    side = 900 if given.quick else 4000
    image = picture(side)
    n_tiles = len(auto_tiles(side, side, TILE_PX, TILE_PX // 4))
    least = 0.0 if given.quick else 1.5
    for model in ("airplane-end-to-end", "airplane-two-stage"):
        slowest = None
        for bfloat16 in precisions(device, given.quick):
            for at_once in (1, 2) if given.quick else (1, 16):
                pipeline = load_pipeline(STARTERS / model, str(device))
                _set_precision(pipeline.network, bfloat16)
                pipeline.tiles.at_once = at_once
                value = n_tiles * per_second(
                    lambda pipeline=pipeline: pipeline.predict(image, score=0.3),
                    device,
                    least=least,
                )
                name = f"tiles_{model.removeprefix('airplane-')}_{at_once}_{word(bfloat16)}"
                yield rate(name, value, "tiles/s", "one tile at once, float32", slowest or value)
                slowest = slowest or value


def single_images(given: Choices, device: torch.device) -> Iterator[Figure]:
    """One image of 800 px with a Mask R-CNN on a ResNet-50: the same weights on both sides."""
    side, least = (128, 0.0) if given.quick else (TILE_PX, 1.0)
    image = noise(side)
    tensor = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    theirs, ours, network = same_mask_rcnns(tensor, side, device)
    for bfloat16 in precisions(device, given.quick):
        _set_precision(network, bfloat16)
        (found,) = network.detect([image], 0.05)
        theirs.roi_heads.detections_per_img = len(found.scores)

        def plain(bfloat16: bool = bfloat16) -> None:
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, bfloat16):
                theirs([tensor.to(device)])[0]["masks"].cpu()

        value = per_second(lambda: ours.predict(image, score=0.0), device, least=least)
        against = per_second(plain, device, least=least)
        words = f"torchvision maskrcnn_resnet50_fpn_v2, {word(bfloat16)}, {side} x {side}"
        yield rate(f"image_r50_{word(bfloat16)}", value, "images/s", words, against)
    if detectron2.is_installed():
        from benchmarks.detectron2 import both

        mine, other = both(image, side, device)
        value, against = (per_second(work, device, least=least) for work in (mine, other))
        words = f"detectron2's DefaultPredictor, same R50-FPN weights, {side} x {side}"
        yield rate("image_r50_detectron2", value, "images/s", words, against)


def masks_in_boxes(given: Choices, device: torch.device) -> Iterator[Figure]:
    """The nested U-Net of each preset in boxes of one image, cutting and pasting included."""
    n_boxes, least = (8, 0.0) if given.quick else (512, 1.0)
    image, boxes = noise(1000), boxes_in(n_boxes, 1000, np.random.default_rng(2))
    for preset in ("tiny",) if given.quick else ("fast", "accurate"):
        shape = NESTED_UNETS[preset]
        unet = NestedUNet(4, shape.widths).to(device).eval()
        unet.to(memory_format=torch.channels_last)
        crops = torch.rand(n_boxes, 4, shape.crop_px, shape.crop_px)

        def plain(unet: nn.Module = unet, crops: Tensor = crops) -> None:
            with torch.inference_mode():
                unet(crops.to(device))[-1].cpu()

        against = n_boxes * per_second(plain, device, least=least)
        pipeline = without_detector(preset, shape)
        for at_once in (16, 128):
            ours = replace(
                pipeline, draw=torch_draw(unet, device, unet.depth), crops=Batches(at_once)
            )
            value = n_boxes * per_second(
                lambda ours=ours: ours.masks_in_boxes(image, boxes), device, least=least
            )
            words = f"the network alone, float32, {n_boxes} at once"
            yield rate(f"masks_{preset}_{at_once}", value, "masks/s", words, against)


def _set_precision(network: object, bfloat16: bool) -> None:
    assert isinstance(network, TorchvisionNetwork)
    network.in_bfloat16 = bfloat16
    network.parts = TorchParts(network.net, network.device, bfloat16)
