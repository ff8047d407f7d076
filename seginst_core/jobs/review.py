"""Measuring predictions against the truth, and two predictions against each other."""

from pathlib import Path
from typing import cast

import orjson

from seginst_core.events import JsonValue, Reporter
from seginst_core.files import write_atomic
from seginst_core.jobs.params import Params, path


def evaluate(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Return the metrics of ``predictions`` against ``truth``; also written to ``out`` if given."""
    from seginst_core.review.metrics import evaluate as measure

    reporter.progress(0, 1, "Measuring")
    result = measure(path(params, "truth"), path(params, "predictions"))
    out = params.get("out")
    if out:
        write_atomic(Path(str(out)), orjson.dumps(result, option=orjson.OPT_INDENT_2))
    reporter.progress(1, 1)
    return cast(dict[str, JsonValue], result)


def compare(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Compare the predictions ``a`` and ``b``; the report goes into the folder ``out`` if given."""
    from seginst_core.review.compare import compare as measure
    from seginst_core.review.report import write_report

    reporter.progress(0, 2, "Comparing")
    result = measure(path(params, "truth"), path(params, "a"), path(params, "b"))
    out = params.get("out")
    if out:
        reporter.progress(1, 2, "Writing the report")
        write_report(result, Path(str(out)))
    reporter.progress(2, 2)
    return cast(dict[str, JsonValue], result)
