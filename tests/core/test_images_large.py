"""Images of 12,000 x 12,000 pixels are read in less memory than a small machine has."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

SIDE = 12_000
READ = """
import resource, sys
from pathlib import Path
from seginst_core.images import read_image, read_preview, read_size
path = Path(sys.argv[1])
assert read_size(path) == (12_000, 12_000)
pixels = read_image(path)
assert pixels.shape == (12_000, 12_000, 3)
print(*pixels[7_001, 9_001], *pixels[50, 60])
del pixels
if path.suffix != ".png":  # a PNG's preview is made from the whole image, read above
    small = read_preview(path, 600)
    assert small.shape == (600, 600, 3)
    assert small[350, 450].tolist() == [255, 255, 255]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write(path: Path) -> None:
    """A dark image with one bright square, which packs small and fast."""
    if path.suffix == ".tif":
        values = np.zeros((SIDE, SIDE), np.uint16)
        values[6_000:9_000, 8_000:10_000] = 40_000
        tifffile.imwrite(
            path, values, tile=(512, 512), compression="zlib", compressionargs={"level": 1}
        )
        return
    values = np.zeros((SIDE, SIDE, 4 if path.stem == "alpha" else 3), np.uint8)
    values[6_000:9_000, 8_000:10_000] = 255
    fast = (cv2.IMWRITE_PNG_COMPRESSION, 1) if path.suffix == ".png" else ()
    assert cv2.imwrite(str(path), values, fast)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
@pytest.mark.parametrize("name", ["a.jpg", "alpha.png", "deep.tif"])
def test_a_very_large_image_fits(tmp_path, name):
    write(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    shown, peak_mb = done.stdout.splitlines()
    assert shown == "255 255 255 0 0 0"
    assert int(peak_mb) < 3000
