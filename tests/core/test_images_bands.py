"""Which bands of an image are shown, and what is said about it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from seginst_core.images import read_picture, read_preview

from .tiff_samples import bands


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_any_three_bands_in_any_order(tmp_path: Path, planar: str) -> None:
    values = bands(6)
    path = tmp_path / "a.tif"
    stored = values if planar == "contig" else values.transpose(2, 0, 1)
    tifffile.imwrite(path, stored, photometric="minisblack", planarconfig=planar)
    picture = read_picture(path, bands=(4, 0, 3))
    assert np.array_equal(picture.pixels, values[:, :, [4, 0, 3]])
    assert picture.notes == ("bands 5, 1, 4 of 6 shown",)
    assert picture.n_bands == 6


def test_one_band_alone_is_gray(tmp_path: Path) -> None:
    values = bands(5)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="minisblack", planarconfig="contig")
    picture = read_picture(path, bands=(3, 3, 3))
    assert np.array_equal(picture.pixels, np.repeat(values[:, :, 3:4], 3, axis=2))
    assert picture.notes == ("band 4 of 5 shown",)


def test_deep_bands_are_stretched_by_what_is_shown(tmp_path: Path) -> None:
    values = bands(4, np.uint16)
    values[:, :, 3] = values[:, :, 3] * 50 + 7
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="minisblack", planarconfig="contig")
    alone = tmp_path / "b.tif"
    tifffile.imwrite(alone, values[:, :, 3], photometric="minisblack")
    chosen = read_picture(path, bands=(3, 3, 3))
    assert np.array_equal(chosen.pixels, read_picture(alone).pixels)


@pytest.mark.parametrize("asked", [(0, 1, 7), (-1, 0, 1)])
def test_bands_that_are_not_there_change_nothing(tmp_path: Path, asked) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, bands(4), photometric="minisblack", planarconfig="contig")
    usual = read_picture(path)
    picture = read_picture(path, bands=asked)
    assert np.array_equal(picture.pixels, usual.pixels)
    assert picture.notes == usual.notes


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_the_colours_of_other_formats_can_be_chosen_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), np.full((40, 60, 3), (30, 90, 200), np.uint8))
    usual = read_picture(path).pixels
    blue = read_picture(path, bands=(2, 2, 2))
    assert blue.n_bands == 3
    assert np.array_equal(blue.pixels, np.repeat(usual[:, :, 2:], 3, axis=2))
    swapped = read_preview(path, 30, bands=(2, 1, 0))
    assert np.allclose(swapped[0, 0], usual[0, 0][::-1], atol=3)


def test_transparency_is_no_band(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((10, 10, 4), (1, 2, 3, 255), np.uint8))
    assert read_picture(path).n_bands == 3
    assert read_picture(path, bands=(3, 3, 3)).notes == ()
