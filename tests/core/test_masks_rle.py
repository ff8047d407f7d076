"""Run lengths: the same text as pycocotools writes, everything it writes read, no damage let in."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pycocotools import mask as coco_mask

from seginst_core.errors import FormatError
from seginst_core.masks.geometry import trim
from seginst_core.masks.rle import MAX_PIXELS, _to_text, decode, decode_many, encode, pack, unpack
from seginst_core.types import Mask


@st.composite
def masks_in_images(draw):
    """A crop somewhere in an image (often at its borders), and the image's width and height."""
    bits = draw(npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=8)))
    left, right, top, bottom = (draw(st.sampled_from([0, 0, 1, 2, 40])) for _ in range(4))
    return Mask(left, top, bits), left + bits.shape[1] + right, top + bits.shape[0] + bottom


def whole(mask: Mask | None, width: int, height: int) -> np.ndarray:
    array = np.zeros((height, width), np.uint8)
    if mask is not None:
        array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


def reference(array: np.ndarray) -> dict[str, object]:
    rle = coco_mask.encode(np.asfortranarray(array))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}


def uncompressed(array: np.ndarray) -> list[int]:
    """Run lengths by the letter of the format: column by column, background first."""
    counts, value, length = [], 0, 0
    for pixel in array.ravel(order="F"):
        if pixel != value:
            counts.append(length)
            value, length = pixel, 0
        length += 1
    return [*counts, length]


@given(masks_in_images())
@settings(max_examples=300)
def test_the_text_is_that_of_pycocotools(placed):
    mask, width, height = placed
    assert encode(mask, width, height) == reference(whole(mask, width, height))


@given(masks_in_images())
@settings(max_examples=300)
def test_every_spelling_of_a_mask_is_read_exactly(placed):
    mask, width, height = placed
    array = whole(mask, width, height)
    text = reference(array)["counts"]
    for counts in (text, text.encode("ascii"), uncompressed(array)):
        for size in ([height, width], (height, width)):
            read = decode({"size": size, "counts": counts})
            assert np.array_equal(whole(read, width, height), array)
            if not array.any():
                assert read is None
                continue
            assert read.bits.flags.c_contiguous
            for edge in (read.bits[0], read.bits[-1], read.bits[:, 0], read.bits[:, -1]):
                assert edge.any()


@pytest.mark.parametrize("fill", ["empty", "full", "one", "stripes", "noise"])
def test_large_masks_go_there_and_back(fill):
    height, width = 700, 900
    bits = {
        "empty": np.zeros((height, width), np.bool_),
        "full": np.ones((height, width), np.bool_),
        "one": np.eye(height, width, dtype=np.bool_) & (np.arange(width) == 650),
        "stripes": np.arange(width)[None] % 2 + np.zeros((height, 1)) > 0,
        "noise": np.random.default_rng(0).random((height, width)) > 0.5,
    }[fill]
    rle = encode(Mask(0, 0, bits), width, height)
    assert rle == reference(bits.astype(np.uint8))
    assert np.array_equal(whole(decode(rle), width, height), bits)


def test_no_mask_is_an_empty_rle():
    assert encode(None, 5, 4) == {"size": [4, 5], "counts": "d0"} == reference(np.zeros((4, 5)) > 0)


@pytest.mark.parametrize(("x0", "y0"), [(-1, 0), (0, -1), (4, 0), (0, 3)])
def test_a_mask_outside_its_image_is_refused(x0, y0):
    with pytest.raises(ValueError, match="outside"):
        encode(Mask(x0, y0, np.ones((2, 2), np.bool_)), 5, 4)


def test_runs_that_wrap_and_runs_of_nothing_are_read():
    wrapped = decode({"size": [4, 3], "counts": [2, 4, 6]})
    assert np.array_equal(whole(wrapped, 3, 4), np.array([[0, 1, 0]] * 2 + [[1, 0, 0]] * 2))
    split = decode({"size": [4, 1], "counts": [1, 1, 0, 1, 1]})
    assert split == Mask(0, 1, np.ones((2, 1), np.bool_))
    assert decode({"size": [0, 0], "counts": []}) is None


