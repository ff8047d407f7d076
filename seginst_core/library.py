"""The model library: starter models that ship, models of the person, models of one project.

Needs no torch: a model is known by its card. The same name may live in several places; the
project's model wins over the person's, and the person's over the starter model.
"""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import resources
from seginst_core.errors import ModelError
from seginst_core.models.card import CARD_NAME, CHECKPOINT_FOLDER, ModelCard, file_digest, read_card

Place = Literal["project", "user", "starter"]


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """A model of the library; ``name`` is its folder's name, by which commands find it."""

    name: str
    place: Place
    folder: Path
    card: ModelCard


@dataclass(frozen=True, slots=True)
class Listing:
    """The library's models and one sentence for each directory that could not be read."""

    models: tuple[LibraryModel, ...]
    notes: tuple[str, ...]


def user_folder() -> Path:
    """Where SegInst keeps the person's own data; ``SEGINST_HOME`` overrides the platform's rule."""
    override = os.environ.get("SEGINST_HOME")
    if override:
        return Path(override).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "SegInst"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "SegInst"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "seginst"


def model_folders(project: Path | None = None) -> tuple[tuple[Place, Path], ...]:
    """The folders that hold models, first the one that wins; ``project`` is a folder of images."""
    starter = Path(str(resources.__file__)).parent / "models"
    shared: tuple[tuple[Place, Path], ...] = (
        ("user", user_folder() / "models"),
        ("starter", starter),
    )
    if project is None:
        return shared
    return (("project", project / ".seginst" / "models"), *shared)


def list_models(project: Path | None = None) -> Listing:
    """List the library; a directory that holds no readable model becomes a note."""
    models, notes = [], []
    for place, parent in model_folders(project):
        for folder in _model_dirs(parent):
            try:
                models.append(LibraryModel(folder.name, place, folder, read_card(folder)))
            except ModelError as error:
                notes.append(str(error))
    return Listing(tuple(models), tuple(notes))


def resolve(name_or_path: str, project: Path | None = None) -> Path:
    """Return the model directory that a path or a library name stands for; ModelError if none."""
    path = Path(name_or_path).expanduser()
    if (path / CARD_NAME).is_file():
        return path
    if path.is_file():
        raise ModelError(
            f"{path} is a file, and a model is a directory with a {CARD_NAME} and safetensors "
            "weights; weights in pickles are refused because loading them can run code."
        )
    if path.name == name_or_path:
        for _, parent in model_folders(project):
            if (parent / name_or_path / CARD_NAME).is_file():
                return parent / name_or_path
    if path.is_dir():
        raise ModelError(f"{path} is not a model directory: it holds no {CARD_NAME}.")
    raise ModelError(
        f"There is no model named or at {name_or_path}; `seginst models list` shows what there is."
    )


def add(source: Path, name: str = "", project: Path | None = None) -> LibraryModel:
    """Copy the model directory ``source`` into the person's (or the project's) models.

    Only the card and the weights it names are copied, once they are what the card says; the
    directory appears whole or not at all. ModelError if it cannot be, or the name is taken.
    """
    folder = resolve(str(source), project)
    card = read_card(folder)
    for file_name, digest in card.files.items():
        if not (folder / file_name).is_file():
            raise ModelError(f"The weights file {folder / file_name} is missing.")
        if file_digest(folder / file_name) != digest:
            raise ModelError(
                f"The weights file {folder / file_name} is not the one its model card names."
            )
    place, parent = model_folders(project)[0]
    name = name or folder.resolve().name
    shown = name.isprintable() and name == name.strip()
    if not shown or name.startswith(".") or Path(name).name != name:
        raise ModelError(f"{name!r} cannot be a model's name: it has to be a plain folder name.")
    target = parent / name
    if target.exists():
        raise ModelError(f"There already is a model named {name}; give another name, or remove it.")
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adding-", dir=parent) as temporary:
        whole = Path(temporary) / "model"
        whole.mkdir()
        for file_name in (*card.files, CARD_NAME):
            shutil.copyfile(folder / file_name, whole / file_name)
        whole.rename(target)
    return LibraryModel(name, place, target, card)


def remove(name: str, project: Path | None = None) -> Path:
    """Delete a model of the person or the project and return where it was; starters stay."""
    for place, parent in model_folders(project):
        folder = parent / name
        if Path(name).name != name or not (folder / CARD_NAME).is_file():
            continue
        if place == "starter":
            raise ModelError(f"{name} is a starter model that ships with SegInst, so it stays.")
        with tempfile.TemporaryDirectory(prefix=".removing-", dir=parent) as temporary:
            folder.rename(Path(temporary) / "model")
        return folder
    raise ModelError(
        f"The library has no model named {name}; `seginst models list` shows what there is."
    )


def _model_dirs(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    # Python may have left a __pycache__ beside the starters.
    shown = (p for p in parent.iterdir() if not p.name.startswith(".") and p.name != "__pycache__")
    folders = (p for p in shown if p.is_dir())
    known = (p for p in folders if not _is_in_training(p))
    return sorted(known, key=lambda path: path.name.casefold())


def _is_in_training(folder: Path) -> bool:
    return (folder / CHECKPOINT_FOLDER).is_dir() and not (folder / CARD_NAME).is_file()
