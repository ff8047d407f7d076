"""Running SegInst as a shell does, and a small world for it: discs, their COCO file, a model."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIDE_PX = 160
# A slow machine may show how far the work is before it says what is wrong.
PROGRESS = re.compile(r".*\(\d+%\)")


@dataclass(frozen=True, slots=True)
class World:
    """A folder of four images of one disc each, and the COCO file that describes them."""

    folder: Path
    images: Path
    coco: Path

    def table(self) -> dict:
        return json.loads(self.coco.read_text())

    def variant(self, name: str, **changes: object) -> Path:
        """Write the COCO file again with other values for some of its keys."""
        path = self.folder / name
        path.write_text(json.dumps({**self.table(), **changes}))
        return path


def make_world(folder: Path, n_images: int = 4) -> World:
    world = World(folder, folder / "images", folder / "truth.json")
    world.images.mkdir(parents=True)
    rng = np.random.default_rng(3)
    images, annotations = [], []
    for number in range(1, n_images + 1):
        pixels = rng.integers(20, 60, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
        x, y, radius = (int(v) for v in rng.integers((40, 40, 12), (120, 120, 25)))
        cv2.circle(pixels, (x, y), radius, (40, 220, 240), -1)
        name = f"disc_{number:03d}.jpg"
        cv2.imwrite(str(world.images / name), pixels)
        images.append({"id": number, "file_name": name, "width": SIDE_PX, "height": SIDE_PX})
        angles = np.arange(24) * np.pi / 12
        ring = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": 1,
                "bbox": [x - radius, y - radius, 2 * radius, 2 * radius],
                "area": float(np.pi * radius**2),
                "iscrowd": 0,
                "segmentation": [ring.ravel().tolist()],
            }
        )
    coco = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "disc"}],
    }
    world.coco.write_text(json.dumps(coco))
    return world


def make_model(folder: Path) -> Path:
    """Make an untrained tiny end-to-end model, whole like any other."""
    import torch

    from seginst_core.engines import load_engine
    from seginst_core.models.card import DETECTOR_FILE, ModelCard, write_card
    from seginst_core.models.config import DETECTORS
    from seginst_core.models.weights import save_weights
    from seginst_core.types import Category

    torch.manual_seed(0)
    config = DETECTORS["tiny"]
    device = torch.device("cpu")
    network = load_engine("torchvision").build(config, 1, masks=True, device=device)
    folder.mkdir(parents=True)
    files = {DETECTOR_FILE: save_weights(folder / DETECTOR_FILE, network.state_dict())}
    card = ModelCard(
        "untrained",
        "end-to-end",
        "torchvision",
        "tiny",
        (Category(1, "disc"),),
        config,
        None,
        files=files,
    )
    write_card(folder, card)
    return folder


def seginst(*words: object, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return run_module("seginst_core.cli", *words, cwd=cwd, env=env)


def run_module(
    module: str, *words: object, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=300,
    )


def sentences(stderr: str) -> Sequence[str]:
    return [line for line in stderr.splitlines() if line and not PROGRESS.fullmatch(line)]


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence with which a command failed; check that it was no more than that."""
    assert "Traceback" not in result.stdout + result.stderr
    assert result.returncode == 1, result.stderr
    (sentence,) = sentences(result.stderr)
    assert result.stdout == ""
    assert "met an unexpected error" not in sentence
    return sentence


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too: what may not change when a command fails."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