@pytest.mark.parametrize(
    "segmentation",
    [
        {},
        {"size": [4, 5]},
        {"counts": "d0"},
        {"size": "45", "counts": "d0"},
        {"size": [4], "counts": "d0"},
        {"size": [4.0, 5.0], "counts": "d0"},
        {"size": [-4, -5], "counts": "d0"},
        {"size": [1 << 40, 1 << 40], "counts": "d0"},
        {"size": [MAX_PIXELS + 1, 1], "counts": [MAX_PIXELS + 1]},
        {"size": [4, 5], "counts": None},
        {"size": [4, 5], "counts": ""},
        {"size": [4, 5], "counts": "d"},
        {"size": [4, 5], "counts": "d0d0"},
        {"size": [4, 5], "counts": "d\u4e00"},
        {"size": [4, 5], "counts": "\x00\x01"},
        {"size": [4, 5], "counts": "\x7f\x7f"},
        {"size": [4, 5], "counts": "ooooooooooooooooo0"},
        {"size": [4, 5], "counts": b"\xff\xfe"},
        {"size": [4, 5], "counts": []},
        {"size": [4, 5], "counts": [19]},
        {"size": [4, 5], "counts": [21]},
        {"size": [4, 5], "counts": [30, -10]},
        {"size": [4, 5], "counts": [1 << 70]},
        {"size": [4, 5], "counts": [10.0, 10.0]},
        {"size": [4, 5], "counts": ["20"]},
        {"size": [4, 5], "counts": [[20]]},
    ],
)
def test_damaged_run_lengths_are_one_sentence(segmentation):
    with pytest.raises(FormatError, match=r"^an RLE"):
        decode(segmentation)


def alone(rle: dict[str, object]) -> Mask | str | None:
    try:
        return decode(rle)
    except FormatError as error:
        return str(error)


ODD_RLES = st.one_of(
    st.sampled_from([[4, 5], [0, 0], [6, 7], [7, 6], [1 << 40, 1 << 20]]).flatmap(
        lambda size: st.builds(
            lambda counts: {"size": size, "counts": counts},
            st.text(st.characters(min_codepoint=46, max_codepoint=112), max_size=9),
        )
    ),
    # Runs of nothing, and runs that the text spells in order but that do not fill the image.
    st.lists(st.integers(0, 9), min_size=1, max_size=9).flatmap(
        lambda runs: st.sampled_from([0, 0, 1]).map(
            lambda extra: {
                "size": [sum(runs) + extra, 1],
                "counts": _to_text(np.array(runs, np.int64)),
            }
        )
    ),
)
GOOD_RLES = masks_in_images().map(lambda placed: encode(*placed))


@given(st.lists(st.one_of(GOOD_RLES, GOOD_RLES, ODD_RLES), max_size=12))
@settings(max_examples=400)
def test_many_at_once_are_the_same_as_one_by_one(rles):
    found = decode_many(rles)
    assert [str(m) if isinstance(m, FormatError) else m for m in found] == list(map(alone, rles))
    for mask in found:
        assert not isinstance(mask, Mask) or mask.bits.flags.c_contiguous


def test_many_large_and_small_masks_keep_their_order():
    chance = np.random.default_rng(0)
    rles, masks = [], []
    for k in range(1300):
        side = 300 if k % 100 == 7 else int(chance.integers(1, 12))
        bits = chance.random((side, side)) > (0.5 if k % 3 else 0)
        mask = trim(bits, *chance.integers(0, 50, 2).tolist())
        masks.append(mask)
        rles.append(encode(mask, 400, 360))
    assert decode_many(rles) == masks
    assert decode_many([]) == []


@given(st.text(st.characters(min_codepoint=40, max_codepoint=115), max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        mask = decode({"size": [6, 7], "counts": text})
    except FormatError:
        return
    assert mask is None or (mask.x0 >= 0 and mask.x1 <= 7 and mask.y0 >= 0 and mask.y1 <= 6)


@given(masks_in_images(), st.integers(-(1 << 31), (1 << 31) - 9))
def test_packing_is_exact_wherever_the_mask_lies(placed, offset):
    mask = Mask(offset, -offset - 1, placed[0].bits)
    assert unpack(pack(mask)) == mask


@given(masks_in_images(), st.data())
def test_a_damaged_pack_is_an_error_or_a_mask(placed, data):
    packed = bytearray(pack(placed[0]))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with suppress(FormatError):
        assert unpack(bytes(packed)).bits.ndim == 2
    with pytest.raises(FormatError, match=r"^a stored mask is damaged$"):
        unpack(bytes(packed[:at]))
