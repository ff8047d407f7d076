"""What people get wrong, and what disks do: one sentence, exit code 1, and nothing is lost."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .shell import (
    SIDE_PX,
    World,
    contents,
    make_model,
    make_world,
    refusal,
    run_module,
    seginst,
    sentences,
)


def train_words(world: World, data: Path | None = None, images: Path | None = None) -> tuple:
    files = ("--data", data or world.coco, "--images", images or world.images)
    size = ("--preset", "tiny", "--iterations", 1, "--device", "cpu")
    return ("train", "--pipeline", "end-to-end", *files, *size)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("made") / "model")


@pytest.fixture
def world(tmp_path) -> World:
    return make_world(tmp_path / "world")


@pytest.fixture
def model(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "model"))


@pytest.fixture
def refused(tmp_path):
    """Run a command that has to fail and return its sentence; nothing may have changed."""

    def run(*words: object) -> str:
        before = contents(tmp_path)
        sentence = refusal(seginst(*words, cwd=tmp_path, env=dict(os.environ)))
        assert contents(tmp_path) == before
        return sentence

    return run


# Folders and images.


def test_a_missing_folder(world, model, refused, tmp_path):
    gone = tmp_path / "gone"
    out = ("--out", tmp_path / "p.json")
    assert f"There is no file or folder at {gone}." in refused(
        "predict", "--model", model, *out, gone
    )
    assert str(gone) in refused(
        "predict", "--model", model, *out, "--data", world.coco, "--images", gone
    )
    assert str(gone) in refused("import", gone, world.coco)
    assert str(gone) in refused("export", gone, "--out", tmp_path / "labels.json")
    assert str(gone) in refused(*train_words(world, images=gone), "--out", tmp_path / "new")


def test_a_folder_without_images(world, model, refused, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no image")
    sentence = f"There are no images in {empty}."
    assert refused("predict", "--model", model, "--out", tmp_path / "p.json", empty) == sentence
    assert refused("import", empty, world.coco) == sentence


def test_a_truncated_image_alone(world, model, refused, tmp_path):
    image = world.images / "disc_001.jpg"
    image.write_bytes(image.read_bytes()[:400])
    sentence = refused("predict", "--model", model, "--out", tmp_path / "p.json", image)
    assert "disc_001.jpg" in sentence


def test_a_truncated_image_among_others_keeps_the_rest(world, model, tmp_path):
    image = world.images / "disc_002.jpg"
    image.write_bytes(image.read_bytes()[:400])
    out = tmp_path / "p.json"
    words = ("predict", "--model", model, "--out", out, "--score", 0.9, world.images)
    result = seginst(*words, cwd=tmp_path, env=dict(os.environ))
    assert result.returncode == 1
    (sentence,) = sentences(result.stderr)
    assert "disc_002.jpg" in sentence
    names = [image["file_name"] for image in json.loads(out.read_text())["images"]]
    assert names == ["disc_001.jpg", "disc_003.jpg", "disc_004.jpg"]


# Annotation files.


def bad_files(world: World) -> dict[str, Path]:
    away = [{**image, "file_name": "../../etc/passwd.jpg"} for image in world.table()["images"]]
    files = {
        "not JSON": world.folder / "broken.json",
        "not COCO": world.folder / "other.json",
        "no list": world.folder / "list.json",
        "outside": world.variant("outside.json", images=away),
        "binary": world.folder / "binary.json",
    }
    files["not JSON"].write_text('{"images": [')
    files["not COCO"].write_text('{"shapes": [], "imagePath": "a.jpg"}')
    files["no list"].write_text("[1, 2, 3]")
    files["binary"].write_bytes(bytes(range(256)))
    return files


@pytest.mark.parametrize("kind", ["not JSON", "not COCO", "no list", "outside", "binary"])
def test_a_file_that_is_no_coco_file(kind, world, model, refused, tmp_path):
    file = bad_files(world)[kind]
    assert file.name in refused(
        "predict",
        *("--model", model, "--out", tmp_path / "p.json"),
        *("--data", file, "--images", world.images),
    )
    assert file.name in refused(*train_words(world, data=file), "--out", tmp_path / "new")


@pytest.mark.parametrize("kind", ["not JSON", "not COCO", "no list", "outside", "binary"])
def test_importing_what_is_no_coco_file_keeps_the_project(kind, world, tmp_path):
    env = dict(os.environ)
    assert seginst("import", world.images, world.coco, cwd=tmp_path, env=env).returncode == 0
    exported = ("export", world.images, "--state", "all", "--out")
    assert seginst(*exported, tmp_path / "before.json", cwd=tmp_path, env=env).returncode == 0
    file = bad_files(world)[kind]
    assert file.name in refusal(seginst("import", world.images, file, cwd=tmp_path, env=env))
    assert seginst(*exported, tmp_path / "after.json", cwd=tmp_path, env=env).returncode == 0
    assert (tmp_path / "after.json").read_bytes() == (tmp_path / "before.json").read_bytes()
    assert len(json.loads((tmp_path / "after.json").read_text())["annotations"]) == 4


def test_predictions_that_do_not_fit_the_truth(world, refused):
    row = {"image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "score": 0.5}
    wrong = {
        "category": [{**row, "category_id": 7}],
        "image": [{**row, "image_id": 99}],
        "score": [{**row, "score": "high"}],
        "object": [3],
    }
    for name, rows in wrong.items():
        path = world.folder / f"{name}.json"
        path.write_text(json.dumps(rows))
        sentence = refused("evaluate", "--truth", world.coco, "--predictions", path)
        assert sentence.startswith("Prediction 0"), sentence
        good = world.folder / "good.json"
        good.write_text(json.dumps([]))
        assert refused("compare", "--truth", world.coco, "--a", good, "--b", path) == sentence


def test_a_model_of_other_categories_than_the_data(world, model, refused, tmp_path):
    other = world.variant("cells.json", categories=[{"id": 1, "name": "cell"}])
    sentence = refused(
        "predict",
        *("--model", model, "--out", tmp_path / "p.json"),
        *("--data", other, "--images", world.images),
    )
    assert "disc" in sentence
    assert "cell" in sentence


# Models.


def test_a_model_of_another_format_version(world, model, refused, tmp_path):
    card = model / "model.toml"
    card.write_text(card.read_text().replace("format = 1", "format = 99", 1))
    commands = (
        ("models", "show", model),
        ("models", "add", model, "--name", "mine"),
        ("predict", "--model", model, "--out", tmp_path / "p.json", world.images),
        (*train_words(world), "--from", model, "--out", tmp_path / "new"),
    )
    for words in commands:
        assert "format 99" in refused(*words)


def test_a_damaged_model_card(model, refused):
    card = model / "model.toml"
    whole = card.read_text()
    for text in ("not [ toml", "format = 1\n", whole.replace("untrained", '"x" =')):
        card.write_text(text)
        assert "model.toml" in refused("models", "show", model)


class Payload:
    """A pickle that leaves a file behind when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "I ran"))


