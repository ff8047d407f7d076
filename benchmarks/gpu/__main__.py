"""``python -m benchmarks.gpu``: what a GPU makes of training and prediction.

Every figure is how many images, tiles or crops a second, beside plain torchvision. Both sides have
the same number format, and the yardsticks get their batches for nothing while ours draws its own.
detectron2's figures appear where it is installed. Without a GPU it ends with one sentence;
``--quick`` runs anywhere.
"""

import sys
from collections.abc import Callable, Iterator, Mapping

import torch

from benchmarks.gpu.prediction import masks_in_boxes, single_images, tiles
from benchmarks.gpu.training import detectors, loading, mask_networks
from benchmarks.report import Choices, Figure, choices, show
from seginst_core.engines.device import describe_device, pick_device

Part = Callable[[Choices, torch.device], Iterator[Figure]]
PARTS: Mapping[str, Part] = {
    "loading": loading,
    "detectors": detectors,
    "mask_networks": mask_networks,
    "tiles": tiles,
    "single_images": single_images,
    "masks_in_boxes": masks_in_boxes,
}


def main() -> None:
    """Print one figure a line, and which device they are from."""
    given = choices("Training and prediction on a GPU.", PARTS)
    device = pick_device()
    if device.type == "cpu" and not given.quick:
        sys.exit("torch finds no GPU here, and these figures are about one.")
    print(describe_device(device), file=sys.stderr)
    for name, part in PARTS.items():
        if not given.only or name in given.only:
            torch.manual_seed(0)
            for found in part(given, device):
                show(found)


if __name__ == "__main__":
    main()
