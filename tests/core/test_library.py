"""The model library, on real folders."""

import subprocess
import sys
from pathlib import Path

import pytest

from seginst_core import library
from seginst_core.errors import ModelError
from seginst_core.models.card import CARD_NAME, ModelCard, file_digest, write_card
from seginst_core.models.config import DetectorConfig
from seginst_core.types import Category


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEGINST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def starters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shipped"
    monkeypatch.setattr("resources.__file__", str(folder / "__init__.py"))
    return folder / "models"


def make_model(folder: Path, description: str = "") -> Path:
    folder.mkdir(parents=True)
    weights = folder / "detector.safetensors"
    weights.write_bytes(b"weights of " + folder.name.encode())
    card = ModelCard(
        name=folder.name,
        pipeline="end-to-end",
        engine="torchvision",
        preset="tiny",
        categories=(Category(1, "airplane"),),
        detector=DetectorConfig(),
        mask=None,
        description=description,
        files={weights.name: file_digest(weights)},
    )
    write_card(folder, card)
    return folder


def test_added_models_are_listed_found_and_removed(
    tmp_path: Path, home: Path, starters: Path
) -> None:
    source = make_model(tmp_path / "made" / "planes")
    (source / "checkpoint").mkdir()
    (source / "notes.txt").write_text("not part of the model")
    added = library.add(source)
    assert added.folder == home / "models" / "planes"
    assert sorted(p.name for p in added.folder.iterdir()) == ["detector.safetensors", CARD_NAME]
    assert [(m.name, m.place) for m in library.list_models().models] == [("planes", "user")]
    assert library.resolve("planes") == added.folder
    assert library.remove("planes") == added.folder
    assert library.list_models().models == ()
    assert list((home / "models").iterdir()) == []
    assert (source / CARD_NAME).exists()


def test_a_projects_model_wins_over_yours_and_yours_over_a_starter(
    tmp_path: Path, home: Path, starters: Path
) -> None:
    shipped = make_model(starters / "planes")
    assert library.resolve("planes") == shipped
    mine = make_model(home / "models" / "planes")
    assert library.resolve("planes") == mine
    project = tmp_path / "photos"
    own = make_model(project / ".seginst" / "models" / "planes")
    assert library.resolve("planes", project) == own
    assert library.resolve("planes") == mine
    places = [m.place for m in library.list_models(project).models]
    assert places == ["project", "user", "starter"]


def test_a_starter_model_cannot_be_removed(starters: Path) -> None:
    make_model(starters / "planes")
    with pytest.raises(ModelError, match="ships with"):
        library.remove("planes")
    assert library.resolve("planes").is_dir()


def test_a_path_wins_over_a_name(tmp_path: Path, home: Path, monkeypatch) -> None:
    make_model(home / "models" / "planes")
    here = make_model(tmp_path / "here" / "planes")
    monkeypatch.chdir(here.parent)
    assert library.resolve("planes").resolve() == here
    here.rename(here.with_name("other"))
    (tmp_path / "here" / "planes").mkdir()
    assert library.resolve("planes") == home / "models" / "planes"


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    weights = tmp_path / "model.pth"
    weights.write_bytes(b"\x80\x04.")
    for use in (lambda: library.resolve(str(weights)), lambda: library.add(weights)):
        with pytest.raises(ModelError, match="pickles are refused"):
            use()


def test_a_model_that_is_not_what_its_card_says_is_not_added(tmp_path: Path, home: Path) -> None:
    source = make_model(tmp_path / "planes")
    (source / "detector.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelError, match="not the one"):
        library.add(source)
    (source / "detector.safetensors").unlink()
    with pytest.raises(ModelError, match="missing"):
        library.add(source)
    assert not (home / "models").exists()


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, home: Path, monkeypatch) -> None:
    source = make_model(tmp_path / "planes")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full_disk)
    with pytest.raises(OSError, match="No space"):
        library.add(source)
    assert list((home / "models").iterdir()) == []


@pytest.mark.parametrize("name", ["..", "../out", "a/b", ".hidden", ".", " ", "two\nlines"])
def test_a_name_leads_neither_out_of_the_library_nor_out_of_its_list(
    tmp_path: Path, home: Path, name: str
) -> None:
    source = make_model(tmp_path / "planes")
    with pytest.raises(ModelError):
        library.add(source, name)
    with pytest.raises(ModelError):
        library.remove(name)


def test_a_name_may_begin_with_an_underscore(tmp_path: Path, home: Path, starters: Path) -> None:
    (home / "models" / "__pycache__").mkdir(parents=True)
    library.add(make_model(tmp_path / "planes"), "__planes")
    assert [m.name for m in library.list_models().models] == ["__planes"]
    assert library.list_models().notes == ()


def test_a_taken_name_is_not_overwritten(tmp_path: Path) -> None:
    first = make_model(tmp_path / "a" / "planes", "first")
    second = make_model(tmp_path / "b" / "planes", "second")
    library.add(first)
    with pytest.raises(ModelError, match="already"):
        library.add(second)
    assert library.add(second, "planes2").name == "planes2"


def test_a_broken_model_is_a_note_and_the_others_are_listed(tmp_path: Path, home: Path) -> None:
    make_model(home / "models" / "good")
    make_model(home / "models" / "old")
    card = home / "models" / "old" / CARD_NAME
    card.write_text(card.read_text().replace("format = 1", "format = 99"))
    listing = library.list_models()
    assert "good" in [m.name for m in listing.models]
    assert "old" not in [m.name for m in listing.models]
    assert any("99" in note for note in listing.notes)


def test_the_library_does_not_load_torch() -> None:
    code = "import sys, seginst_core.library as l; l.list_models(); print('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "False"
