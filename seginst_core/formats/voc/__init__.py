"""Pascal VOC: XML files of boxes with pictures of classes and objects, or such pictures alone."""

from pathlib import Path

from seginst_core.errors import FormatError
from seginst_core.formats.folders import files_of
from seginst_core.formats.voc import pictures, xml_files
from seginst_core.formats.voc.xml_files import losses, write
from seginst_core.types import Dataset

__all__ = ["losses", "read", "recognise", "write"]


def read(path: Path, images: Path | None = None) -> Dataset:
    """Read a VOC folder, or one XML file or picture of objects, for images in a folder.

    What only has pictures, as CVAT's "Segmentation mask" and labelme's ``labelme2voc`` write it, is
    read from these. A bad file or object is skipped and named; a file of which the image lies
    elsewhere is refused. FormatError if nothing can be used.
    """
    root, files = files_of(path, ".xml", images)
    if files and files[0].suffix.lower() != ".png":
        return xml_files.read(root, files, images)
    root, files = files_of(path, ".png", images)
    found = pictures.of_objects(files)
    if not found:
        raise FormatError(
            f"{path} holds no Pascal VOC files: there is no .xml file in it, and no .png file in a "
            f"folder {xml_files.OBJECTS}."
        )
    return pictures.read(root, found, images)


def recognise(path: Path) -> bool:
    """Whether an XML file, or one of the first in a folder, is one of VOC, or it has pictures."""
    return xml_files.recognise(path) or pictures.recognise(path)
