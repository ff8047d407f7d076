"""``python -m benchmarks.detectron2``: our prediction beside plain detectron2, on the CPU.

Both hold the same weights, see the same pixels and keep the same objects; runs take turns, and the
best of each counts, so that a busy machine troubles neither more than the other.
"""

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmarks.prediction import noise
from benchmarks.report import Figure, figure, is_quick, show
from seginst_core.engines.batches import TILES_AT_ONCE, batches_for
from seginst_core.models import detectron2
from seginst_core.models.card import ModelCard
from seginst_core.pipelines.end_to_end import EndToEnd
from seginst_core.types import Category, ImageArray

CPU = torch.device("cpu")
N_OBJECTS = 100
ZOO = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"


def main() -> None:
    """Print one figure a line, or one sentence where detectron2 is absent."""
    quick = is_quick("Prediction of a Mask R-CNN R50-FPN, against plain detectron2, on the CPU.")
    if not detectron2.is_installed():
        sys.exit(detectron2.NOT_INSTALLED)
    for found in prediction(quick):
        show(found)


def prediction(quick: bool) -> Iterator[Figure]:
    """An image at the network's own size, and a large one that it sees at that size."""
    sizes = {"800": 128, "4000": 400} if quick else {"800": 800, "4000": 4000}
    shortest_px, n_runs = (128, 1) if quick else (800, 5)
    for name, side in sizes.items():
        ours, theirs = both(noise(side), shortest_px, CPU)
        value, against = _in_turns(ours, theirs, n_runs)
        words = (
            f"detectron2's DefaultPredictor, same R50-FPN weights, {side} x {side} seen at "
            f"{shortest_px} px, {N_OBJECTS} objects"
        )
        yield figure(f"detectron2_r50_{name}", 1000 * value, "ms", words, 1000 * against)


def both(
    image: ImageArray, shortest_px: int, device: torch.device
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return our prediction of an image and detectron2's own, which find the same objects."""
    from detectron2.config import get_cfg
    from detectron2.engine import DefaultPredictor

    from seginst_core.engines.detectron2_config import foreign_config, zoo_file
    from seginst_core.engines.detectron2_engine import ENGINE

    torch.manual_seed(0)
    node = get_cfg()
    node.merge_from_file(str(zoo_file(ZOO)), allow_unsafe=False)
    node.MODEL.WEIGHTS, node.MODEL.DEVICE = "", str(device)
    node.MODEL.ROI_HEADS.NUM_CLASSES = 1
    node.INPUT.MIN_SIZE_TEST = shortest_px
    plain = DefaultPredictor(node)
    _spread(plain.model)
    config = foreign_config(ZOO)
    config = type(config)(config.yaml, shortest_px=shortest_px, longest_px=config.longest_px)
    network = ENGINE.build(config, 1, masks=True, device=device).eval()
    network.net.load_state_dict(plain.model.state_dict())
    planes = (Category(1, "airplane"),)
    card = ModelCard("random", "end-to-end", "detectron2", "accurate", planes, config, None)
    ours = EndToEnd(card, device, network, batches_for(device, TILES_AT_ONCE))
    # Neither's limit of objects decides, but a score that as many objects have.
    (found,) = network.detect([image], 0.0)
    score = float(np.mean(found.scores[N_OBJECTS - 1 : N_OBJECTS + 1]))
    plain.model.roi_heads.box_predictor.test_score_thresh = score
    bgr = np.ascontiguousarray(image[..., ::-1])
    return lambda: ours.predict(image, score=score, tile=None), lambda: plain(bgr)


def _spread(network: torch.nn.Module) -> None:
    """Give an untrained network answers that differ: of equal ones rounding would choose."""
    with torch.no_grad():
        for name, module in network.named_modules():
            if name.endswith("conv3.norm"):
                # Sixteen unnormalised residual blocks would let activations grow without bound.
                module.weight.fill_(0.2)
        heads = network.roi_heads
        heads.box_predictor.cls_score.weight.normal_(std=0.01)
        heads.box_predictor.bbox_pred.weight.normal_(std=0.001)
        heads.mask_head.predictor.weight.normal_(std=1.0)


def _in_turns(
    ours: Callable[[], object], theirs: Callable[[], object], n_runs: int
) -> tuple[float, float]:
    """Return the best time of each in seconds, after one run of each that does not count."""
    best = [float("inf"), float("inf")]
    for run in range(n_runs + 1):
        for k, work in enumerate((ours, theirs)):
            began = time.perf_counter()
            work()
            taken = time.perf_counter() - began
            if run:
                best[k] = min(best[k], taken)
    return best[0], best[1]


if __name__ == "__main__":
    main()
