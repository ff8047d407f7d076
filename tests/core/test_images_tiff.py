"""TIFF in all its kinds: bands, sample types, layouts, compressions and damage."""

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile

from seginst_core.errors import ImageError
from seginst_core.images import read_image, read_picture, read_preview, read_size

from .tiff_samples import HEIGHT, WIDTH, bands, packed_tiff, with_tag

STRETCHED = "values shown from the 0.5th to the 99.5th percentile"


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("n_bands", [3, 5, 8])
def test_many_bands_show_the_first_three_and_say_so(tmp_path, planar, compression, n_bands):
    values = bands(n_bands)
    path = tmp_path / "a.tif"
    stored = values if planar == "contig" else values.transpose(2, 0, 1)
    tifffile.imwrite(
        path, stored, photometric="minisblack", planarconfig=planar, compression=compression
    )
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, values[:, :, :3])
    expected = () if n_bands == 3 else (f"first three of {n_bands} bands shown",)
    assert picture.notes == expected
    assert picture.pixels.flags.writeable
    assert read_size(path) == (WIDTH, HEIGHT)


def test_two_bands_show_the_first(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, bands(2), photometric="minisblack", planarconfig="contig")
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, np.repeat(bands(2)[:, :, :1], 3, axis=2))
    assert picture.notes == ("first band of 2 bands shown",)


@pytest.mark.parametrize("extra", ["unassalpha", "unspecified"])
def test_a_fourth_band_is_alpha_only_if_the_file_says_so(tmp_path, extra):
    values = bands(4)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="rgb", extrasamples=[extra])
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, values[:, :, :3])
    assert picture.notes == (
        "transparency ignored: hidden pixels are shown"
        if extra == "unassalpha"
        else "first three of 4 bands shown",
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "note"),
    [
        (np.uint16, "16-bit"),
        (np.int16, "16-bit"),
        (np.uint32, "32-bit"),
        (np.float32, "float"),
        (np.float64, "float"),
    ],
)
@pytest.mark.parametrize("n_bands", [1, 4])
def test_deep_values_are_stretched_once_for_all_bands(tmp_path, order, dtype, note, n_bands):
    values = bands(n_bands, dtype) * 100 + np.arange(n_bands).astype(dtype) * 1000
    if n_bands == 1:
        values = values[:, :, 0]
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        values,
        photometric="minisblack",
        planarconfig="contig" if n_bands > 1 else None,
        byteorder=order,
    )
    picture = read_picture(path)
    assert picture.notes[-1] == f"{note} {STRETCHED}"
    shown = np.atleast_3d(values)[:, :, :3].astype(float)
    low, high = np.percentile(shown, (0.5, 99.5))
    expected = np.clip((shown - low) / (high - low) * 255, 0, 255)
    assert np.abs(picture.pixels - expected).max() <= 0.51


def test_holes_in_float_images_are_black_and_do_not_count(tmp_path):
    values = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    values[:9] = np.nan
    values[9, :5] = np.inf
    values[10:14] = -9999
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, extratags=[(42113, "s", 0, "-9999", True)])
    shown = read_image(path)[:, :, 0]
    assert not shown[:9].any()
    assert not shown[9, :5].any()
    assert not shown[10:14].any()
    assert 0 < shown[14, 0] < 30
    assert abs(int(shown[45, 0]) - 255 * (45 / 70 - 0.14) / 0.86) < 12
    assert shown[-1, -1] == 255
    tifffile.imwrite(path, np.full((5, 5), np.nan, np.float32))
    assert not read_image(path).any()


@pytest.mark.parametrize(
    ("fill", "dtype"),
    [
        (-9999, np.float32),
        (-9999, np.int16),
        (-32768, np.int16),
        (np.finfo(np.float32).min, np.float32),
        (np.finfo(np.float32).max, np.float64),
    ],
)
def test_customary_fill_values_count_as_no_data_where_no_tag_says_so(tmp_path, fill, dtype):
    values = np.linspace(0, 1000, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(dtype)
    values[:10] = fill
    if np.dtype(dtype).kind == "f":
        values[0, 0], values[0, 1] = np.nan, np.inf
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values)
    picture = read_picture(path)
    assert not picture.pixels[:10].any()
    assert picture.pixels[10, 0, 0] < 5
    assert picture.pixels[-1, -1, 0] == 255
    assert picture.notes[0].endswith("taken for no data")


