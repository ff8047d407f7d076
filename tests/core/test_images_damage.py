"""Whatever is wrong with an image file, one sentence names the file and the fault."""

import struct

import cv2
import numpy as np
import pytest

from seginst_core.errors import ImageError
from seginst_core.images import list_images, read_image, read_preview, read_size

from .image_samples import encode, exif, jpeg_with, png_with, save, scene, webp_with


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_a_file_cut_short_is_an_error_that_names_it(tmp_path, suffix, kept):
    path = save(tmp_path, f"cut{suffix}", scene(150, 200))
    data = path.read_bytes()
    path.write_bytes(data[: max(14, int(len(data) * kept))])
    with pytest.raises(ImageError, match=rf"^cut\{suffix} is (cut short|damaged): .*\.$"):
        read_image(path)


def test_jpegs_cut_at_any_byte_are_found_and_odd_endings_are_fine(tmp_path):
    path = tmp_path / "a.jpg"
    for options in ((), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)):
        # The thumbnail in the EXIF block has an end marker of its own.
        data = jpeg_with(encode(".jpg", scene(), *options), exif(1) + encode(".jpg", scene(8, 8)))
        for n_bytes in [*range(20, len(data) - 1, 151), len(data) - 2, len(data) - 1]:
            path.write_bytes(data[:n_bytes])
            with pytest.raises(ImageError, match=r"^a\.jpg is "):
                read_image(path)
            path.write_bytes(data[:n_bytes] + bytes(5000))
            with pytest.raises(ImageError, match=r"^a\.jpg is "):
                read_image(path)
        for trailer in (bytes(9000), b"a camera's own data" * 999):
            path.write_bytes(data + trailer)
            assert read_image(path).shape == (90, 140, 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"{}", "is not a JPEG, PNG, BMP, WebP or TIFF image"),
        (b"\xff\xd8\xff", "is"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "is damaged"),
        (b"BM" + bytes(60), "is damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd", "is"),
        (b"II*\0" + b"\xff" * 40, "is damaged"),
        (b"MM\0*\0\0\0\x08\0\0", "is damaged"),
    ],
)
def test_what_is_no_image_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "strange.png"
    path.write_bytes(content)
    for read in (read_size, read_image, lambda p: read_preview(p, 100)):
        with pytest.raises(ImageError, match=rf"^strange\.png {words}.*\.$") as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["notes.jpg", "notes.png", "notes.tif"])
def test_a_text_with_the_name_of_an_image_is_one_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_text("Dear diary, today I renamed a file.\n" * 50)
    for read in (read_size, read_image):
        with pytest.raises(
            ImageError, match=rf"^{name} is not a JPEG, PNG, BMP, WebP or TIFF image\.$"
        ):
            read(path)


def test_missing_files_and_folders_are_one_sentence(tmp_path):
    with pytest.raises(ImageError, match=r"^none\.png does not exist in .*\.$"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match=r" cannot be opened: Is a directory\.$"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="does not exist"):
        list_images(tmp_path / "none")


def test_damage_anywhere_raises_nothing_else(tmp_path):
    path = tmp_path / "a"
    chance = np.random.default_rng(0)
    deep = scene().astype(np.uint16) * 200
    files = [
        jpeg_with(encode(".jpg", scene()), exif(6)),
        png_with(encode(".png", deep), exif(6), at_end=False),
        webp_with(encode(".webp", scene()), exif(6), 140, 90),
        encode(".bmp", scene()),
        encode(".bmp", np.dstack([scene(), scene()[:, :, 0]])),
        encode(".tif", scene()),
    ]
    sentences = []
    for plain in files:
        data = np.frombuffer(plain, np.uint8)
        for k in range(150):
            broken = data.copy()
            # Two in three times in the headers, which are small and tell most.
            n_near = min(300, len(data))
            low, high = [(0, len(data)), (0, n_near), (len(data) - n_near, len(data))][k % 3]
            at = chance.integers(low, high, 4)
            broken[at] = chance.choice([0, 1, 127, 128, 255, chance.integers(256)], 4)
            path.write_bytes(broken.tobytes())
            for read in (read_size, read_image, read_preview):
                try:
                    read(path, **LIMITS[read])
                except ImageError as error:
                    sentences.append(str(error))
    assert len(sentences) > 100
    assert all(t.startswith("a ") and t.endswith(".") and "\n" not in t for t in sentences)


LIMITS: dict[object, dict[str, int]] = {
    read_size: {},
    read_image: {"max_pixels": 4_000_000},
    read_preview: {"max_side_px": 60, "max_pixels": 4_000_000},
}


def test_the_pixel_limit_is_checked_before_decoding(tmp_path, monkeypatch):
    path = save(tmp_path, "a.png", scene())
    for read in (read_image, lambda p, **k: read_preview(p, 50, **k)):
        with pytest.raises(
            ImageError, match=r"^a\.png has 140 × 90 pixels, .* limit of 12,599 pixels\.$"
        ):
            read(path, max_pixels=12_599)
    assert read_image(path, max_pixels=12_600).shape == (90, 140, 3)
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "5000")
    with pytest.raises(ImageError, match="limit of 5,000 pixels"):
        read_image(path)


def test_a_header_that_promises_gigabytes_is_refused(tmp_path):
    path = save(tmp_path, "bomb.png", scene())
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="60,000 × 60,000"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_image_without_room_in_memory_is_not_called_damaged(tmp_path, monkeypatch, suffix):
    path = save(tmp_path, f"a{suffix}", scene())

    def no_room(*_given):
        raise cv2.error("(-4:Insufficient memory) Failed to allocate 1200000000 bytes")

    monkeypatch.setattr(cv2, "imdecode", no_room)
    with pytest.raises(ImageError, match=f"a{suffix} does not fit into memory"):
        read_image(path)
