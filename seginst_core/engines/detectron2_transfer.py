"""detectron2's models to ours and back: a configuration, a file of weights, and no code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seginst_core.engines.detectron2_config import (
    find_file,
    foreign_config,
    node_of,
    read_node,
)
from seginst_core.engines.detectron2_engine import ENGINE
from seginst_core.errors import ModelError
from seginst_core.files import write_atomic
from seginst_core.models.config import Detectron2Config
from seginst_core.models.torch_weights import write_torch_weights

PREFIX = "net."
# Older versions stored these; they follow from the configuration.
DERIVED = ("pixel_mean", "pixel_std", "cell_anchors")
WEIGHTS_NAME, CONFIG_NAME = "model_final.pth", "config.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """A model of detectron2 in our terms; ``masks`` says that it has a mask head."""

    config: Detectron2Config
    masks: bool
    state: Mapping[str, Tensor]


def take_in(config: str, given: Mapping[str, Tensor], n_categories: int) -> Foreign:
    """Take in a model by its configuration and weights; ModelError if they do not fit together."""
    node = read_node(find_file(config))
    n_known = int(node.MODEL.ROI_HEADS.NUM_CLASSES)
    if n_known != n_categories:
        raise ModelError(
            f"The configuration is for {n_known} categories, and {n_categories} were named; name "
            "all of them, in the order of training."
        )
    masks = bool(node.MODEL.MASK_ON)
    own = foreign_config(config)
    network = ENGINE.build(own, n_categories, masks=masks, device=torch.device("cpu"))
    expected = network.state_dict()
    state = {
        PREFIX + name: tensor
        for name, tensor in given.items()
        if not any(part in name for part in DERIVED)
    }
    for problem, names in (
        ("lack", sorted(expected.keys() - state.keys())),
        ("have", sorted(state.keys() - expected.keys())),
    ):
        if names:
            raise ModelError(
                f"The weights do not fit the configuration: they {problem} "
                f"{names[0].removeprefix(PREFIX)}"
                f"{f' and {len(names) - 1} more' if len(names) > 1 else ''}."
            )
    for name, tensor in state.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"The weights do not fit the configuration: {name.removeprefix(PREFIX)} is "
                f"{tuple(tensor.shape)} instead of {tuple(expected[name].shape)}."
            )
    return Foreign(own, masks, state)


def take_out(
    folder: Path,
    config: Detectron2Config,
    state: Mapping[str, Tensor],
    categories: Sequence[str],
    *,
    masks: bool,
) -> None:
    """Write a model as detectron2's ``DefaultPredictor`` loads it; ModelError if it is there."""
    for name in (WEIGHTS_NAME, CONFIG_NAME):
        if (folder / name).exists():
            raise ModelError(f"There already is a {name} in {folder}; choose another folder.")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    node = node_of(config, len(categories), masks=masks, device=device)
    node.MODEL.WEIGHTS = str((folder / WEIGHTS_NAME).resolve())
    head = [
        "# Made by SegInst. Categories, in the order of the classes:",
        *(f"#   {number} {json.dumps(name)}" for number, name in enumerate(categories)),
    ]
    if not config.shortest_px:
        head.append("# Images are not resized (INPUT.MIN_SIZE_TEST 0).")
        if config.input_scale != 1:
            scale = f"{config.input_scale:g}"
            head.append(f"# Multiply their sides by {scale} before they are predicted.")
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
    write_torch_weights(folder / WEIGHTS_NAME, plain)
    write_atomic(folder / CONFIG_NAME, "\n".join([*head, node.dump()]).encode())