def test_what_the_tag_says_goes_before_custom(tmp_path):
    values = np.full((HEIGHT, WIDTH), 100, np.float32)
    values[:10], values[10:20] = -9999, -1
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, extratags=[(42113, "s", 0, "-1", True)])
    picture = read_picture(path)
    assert picture.notes == (f"float {STRETCHED}",)
    assert picture.pixels[-1, -1, 0] == 255


@pytest.mark.parametrize(("lowest", "dtype"), [(-20000, np.int16), (-9998.5, np.float32)])
def test_a_value_amid_the_others_or_none_of_the_customary_ones_is_data(tmp_path, lowest, dtype):
    values = np.linspace(lowest, 20000, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(dtype)
    values[40] = -9999 if lowest < -9999 else lowest
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values)
    picture = read_picture(path)
    assert picture.notes == (f"{'16-bit' if dtype is np.int16 else 'float'} {STRETCHED}",)
    assert picture.pixels[40, 0, 0] == (63 if lowest < -9999 else 0)


def test_a_nearly_constant_image_keeps_what_differs(tmp_path):
    values = np.full((HEIGHT, WIDTH), 300, np.uint16)
    values[3, 4] = 301
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values)
    shown = read_image(path)
    assert shown[3, 4].tolist() == [255, 255, 255]
    assert shown.sum() == 3 * 255


def test_white_is_zero_bilevel_and_palette(tmp_path):
    gray = bands(1)[:, :, 0]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, gray, photometric="miniswhite")
    assert np.array_equal(read_image(path)[:, :, 1], 255 - gray)
    tifffile.imwrite(path, gray > 100, photometric="minisblack")
    assert np.array_equal(read_image(path)[:, :, 1], np.where(gray > 100, 255, 0))
    colours = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16)
    tifffile.imwrite(path, gray, photometric="palette", colormap=colours * 257)
    assert np.array_equal(read_image(path), colours.T.astype(np.uint8)[gray])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [1, 5])
def test_orientation_is_applied_once_whoever_decodes(tmp_path, orientation, compression):
    values = bands(3)
    path = tmp_path / "a.tif"
    done, data = cv2.imencode(
        ".tif", values[:, :, ::-1], (cv2.IMWRITE_TIFF_COMPRESSION, compression)
    )
    assert done
    plain = data.tobytes()
    path.write_bytes(with_tag(plain, 274, orientation))
    picture = read_image(path)
    expected = {
        1: values,
        2: values[:, ::-1],
        3: values[::-1, ::-1],
        4: values[::-1],
        5: values.transpose(1, 0, 2),
        6: np.rot90(values, -1),
        7: values[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(values),
    }[orientation]
    assert np.array_equal(picture, expected)
    assert read_size(path) == expected.shape[1::-1]
    assert read_preview(path, 30).shape[:2] == tuple(
        round(side * 30 / WIDTH) for side in expected.shape[:2]
    )


@pytest.mark.parametrize("compression", [5, 8])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [(np.uint8, 1), (np.uint8, 2), (np.uint16, 2), (np.float32, 1), (np.float32, 3)],
)
def test_lzw_and_deflate_of_many_bands(
    tmp_path, compression, planar, tiled, order, dtype, predictor
):
    values = bands(6, dtype)
    path = tmp_path / "a.tif"
    path.write_bytes(
        packed_tiff(
            values,
            compression=compression,
            predictor=predictor,
            planar=planar,
            tiled=tiled,
            order=order,
        )
    )
    picture = read_picture(path)
    assert picture.notes[0] == "first three of 6 bands shown"
    if dtype == np.uint8:
        assert np.array_equal(picture.pixels, values[:, :, :3])
        return
    shown = values[:, :, :3].astype(float)
    low, high = np.percentile(shown, (0.5, 99.5))
    expected = np.clip((shown - low) / (high - low) * 255, 0, 255)
    assert np.abs(picture.pixels - expected).max() <= 0.51


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_lzw_as_libtiff_writes_it(tmp_path, dtype):
    values = bands(3, dtype)
    path = tmp_path / "a.tif"
    options = (cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, 2)
    done, data = cv2.imencode(".tif", values[:, :, ::-1], options if dtype != np.float32 else ())
    assert done
    path.write_bytes(data.tobytes())
    pixels = read_image(path)
    if dtype == np.uint8:
        assert np.array_equal(pixels, values)
    else:
        assert np.corrcoef(pixels.ravel(), values.ravel())[0, 1] > 0.999


