"""Image files come out upright, in 8-bit RGB, with a word on what was changed."""

import struct
import threading
import zlib

import cv2
import numpy as np
import pytest

from seginst_core.images import (
    halve,
    list_images,
    read_image,
    read_picture,
    read_preview,
    read_size,
)

from .image_samples import (
    encode,
    exif,
    jpeg_with,
    png_chunk,
    png_with,
    save,
    scene,
    turned,
    webp_with,
)

LOSSLESS = [(".png", ()), (".bmp", ()), (".webp", (cv2.IMWRITE_WEBP_QUALITY, 101)), (".tif", ())]


@pytest.mark.parametrize(("suffix", "options"), LOSSLESS)
def test_lossless_formats_give_the_exact_colours(tmp_path, suffix, options):
    image = scene()
    path = save(tmp_path, f"a{suffix}", image, *options)
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, image)
    assert picture.notes == ()
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    assert read_size(path) == (140, 90)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_give_nearly_the_colours_in_rgb_order(tmp_path, suffix):
    path = save(tmp_path, f"a{suffix}", scene())
    assert np.abs(read_image(path).astype(int) - scene()).mean() < 4
    assert read_size(path) == (140, 90)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif"])
def test_gray_becomes_three_equal_bands(tmp_path, suffix):
    gray = scene()[:, :, 0]
    pixels = read_image(save(tmp_path, f"a{suffix}", gray))
    assert pixels.shape == (90, 140, 3)
    assert (pixels == pixels[:, :, :1]).all()
    assert np.abs(pixels[:, :, 0].astype(int) - gray).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp"])
def test_alpha_is_dropped_and_stated_only_where_it_hides_pixels(tmp_path, suffix):
    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if suffix == ".webp" else ()
    image = np.dstack([scene(), np.full((90, 140), 255, np.uint8)])
    full = read_picture(save(tmp_path, f"a{suffix}", image, *options))
    assert np.array_equal(full.pixels, scene())
    assert full.notes == ()
    image[5:50, 5:50, 3] = 100
    half = read_picture(save(tmp_path, f"b{suffix}", image, *options))
    assert np.array_equal(half.pixels, scene())
    assert half.notes == ("transparency ignored: hidden pixels are shown",)


def test_bmp_whose_fourth_byte_is_unused_is_not_transparent(tmp_path):
    image = np.dstack([scene(), np.zeros((90, 140), np.uint8)])
    picture = read_picture(save(tmp_path, "a.bmp", image))
    assert np.array_equal(picture.pixels, scene())
    assert picture.notes == ()


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_16_bit_png_is_stretched_and_says_so(tmp_path, bands):
    values = np.linspace(1000, 5000, 90 * 140).reshape(90, 140).astype(np.uint16)
    values[0, 0] = 65535  # one hot pixel must not darken the rest
    image = values if bands == 1 else np.dstack([values] * 3)
    if bands == 4:
        image = np.dstack([image, np.full_like(values, 65535)])
    picture = read_picture(save(tmp_path, "a.png", image))
    assert picture.notes == ("16-bit values shown from the 0.5th to the 99.5th percentile",)
    shown = picture.pixels[:, :, 0].astype(int)
    assert shown[0, 0] == 255
    assert shown[0, 1] == 0
    assert shown[-1, -1] == 255
    expected = (values.astype(float) - 1020) / 3960 * 255
    assert np.abs(shown - expected.clip(0, 255))[1:].max() <= 1.5
    assert np.array_equal(picture.pixels[:, :, 0], picture.pixels[:, :, 2])


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_png_shows_its_colours(tmp_path, bits):
    colours = [(10, 200, 30), (250, 0, 90)]
    width, height = 16, 3
    indices = np.arange(width) % 2
    packed = np.packbits(
        np.unpackbits(indices.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :].ravel()
    )
    rows = b"".join(b"\0" + packed.tobytes() for _ in range(height))
    data = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 3, 0, 0, 0))
        + png_chunk(b"PLTE", bytes(sum(colours, ())))
        + png_chunk(b"tRNS", b"\xff\x00")
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )
    path = tmp_path / "a.png"
    path.write_bytes(data)
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, np.tile(np.array(colours, np.uint8), (3, 8, 1)))
    assert picture.notes == ("transparency ignored: hidden pixels are shown",)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation_is_applied_and_sizes_agree(tmp_path, orientation, order):
    block = exif(orientation, order)
    lossless = encode(".webp", scene(), cv2.IMWRITE_WEBP_QUALITY, 101)
    files = {
        "a.jpg": jpeg_with(encode(".jpg", scene(), cv2.IMWRITE_JPEG_QUALITY, 100), block),
        "a.png": png_with(encode(".png", scene()), block, at_end=False),
        "b.png": png_with(encode(".png", scene()), block, at_end=True),
        "a.webp": webp_with(lossless, block, 140, 90),
        "deep.png": png_with(encode(".png", scene().astype(np.uint16) * 257), block, at_end=False),
    }
    expected = turned(scene(), orientation).astype(int)
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        pixels = read_image(path)
        assert pixels.shape == expected.shape, name
        assert np.abs(pixels - expected).mean() < 6, name
        assert read_size(path) == (pixels.shape[1], pixels.shape[0]), name
        preview = read_preview(path, 70)
        assert max(preview.shape) == 70, name
        small = cv2.resize(
            np.ascontiguousarray(expected.astype(np.uint8)), preview.shape[1::-1], None, 0, 0, 3
        )
        assert np.abs(preview.astype(int) - small).mean() < 8, name


