"""A comparison as a folder: ``report.html`` for people, ``report.json`` for scripts."""

from seginst_core.review.report.page import write_report

__all__ = ["write_report"]
