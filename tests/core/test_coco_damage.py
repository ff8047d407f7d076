"""Whatever a file holds, reading it ends in a data set or in one sentence."""

import json
import random
import warnings
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS
from seginst_core.types import Dataset

WHOLE = {
    "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 10}],
    "categories": [{"id": 1, "name": "plane", "supercategory": "", "color": [1, 2, 3]}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 8, 1, 8, 5]],
         "bbox": [1, 1, 7, 4], "area": 14, "iscrowd": 0, "score": 0.5, "attributes": {"a": "b"}},
        {"id": 2, "image_id": 1, "category_id": 1, "iscrowd": 1,
         "segmentation": {"size": [10, 20], "counts": [5, 190, 5]}},
        {"id": 3, "image_id": 1, "category_id": 1,
         "segmentation": {"size": [10, 20], "counts": "5n55"}},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("coco") / "a.json"


def read(path: Path, content: str | bytes) -> Dataset | str:
    """The data set, or the sentence that says why there is none; all else is raised."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    try:
        with warnings.catch_warnings():
            # A warning from numpy would mean that a value slipped through unchecked.
            warnings.simplefilter("error", RuntimeWarning)
            dataset = FORMATS["coco"].read(path)
    except FormatError as error:
        return sentence(str(error))
    for note in dataset.notes:
        sentence(note)
    for annotation in dataset.annotations.values():
        assert annotation.instances
        for instance in annotation.instances:
            image = next(i for i in dataset.images if i.id == annotation.image_id)
            assert 0 <= instance.box.x0 < instance.box.x1 <= image.width
            assert 0 <= instance.box.y0 < instance.box.y1 <= image.height
    return dataset


def sentence(text: str) -> str:
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_the_whole_file_is_read_without_a_note(path):
    dataset = read(path, json.dumps(WHOLE))
    assert len(dataset.annotations[1].instances) == 3
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"\xff\xd8\xff\xe0 a picture", "is not JSON"),
        (b"\x80abc", "is not JSON"),
        (b"images: []", "is not JSON"),
        (b'{"images": [}', "is not JSON"),
        (b'{"images": ["\\ud800"]}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "is not JSON"),
        (b'{"images": ' + b"[" * 500 + b"]" * 500 + b"}", "is not JSON|a COCO file"),
        (b'{"images": [' + b"9" * 9000 + b"]}", "is not JSON"),
        (b"[]", "is not a COCO file: it has no list of images"),
        (b"{}", "is not a COCO file: it has no list of images"),
        (b"3", "is not a COCO file: it has no list of images"),
        (b"null", "is not a COCO file: it has no list of images"),
        (b"NaN", "is not a COCO file: it has no list of images"),
        (b'{"images": {}}', "is not a COCO file: it has no list of images"),
        (b'{"images": [], "annotations": {}}', "its annotations are not a list"),
        (b'{"images": [], "annotations": null}', "its annotations are not a list"),
        (b'{"images": [], "categories": 3}', "its categories are not a list"),
    ],
)
def test_what_is_no_coco_file_is_one_sentence(path, content, words):
    found = read(path, content)
    if words.endswith("a COCO file") and isinstance(found, Dataset):
        assert found.notes == ("Entries of the images that are not objects were skipped: 1.",)
    else:
        assert found.startswith("a.json ")
        assert any(part in found for part in words.split("|"))


def test_files_that_cannot_be_opened_are_one_sentence(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FormatError, match=r" cannot be read: .*\.$"):
            FORMATS["coco"].read(path)


def test_a_file_cut_anywhere_is_one_sentence(path):
    text = json.dumps(WHOLE)
    for n_chars in range(len(text)):
        assert "is not JSON" in read(path, text[:n_chars])


def test_what_python_and_windows_write_beyond_the_standard_is_read(path):
    text = json.dumps(WHOLE).replace('"area": 14', '"area": NaN').replace("0.5", "Infinity")
    dataset = read(path, text)
    assert dataset.notes == ()
    assert [i.score for i in dataset.annotations[1].instances] == [None] * 3
    for content in (text.encode("utf-8-sig"), text.encode("utf-16"), json.dumps(WHOLE, indent=1)):
        assert len(read(path, content).annotations[1].instances) == 3


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 60),
    st.sampled_from([2**31, 2**53, 2**63, 2**64, 10**30, -(2**40), 10**400]),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["1", "-1", "²", "1e3", "../a", "C:\\a", "5n55", "\ud800", "a\nb", "x" * 999]),
    st.lists(st.one_of(st.integers(-50, 300), st.floats(), st.none()), max_size=8),
    st.lists(st.lists(st.floats(-1e10, 1e10), max_size=8), max_size=3),
    st.fixed_dictionaries(
        {"size": st.sampled_from([[10, 20], [20, 10], [10], None, [2**40, 2**40]])},
        optional={
            "counts": st.one_of(
                st.text(max_size=8),
                st.lists(st.integers(-5, 2**34), max_size=5),
                st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=8),
            )
        },
    ),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def places(value: object, way: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The way to every value inside a JSON value."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [way] * bool(way) + [w for key in keys for w in places(value[key], (*way, key))]


@given(st.data())
@settings(max_examples=400)
def test_any_values_anywhere_are_a_data_set_or_a_sentence(path, data):
    root = json.loads(json.dumps(WHOLE))
    for _ in range(data.draw(st.integers(1, 4))):
        way = data.draw(st.sampled_from(places(root) or [("images",)]))
        holder = root
        for key in way[:-1]:
            holder = holder[key]
        if data.draw(st.booleans()) or isinstance(holder, list):
            # A copy: the next change may go inside it, and some of ODD's lists are drawn again.
            holder[way[-1]] = deepcopy(data.draw(ODD))
        else:
            holder.pop(way[-1], None)
    read(path, json.dumps(root))


@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_any_flipped_bytes_are_a_data_set_or_a_sentence(path, chance: random.Random, n_bytes):
    content = bytearray(json.dumps(WHOLE).encode("ascii"))
    for _ in range(n_bytes):
        content[chance.randrange(len(content))] = chance.choice(b'0123456789-.eE"[]{},: \xff\x00ad')
    read(path, bytes(content))


@given(st.recursive(ODD, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_a_data_set_or_a_sentence(path, value):
    read(path, json.dumps(value))
    read(path, json.dumps({"images": value, "annotations": [value], "categories": [value]}))
