"""detectron2's configurations: the presets, any of its model zoo, and a person's own YAML.

A model card keeps what a configuration changes in detectron2's defaults, and of that only what
the network is made of. YAML is read with the safe loader: detectron2's own default would run code
that a file asks for.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from yaml import YAMLError

from seginst_core.errors import ModelError
from seginst_core.models.config import Detectron2Config
from seginst_core.types import Preset

DETECTIONS_PER_IMAGE = 1000
STD_BGR = [57.375, 57.12, 58.395]
# Where the zoo's files of our two kinds of network stand.
ZOO_MASKS, ZOO_BOXES = "COCO-InstanceSegmentation/mask_rcnn", "COCO-Detection/faster_rcnn"
BASE = "Base-RCNN-FPN.yaml"
NARROW = {
    "ANCHOR_GENERATOR": {"SIZES": [[16], [32], [64], [128], [256]]},
    "PIXEL_STD": STD_BGR,
    "RPN": {"PRE_NMS_TOPK_TRAIN": 1000},
}
PRESETS: Mapping[Preset, Mapping[str, object]] = {
    "tiny": {
        **NARROW,
        "RESNETS": {"DEPTH": 18, "RES2_OUT_CHANNELS": 64},
        "FPN": {"OUT_CHANNELS": 32},
        "ROI_HEADS": {"BATCH_SIZE_PER_IMAGE": 64},
        "ROI_BOX_HEAD": {"FC_DIM": 64},
        "ROI_MASK_HEAD": {"CONV_DIM": 32},
    },
    "fast": {
        **NARROW,
        "RESNETS": {"DEPTH": 18, "RES2_OUT_CHANNELS": 64},
        "FPN": {"OUT_CHANNELS": 96},
        "ROI_HEADS": {"BATCH_SIZE_PER_IMAGE": 128},
        "ROI_BOX_HEAD": {"FC_DIM": 256},
        "ROI_MASK_HEAD": {"CONV_DIM": 96},
    },
    "accurate": {},
}
"""What a preset changes in ``MODEL``; ``accurate`` is the zoo's ResNet-50."""


def preset_config(preset: Preset, *, masks: bool, published: bool) -> Detectron2Config:
    """Return a preset's configuration; ModelError if it has no published weights to begin from."""
    if preset == "accurate":
        zoo = f"{ZOO_MASKS if masks else ZOO_BOXES}_R_50_FPN_3x.yaml"
        return named_config(zoo, published=published)
    if published:
        raise ModelError(
            f"detectron2 publishes no weights for the preset {preset}; choose accurate, or a "
            "configuration of its model zoo with --config."
        )
    node = read_node(zoo_file(BASE))
    node.MODEL.merge_from_other_cfg(CfgNode(dict(PRESETS[preset])))
    return _for_training(node, "", published=False)


def named_config(name: str, *, published: bool) -> Detectron2Config:
    """Return the configuration to train by, given as the zoo's name for it or as a YAML file."""
    zoo = "" if Path(name).is_file() else name
    return _for_training(read_node(find_file(name)), zoo, published=published)


def foreign_config(name: str) -> Detectron2Config:
    """Return a configuration made elsewhere; its images keep being resized as they were there."""
    node = read_node(find_file(name))
    shortest = int(node.INPUT.MIN_SIZE_TEST)
    longest = int(node.INPUT.MAX_SIZE_TEST) if shortest else 0
    return Detectron2Config(_difference_text(node), shortest_px=shortest, longest_px=longest)


def find_file(name: str) -> Path:
    """Find a YAML file by its path or by the zoo's name for it; ModelError if there is none."""
    if Path(name).suffix == ".py":
        raise ModelError(
            f"{name} is a Python configuration, which would have to be run; give a YAML file."
        )
    for path in (Path(name), zoo_file(name)):
        if path.is_file():
            return path
    raise ModelError(
        f"There is no file {name}, and detectron2's model zoo has no configuration of that name."
    )


def zoo_file(name: str) -> Path:
    """Return where the zoo's configuration of that name is, or would be."""
    return Path(str(files("detectron2"))) / "model_zoo" / "configs" / name


