"""The engines: libraries that bring detection networks. One file each, loaded when first used."""

from collections.abc import Mapping
from importlib import import_module

from seginst_core.engines.base import Engine
from seginst_core.errors import ModelError
from seginst_core.types import EngineName

ENGINES: Mapping[EngineName, str] = {
    "torchvision": "seginst_core.engines.torchvision_engine",
}


def load_engine(name: EngineName) -> Engine:
    """Import an engine; ModelError says in one sentence why it cannot be used here."""
    if name not in ENGINES:
        raise ModelError(f"This version of SegInst has no engine named {name!r}.")
    module = import_module(ENGINES[name])
    engine: Engine = module.ENGINE
    return engine
