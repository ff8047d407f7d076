"""What can be known of detectron2 and its files without importing it, and what to say of them."""

import importlib.util
from pathlib import Path

from seginst_core.errors import ModelError

DETECTRON2_PAGE = "https://detectron2.readthedocs.io/en/latest/tutorials/install.html"
NOT_INSTALLED = (
    f"The detectron2 engine needs detectron2, which is not installed here; see {DETECTRON2_PAGE}"
)
PICKLES = (".pkl", ".pickle")


def is_installed() -> bool:
    """Whether a package of that name is there; it may yet fail to be imported."""
    return importlib.util.find_spec("detectron2") is not None


def check_weights_name(path: Path) -> None:
    """Refuse a weights file that is not there, or by its name a pickle, with a ModelError."""
    if not path.is_file():
        raise ModelError(f"There is no weights file {path}.")
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"{path.name} is a pickle, which can run any code when it is loaded, so it is refused; "
            "load it with detectron2 in a place you trust, save "
            "torch.save({'model': model.state_dict()}, 'model.pth'), and add that."
        )
