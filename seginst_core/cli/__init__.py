"""The command line: the jobs of SegInst for a shell. Starts without torch."""

from seginst_core.cli.app import main

__all__ = ["main"]