def test_jpeg_in_tiff_comes_out_in_rgb(tmp_path):
    y, x = np.mgrid[0:64, 0:96]
    values = np.stack([x * 2, y * 3, np.full_like(x, 30)], axis=2).astype(np.uint8)
    path = tmp_path / "a.tif"
    options = (cv2.IMWRITE_TIFF_COMPRESSION, 7, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 64)
    done, data = cv2.imencode(".tif", values[:, :, ::-1], options)
    assert done
    path.write_bytes(data.tobytes())
    picture = read_picture(path)
    assert np.abs(picture.pixels.astype(int) - values).mean() < 6
    assert picture.notes == ()


def test_the_first_page_is_shown_and_overviews_are_not_pages(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([bands(1)[:, :, 0]] * 4), photometric="minisblack")
    assert read_picture(path).notes == ("first of 4 pages shown",)
    with tifffile.TiffWriter(path) as writer:
        writer.write(bands(3), photometric="rgb")
        writer.write(bands(3)[::2, ::2], photometric="rgb", subfiletype=1)
    picture = read_picture(path)
    assert picture.notes == ()
    assert np.array_equal(picture.pixels, bands(3))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_cut_short_is_an_error_that_names_it(tmp_path, compression):
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, bands(3), photometric="rgb", compression=compression)
    data = path.read_bytes()
    for kept in (0.02, 0.3, 0.7, 0.99):
        path.write_bytes(data[: max(9, int(len(data) * kept))])
        with pytest.raises(ImageError, match=r"^cut\.tif is (cut short|damaged).*\.$"):
            read_image(path)


def test_damaged_data_is_one_sentence(tmp_path):
    path = tmp_path / "a.tif"
    chance = np.random.default_rng(0)
    plain = packed_tiff(
        bands(5, np.uint16), compression=5, predictor=2, planar=1, tiled=True, order="<"
    )
    sentences = []
    for k in range(300):
        data = np.frombuffer(plain, np.uint8).copy()
        low = len(data) - 400 if k % 2 else 0  # the directory is at the end
        data[chance.integers(low, len(data), 4)] = chance.integers(0, 256, 4)
        path.write_bytes(data.tobytes())
        try:
            read_image(path, max_pixels=4_000_000)
        except ImageError as error:
            sentences.append(str(error))
    assert sentences
    assert all(text.startswith("a.tif ") and "\n" not in text for text in sentences)


@pytest.mark.parametrize("tag", [256, 257, 258, 259, 262, 274, 277])
@pytest.mark.parametrize(("kind", "count"), [(2, 4), (1, 2), (3, 2), (5, 1), (12, 1), (7, 3)])
def test_a_tag_of_the_wrong_kind_is_one_sentence_or_does_not_matter(tmp_path, tag, kind, count):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, bands(3), photometric="rgb")
    data = bytearray(path.read_bytes())
    at = with_tag(bytes(data), tag, 0).find(struct.pack("<HHI", tag, 3, 1))
    data = bytearray(with_tag(bytes(data), tag, 1))
    data[at : at + 8] = struct.pack("<HHI", tag, kind, count)
    path.write_bytes(data)
    for read in (read_size, read_image):
        try:
            read(path)
        except ImageError as error:
            text = str(error)
            assert text.startswith("a.tif ")
            assert text.endswith(".")


def test_a_tile_that_claims_more_than_its_data_can_tell_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    plain = packed_tiff(bands(3), compression=8, predictor=2, planar=1, tiled=True, order="<")
    with tifffile.TiffFile(io.BytesIO(plain)) as tiff:
        length = tiff.pages.first.tags[323].valueoffset
    data = bytearray(plain)
    data[length : length + 4] = struct.pack("<I", 1 << 26)
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"^a\.tif cannot be decoded: it is damaged.*\.$"):
        read_image(path)


def test_complex_numbers_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((9, 9), np.complex64))
    with pytest.raises(ImageError, match=r"^a\.tif holds complex numbers"):
        read_image(path)


def test_the_preview_of_a_deep_tiff_looks_like_the_image(tmp_path):
    y, x = np.mgrid[0:600, 0:900]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, (x * 40 + y * 10).astype(np.uint16))
    preview = read_preview(path, 90).astype(int)
    assert preview.shape == (60, 90, 3)
    assert np.abs(preview - read_image(path)[5::10, 5::10]).max() <= 6
