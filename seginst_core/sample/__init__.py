"""A synthetic airfield: pictures drawn with numpy and OpenCV and exact masks of their planes."""

from seginst_core.sample.write import write_sample

__all__ = ["write_sample"]