def node_of(
    config: Detectron2Config, n_categories: int, *, masks: bool, device: torch.device
) -> CfgNode:
    """Return the whole configuration by which detectron2 builds the network."""
    node = get_cfg()
    try:
        node.merge_from_other_cfg(CfgNode(CfgNode.load_cfg(config.yaml)))
    except (YAMLError, KeyError, ValueError, AssertionError, AttributeError) as error:
        raise ModelError(
            f"detectron2 cannot read the configuration in the model card ({_first(error)})."
        ) from error
    _check(node)
    node.MODEL.WEIGHTS = ""
    node.MODEL.DEVICE = str(device)
    node.MODEL.MASK_ON = masks
    node.MODEL.ROI_HEADS.NUM_CLASSES = n_categories
    node.TEST.DETECTIONS_PER_IMAGE = DETECTIONS_PER_IMAGE
    node.INPUT.MIN_SIZE_TEST = config.shortest_px
    node.INPUT.MAX_SIZE_TEST = config.longest_px
    return node


def read_node(path: Path) -> CfgNode:
    """Read a YAML file onto detectron2's defaults; ModelError if it is none that we can use."""
    node = get_cfg()
    try:
        node.merge_from_file(str(path), allow_unsafe=False)
    except (YAMLError, KeyError, ValueError, AssertionError, AttributeError, OSError) as error:
        raise ModelError(
            f"{path.name} is not a configuration that detectron2 can read ({_first(error)})."
        ) from error
    _check(node)
    return node


def _check(node: CfgNode) -> None:
    model = node.MODEL
    asked = model.META_ARCHITECTURE
    if asked == "GeneralizedRCNN":
        odd = {
            "keypoints": model.KEYPOINT_ON,
            "proposals made elsewhere": model.PROPOSAL_GENERATOR.NAME == "PrecomputedProposals",
            "rotated boxes": model.PROPOSAL_GENERATOR.NAME == "RRPN",
        }
        asked = ", ".join(name for name, is_asked in odd.items() if is_asked)
    if asked:
        raise ModelError(
            "Of detectron2's networks only Faster R-CNN and Mask R-CNN can be used, and the "
            f"configuration asks for {asked}."
        )
    if node.INPUT.FORMAT not in ("BGR", "RGB"):
        raise ModelError(f"Images in {node.INPUT.FORMAT!r} are not supported, only BGR and RGB.")


def _for_training(node: CfgNode, zoo: str, *, published: bool) -> Detectron2Config:
    """Return the configuration for our loop, which resizes images itself.

    Without weights to begin from, frozen statistics and frozen stages would freeze noise: group
    norm takes their place (He et al. 2019, Rethinking ImageNet pre-training).
    """
    if not published:
        node.MODEL.BACKBONE.FREEZE_AT = 0
        node.MODEL.RESNETS.NORM = "GN"
        node.MODEL.RESNETS.STRIDE_IN_1X1 = False
        node.MODEL.FPN.NORM = "GN"
        zoo = ""
    return Detectron2Config(_difference_text(node), zoo)


def _difference_text(node: CfgNode) -> str:
    """Write, as YAML, what ``node`` changes in the defaults of the network and its input."""
    node = node.clone()
    plain = get_cfg()
    # These are decided anew each time a network is built.
    node.MODEL.WEIGHTS, node.MODEL.DEVICE = plain.MODEL.WEIGHTS, plain.MODEL.DEVICE
    node.MODEL.MASK_ON = plain.MODEL.MASK_ON
    node.MODEL.ROI_HEADS.NUM_CLASSES = plain.MODEL.ROI_HEADS.NUM_CLASSES
    table: dict[str, object] = {"VERSION": node.VERSION}
    if changed := _difference(node.MODEL, plain.MODEL):
        table["MODEL"] = changed
    if node.INPUT.FORMAT != plain.INPUT.FORMAT:
        table["INPUT"] = {"FORMAT": node.INPUT.FORMAT}
    return str(CfgNode(table).dump())


def _difference(node: CfgNode, plain: CfgNode) -> dict[str, object]:
    changed: dict[str, object] = {}
    for key, value in node.items():
        if isinstance(value, CfgNode):
            if below := _difference(value, plain[key]):
                changed[key] = below
        elif value != plain[key]:
            changed[key] = value
    return changed


def _first(error: Exception) -> str:
    """Return the first line of what a library says of an error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip("'\"").rstrip(".")
