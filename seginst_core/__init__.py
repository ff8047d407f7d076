"""Everything SegInst knows that is not a window: nouns, masks, formats, models and jobs."""

__version__ = "0.1.0"
