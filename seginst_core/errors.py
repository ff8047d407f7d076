"""The exceptions whose text a person reads: each message is one plain sentence."""


class SegInstError(Exception):
    """Something the person can mend; the message says what, in one sentence."""


class ImageError(SegInstError):
    """An image file that cannot be read, or is larger than the limit."""


class FormatError(SegInstError):
    """An annotation file that is not what it claims to be."""


class ProjectError(SegInstError):
    """A folder or project database that cannot be opened, or an edit that does not fit it."""


class ModelError(SegInstError):
    """A model directory, weights file or engine that cannot be used."""


class DataError(SegInstError):
    """Training or evaluation data that does not make sense together."""


class Cancelled(Exception):  # noqa: N818 - not an error: the person asked for it
    """A job stopped because it was asked to."""
