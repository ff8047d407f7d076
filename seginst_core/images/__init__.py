"""Image files to pixels: formats, orientation, bit depths, bands, previews and size limits."""

from seginst_core.images.folder import SUFFIXES, image_file, is_text, list_images
from seginst_core.images.read import (
    MAX_PIXELS,
    Picture,
    halve,
    read_image,
    read_picture,
    read_preview,
    read_size,
)
from seginst_core.images.tones import Bands

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "Bands",
    "Picture",
    "halve",
    "image_file",
    "is_text",
    "list_images",
    "read_image",
    "read_picture",
    "read_preview",
    "read_size",
]
