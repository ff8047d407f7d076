"""The model card: ``model.toml``, which names a model, its categories, its networks and its scores.

A model is a directory: ``model.toml`` beside ``*.safetensors``. Reading a card never needs torch
and never runs code.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import tomli_w

from seginst_core.errors import ModelError
from seginst_core.files import write_atomic
from seginst_core.models.config import (
    DETECTOR_KINDS,
    AnyDetectorConfig,
    NestedUNetConfig,
    config_from_table,
)
from seginst_core.types import ENGINE_NAMES, PIPELINES, PRESETS, Category, EngineName, PipelineName

FORMAT = 1
CARD_NAME = "model.toml"
DETECTOR_FILE = "detector.safetensors"
MASK_FILE = "mask.safetensors"
CHECKPOINT_FOLDER = "checkpoint"
"""In a model directory without a card: its training is under way, or was cut short."""

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is.

    ``files`` maps each weights file to its SHA-256; ``training`` records the command, data and
    settings; ``scores`` holds metrics in 0..1 on the validation set named in ``training``.
    """

    name: str
    pipeline: PipelineName
    engine: EngineName
    preset: str
    categories: tuple[Category, ...]
    detector: AnyDetectorConfig
    mask: NestedUNetConfig | None
    description: str = ""
    training: Mapping[str, Scalar] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Twelve hex digits that change whenever a weight does."""
        joined = "".join(f"{name}{digest}" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(joined.encode()).hexdigest()[:12]

    def lacks(
        self, names: Iterable[str], renamed: Mapping[str, str] = MappingProxyType({})
    ) -> list[str]:
        """Return those classes that the model does not know; ``renamed`` as in ``named_now``."""
        known = {c.name.casefold() for c in named_now(self.categories, renamed)}
        return [name for name in names if name.casefold() not in known]


def read_card(folder: Path) -> ModelCard:
    """Read the card of the model in ``folder``; ModelError says in one sentence why it cannot."""
    path = folder / CARD_NAME
    if not folder.is_dir():
        raise ModelError(f"There is no model directory at {folder}.")
    if not path.is_file():
        raise ModelError(f"{folder} is not a model directory: it holds no {CARD_NAME}.")
    try:
        table = _parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"The model card {path} cannot be read: {error}.") from error
    version = table.get("format")
    if version != FORMAT:
        raise ModelError(
            f"The model {folder.name} has format {version!r}, and this version of SegInst reads "
            f"format {FORMAT}."
        )
    try:
        return _card_from_table(table)
    except ModelError as error:
        raise ModelError(f"The model card {path} cannot be used: {error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"The model card {path} is not complete ({error}).") from error


def has_checkpoint(folder: Path) -> bool:
    """Whether ``folder`` has what a training that was cut short goes on from."""
    return any((folder / CHECKPOINT_FOLDER).glob("*.pt"))


def named_now(categories: Sequence[Category], renamed: Mapping[str, str]) -> tuple[Category, ...]:
    """Return a model's categories by their names now; ``renamed`` has former ones, casefolded."""
    return tuple(replace(c, name=renamed.get(c.name.casefold(), c.name)) for c in categories)


def write_card(folder: Path, card: ModelCard) -> None:
    """Write ``card`` into ``folder``; a model directory counts as whole once its card is there."""
    table: dict[str, object] = {"format": FORMAT}
    for key in ("name", "pipeline", "engine", "preset", "description"):
        table[key] = getattr(card, key)
    table["categories"] = [asdict(category) for category in card.categories]
    table["detector"] = asdict(card.detector)
    if card.mask is not None:
        table["mask"] = asdict(card.mask)
    table["training"] = dict(card.training)
    table["scores"] = dict(card.scores)
    table["files"] = dict(card.files)
    write_atomic(folder / CARD_NAME, tomli_w.dumps(table, multiline_strings=True).encode())


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=256)
def _parsed(text: str) -> Mapping[str, object]:
    """Return the table of a card; the library is listed often, and its cards stay the same."""
    return tomllib.loads(text)


def _card_from_table(table: Mapping[str, object]) -> ModelCard:
    pipeline, engine = table["pipeline"], table["engine"]
    if pipeline not in PIPELINES or engine not in ENGINE_NAMES:
        raise ValueError(f"pipeline {pipeline!r} with engine {engine!r}")
    if table["preset"] not in PRESETS:
        raise ValueError(f"preset {table['preset']!r}")
    categories = table["categories"]
    if not isinstance(categories, list) or not categories:
        raise ValueError("no categories")
    mask = table.get("mask")
    files = dict(table["files"])  # type: ignore[call-overload]
    if any("/" in name or "\\" in name for name in files):
        raise ValueError("a file outside the model directory")
    return ModelCard(
        name=str(table["name"]),
        pipeline=pipeline,
        engine=engine,
        preset=str(table["preset"]),
        categories=tuple(
            Category(
                id=int(c["id"]),
                name=str(c["name"]),
                colour=tuple(c["colour"]),
                supercategory=str(c.get("supercategory", "")),
            )
            for c in categories
        ),
        detector=config_from_table(DETECTOR_KINDS[engine], table["detector"]),  # type: ignore[arg-type, type-var]
        mask=None if mask is None else config_from_table(NestedUNetConfig, mask),  # type: ignore[arg-type]
        description=str(table.get("description", "")),
        training=dict(table.get("training", {})),  # type: ignore[call-overload]
        scores={name: float(v) for name, v in dict(table.get("scores", {})).items()},  # type: ignore[call-overload]
        files=files,
    )