def test_a_damaged_exif_block_means_upright(tmp_path):
    path = tmp_path / "a.jpg"
    for block in (exif(9), exif(6)[:13], b"", b"II*\0\xff\xff\xff\xff"):
        path.write_bytes(jpeg_with(encode(".jpg", scene()), block))
        assert read_image(path).shape == (90, 140, 3)
        assert read_size(path) == (140, 90)


def test_names_in_any_language_and_wrong_suffixes_are_read(tmp_path):
    folder = tmp_path / "žlutý kůň 画像"
    folder.mkdir()
    path = save(folder, "самолёт ✈ 1.png", scene())
    assert np.array_equal(read_image(path), scene())
    path = path.rename(folder / "png in disguise.jpg")
    assert np.array_equal(read_image(path), scene())
    assert read_size(path) == (140, 90)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
@pytest.mark.parametrize("max_side_px", [50, 100, 333, 1000, 5000])
def test_previews_keep_the_aspect_and_are_never_enlarged(tmp_path, suffix, max_side_px):
    image = scene(600, 1000)
    preview = read_preview(save(tmp_path, f"a{suffix}", image), max_side_px)
    wide = min(1000, max_side_px)
    assert preview.shape == (round(0.6 * wide), wide, 3)
    expected = cv2.resize(image, (wide, preview.shape[0]), interpolation=cv2.INTER_AREA)
    assert np.abs(preview.astype(int) - expected).mean() < 4


def test_halving_takes_the_mean_and_keeps_the_grid():
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    half = halve(image)
    assert half.shape == (4, 5, 3)
    for i in range(4):
        for j in range(5):
            block = image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(-1, 3)
            assert np.abs(half[i, j] - block.mean(axis=0)).max() <= 0.75
    assert halve(image[:1, :1]).tolist() == image[:1, :1].tolist()
    assert halve(image[:, :1]).shape == (4, 1, 3)
    assert halve(image[:1]).shape == (1, 5, 3)
    assert halve(scene(64, 64)).shape == (32, 32, 3)


def test_folders_are_listed_in_the_order_a_person_counts(tmp_path):
    names = ["b10.png", "b9.PNG", "a/x2.jpg", "a/x10.tiff", "a/X1.webp", "Ä.bmp", "z.jpeg"]
    hidden = [".seginst/t.png", ".hidden.jpg", "notes.txt", "a/.git/x.png", "tif"]
    for name in names + hidden:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    assert list_images(tmp_path) == [
        "a/X1.webp",
        "a/x2.jpg",
        "a/x10.tiff",
        "b9.PNG",
        "b10.png",
        "z.jpeg",
        "Ä.bmp",
    ]


def test_the_size_takes_no_decoding(tmp_path, monkeypatch):
    paths = [save(tmp_path, f"a{suffix}", scene()) for suffix in (".jpg", ".png", ".bmp", ".webp")]
    monkeypatch.setattr(cv2, "imdecode", None)
    assert {read_size(path) for path in paths} == {(140, 90)}
    with pytest.raises(TypeError):
        read_image(paths[0])


def test_decoding_lets_other_threads_run(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    path = save(tmp_path, "a.jpg", noise)
    plain, ticks, gained = cv2.imdecode, [0], []

    def counted(data: np.ndarray, flag: int) -> np.ndarray:
        before = ticks[0]
        values = plain(data, flag)
        gained.append(ticks[0] - before)
        return values

    def decode() -> None:
        for _ in range(6):
            read_image(path)

    monkeypatch.setattr(cv2, "imdecode", counted)
    worker = threading.Thread(target=decode)
    worker.start()
    while worker.is_alive():
        ticks[0] += 1
    assert len(gained) == 6
    assert min(gained) > 0


@pytest.mark.real_data
def test_real_images_are_read_as_listed(data):
    for name in ("vhr10-airplane", "dsb2018-nuclei"):
        found = [path for path in list_images(data / name) if "large" not in path]
        assert len(found) > 20
        for path in found[::9]:
            pixels = read_image(data / name / path)
            assert read_size(data / name / path) == pixels.shape[1::-1]
