"""The engines: libraries that bring detection networks. One file each, loaded when first used."""

import warnings
from collections.abc import Mapping
from importlib import import_module

from seginst_core.engines.base import Engine
from seginst_core.errors import ModelError
from seginst_core.models import detectron2
from seginst_core.types import EngineName

ENGINES: Mapping[EngineName, str] = {
    "torchvision": "seginst_core.engines.torchvision_engine",
    "detectron2": "seginst_core.engines.detectron2_engine",
}


def load_engine(name: EngineName) -> Engine:
    """Import an engine; ModelError says in one sentence why it cannot be used here."""
    if name not in ENGINES:
        raise ModelError(f"This version of SegInst has no engine named {name!r}.")
    if name == "detectron2" and not detectron2.is_installed():
        raise ModelError(detectron2.NOT_INSTALLED)
    try:
        with warnings.catch_warnings():
            # What a library has to mend in itself is not for a person to read.
            warnings.simplefilter("ignore")
            module = import_module(ENGINES[name])
    except ImportError as error:
        raise ModelError(
            f"The engine {name} cannot be loaded ({error}); it may have been built for another "
            "version of torch or Python, and `seginst doctor` says what is here."
        ) from error
    engine: Engine = module.ENGINE
    return engine
