"""One page that says which of two models is better, where, and on which objects to look."""

from pathlib import Path

import orjson

from seginst_core.errors import DataError
from seginst_core.files import write_atomic
from seginst_core.review.report import charts, faults, sections
from seginst_core.review.report.corrections import corrections
from seginst_core.review.report.parts import counted, name_html
from seginst_core.review.report.style import SCRIPT, STYLE
from seginst_core.review.report.words import explanation, headline
from seginst_core.review.schema import Report


def write_report(report: Report, folder: Path) -> None:
    """Write ``report.html`` and ``report.json`` into ``folder``, which is made if it is missing.

    Each file is written whole or not at all; DataError says why it cannot be written.
    """
    try:
        write_atomic(folder / "report.json", orjson.dumps(report, option=orjson.OPT_INDENT_2))
        write_atomic(folder / "report.html", page(report).encode())
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"The report could not be written into {folder} ({why}).") from error


def page(report: Report) -> str:
    """Return the report as one HTML page that needs no other file and no network."""
    title = headline(report)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{title}</h1>\n<p class="lead">{explanation(report)}</p>\n'
        f"{charts.interval(report['difference'])}\n{_sources(report)}</header>\n<main>\n"
        f"{sections.scores(report)}{faults.budget(report)}{sections.curves(report)}"
        f"{faults.confusions(report)}{sections.kinds(report)}"
        f"{sections.histogram(report)}{corrections(report)}"
        f"{sections.worst_images(report)}{sections.cases(report)}"
        f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _sources(report: Report) -> str:
    names, difference = report["names"], report["difference"]
    method = (
        f"{difference['method']} Done {difference['resamples']:,} times with the seed "
        f"{difference['seed']}. "
    )
    return (
        f'<p><span class="name-a">A</span> is {name_html(names["a"])}, '
        f'<span class="name-b">B</span> is {name_html(names["b"])}; both are measured on '
        f"{counted(report['a']['images'], 'image')} of {name_html(names['truth'])}.</p>\n"
        f'<p class="soft">{method if None not in difference["ci95"] else ""}'
        f"At most {report['a']['max_dets']:,} predictions of a category count in an image.</p>\n"
    )