def test_a_pickle_is_refused_and_never_run(world, model, refused, tmp_path):
    ran = tmp_path / "ran.txt"
    code = pickle.dumps(Payload(ran))
    pickle.loads(code)
    assert ran.read_text() == "I ran"
    ran.unlink()
    out = ("--out", tmp_path / "p.json")
    for name in ("model.pth", "model.pkl"):
        path = tmp_path / name
        path.write_bytes(code)
        for words in (
            ("predict", "--model", path, *out, world.images),
            ("models", "add", path),
            (*train_words(world), "--from", path, "--out", tmp_path / "new"),
        ):
            assert "pickle" in refused(*words)
    weights = model / "detector.safetensors"
    weights.write_bytes(code)
    words = ("predict", "--model", model, *out, world.images)
    assert "is not the one its model card names" in refused(*words)
    from seginst_core.models.card import file_digest, read_card

    card = model / "model.toml"
    old = read_card(model).files["detector.safetensors"]
    card.write_text(card.read_text().replace(old, file_digest(weights)))
    assert "is not a safetensors file" in refused(*words)
    assert not ran.exists()


def test_a_checkpoint_that_is_a_pickle_is_never_run(world, tmp_path):
    ran = tmp_path / "ran.txt"
    checkpoint = tmp_path / "new" / "checkpoint" / "detector.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(pickle.dumps(Payload(ran)))
    words = (*train_words(world), "--out", tmp_path / "new", "--resume")
    result = seginst(*words, cwd=tmp_path, env=dict(os.environ))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "detector.pt cannot be read" in sentences(result.stderr)[-1]
    assert not ran.exists()
    assert not (tmp_path / "new" / "model.toml").exists()


# Disks.


def limited(n_bytes: int) -> None:
    """Let this process write files up to so many bytes, as a disk does that is nearly full."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_while_exporting_keeps_the_old_file(world, tmp_path):
    # A chequerboard has the longest run lengths there are: the export is larger than the limit.
    board = {"size": [SIDE_PX, SIDE_PX], "counts": [1] * SIDE_PX**2}
    rows = [{**row, "segmentation": board} for row in world.table()["annotations"] * 8]
    rows = [{**row, "id": number} for number, row in enumerate(rows, 1)]
    many = world.variant("many.json", annotations=rows)
    env = dict(os.environ)
    assert seginst("import", world.images, many, cwd=tmp_path, env=env).returncode == 0
    out = tmp_path / "labels" / "labels.json"
    out.parent.mkdir()
    out.write_text("the old export")
    words = ("export", world.images, "--state", "all", "--out", out)
    result = subprocess.run(
        [sys.executable, "-m", "seginst_core.cli", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env,
        preexec_fn=lambda: limited(150_000),
    )
    assert "nothing was changed" in refusal(result)
    assert contents(out.parent) == {"labels.json": b"the old export"}
    again = seginst(*words, cwd=tmp_path, env=env)
    assert again.returncode == 0, again.stderr
    assert out.stat().st_size > 150_000
    assert len(json.loads(out.read_text())["annotations"]) == len(rows)


def test_an_output_in_a_place_where_none_can_be(world, model, refused, tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    sentence = refused("predict", "--model", model, "--out", file / "p.json", world.images)
    assert str(file) in sentence
    assert str(file) in refused("sample", file, "--images", 2)
    assert str(file) in refused(*train_words(world), "--out", file)


# The window.


def test_the_window_without_a_display(tmp_path):
    gone = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    env = {name: value for name, value in os.environ.items() if name not in gone}
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a display")
    sentence = refusal(run_module("seginst_gui.app", cwd=tmp_path, env=env))
    assert "display" in sentence


def test_the_window_on_a_folder_that_is_not_there(tmp_path):
    gone = tmp_path / "gone"
    sentence = refusal(run_module("seginst_gui.app", gone, cwd=tmp_path, env=dict(os.environ)))
    assert str(gone) in sentence
