"""The sections of the report, each a function from the report to HTML."""

from collections import Counter

from seginst_core.review.cases import count_kinds, mistakes, worth
from seginst_core.review.report import charts
from seginst_core.review.report.parts import (
    cell,
    counted,
    name_html,
    number_cell,
    row,
    section,
    table,
)
from seginst_core.review.report.words import MINUS, gain, number, signed
from seginst_core.review.schema import (
    CASE_NAMES,
    CASE_TEXTS,
    SCORE_NAMES,
    Case,
    Report,
    ScoreName,
    Scores,
)

MAX_ROWS_OF_KIND = 60
MAX_WORST_IMAGES = 20

SCORE_TEXTS: dict[ScoreName, str] = {
    "AP": "AP, mean of IoU 0.50 to 0.95",
    "AP50": "AP at IoU 0.50",
    "AP75": "AP at IoU 0.75",
    "APs": "AP, small objects (under 32² px)",
    "APm": "AP, medium objects (32² to 96² px)",
    "APl": "AP, large objects (over 96² px)",
}


def scores(report: Report) -> str:
    """Return the table of all measures of A and B with their differences."""
    a, b = report["a"], report["b"]
    bodies = "".join(
        (
            _score_rows("Masks", a["segm"], b["segm"]),
            _score_rows("Mask boundaries", a["boundary"], b["boundary"]),
            _score_rows("Boxes", a["bbox"], b["bbox"]),
            f"<tbody>{_score_row('Mean mask IoU', a['mean_iou'], b['mean_iou'])}</tbody>\n",
        )
    )
    columns = ("Measure", "A", "B", f"B {MINUS} A")
    return section(
        "Scores",
        "Average precision (AP) falls with every object that is not found and with every "
        "prediction that is wrong; 1 is perfect. The mean mask IoU counts an object that was not "
        "found as 0.",
        table(columns, bodies, (1, 2, 3), "scores"),
    )


def curves(report: Report) -> str:
    """Return precision over recall at the report's IoU thresholds."""
    figures = "".join(
        f"<figure><figcaption>Mask IoU at least {curve['iou']:.2f}</figcaption>"
        f"{charts.precision_recall(curve)}</figure>\n"
        for curve in report["curves"]
    )
    return section(
        "Precision and recall",
        "Recall is the part of the true objects that was found, precision the part of the "
        "predictions that is right. Further up and further right is better.",
        f'{charts.key("lines")}<div class="charts">{figures}</div>',
    )


def kinds(report: Report) -> str:
    """Return how many cases of each kind there are and what the kind means."""
    counts = count_kinds(report["cases"])
    most = max(*counts.values(), 1)
    rows = "".join(
        row(
            (
                cell(CASE_NAMES[kind]),
                number_cell(count),
                cell(
                    f'<div class="bar"><span style="width:{100 * count / most:.1f}%"></span></div>'
                ),
                cell(CASE_TEXTS[kind]),
            )
        )
        for kind, count in counts.items()
    )
    return section(
        "What became of the objects",
        f"Only predictions with a score of at least {report['case_score']:g} are looked at; found "
        f"means the right category and a mask IoU of at least {report['case_iou']:g}.",
        table(("Kind", "Cases", "", "Meaning"), f"<tbody>{rows}</tbody>\n", (1,), "kinds"),
    )


def histogram(report: Report) -> str:
    """Return how well A and B draw the true objects."""
    objects = objects_with_masks(report)
    unseen_a = sum(case["iou_a"] is None for case in objects)
    unseen_b = sum(case["iou_b"] is None for case in objects)
    return section(
        "How well the objects are drawn",
        f"The mask IoU with each of {counted(len(objects), 'true object')} whose mask is known. "
        "Not drawn here are the objects that a side did not see at all: "
        f"{unseen_a} for A, {unseen_b} for B.",
        f"{charts.key('bars')}<figure>{charts.iou_histogram(objects)}</figure>",
    )


def objects_with_masks(report: Report) -> list[Case]:
    """Return the cases that are objects of the truth, each once, but for those without a mask."""
    box_only = set(report["box_only"])
    return [c for c in report["cases"] if _is_object(c) and c["truth_id"] not in box_only]


def worst_images(report: Report) -> str:
    """Return the images with the most mistakes of A and B together."""
    n_a, n_b, n_objects = Counter[int](), Counter[int](), Counter[int]()
    for case in report["cases"]:
        of_a, of_b = mistakes(case)
        n_a[case["image_id"]] += of_a
        n_b[case["image_id"]] += of_b
        n_objects[case["image_id"]] += _is_object(case)
    wrong = [image for image in report["images"] if n_a[image["id"]] + n_b[image["id"]]]
    wrong.sort(key=lambda image: -(n_a[image["id"]] + n_b[image["id"]]))
    if not wrong:
        return section("Worst images", "Neither side made a mistake in any image.", "")
    rows = "".join(
        row(
            (
                cell(name_html(image["file_name"]), "file"),
                number_cell(n_objects[image["id"]]),
                number_cell(n_a[image["id"]]),
                number_cell(n_b[image["id"]]),
            )
        )
        for image in wrong[:MAX_WORST_IMAGES]
    )
    columns = ("Image", "Objects", "Mistakes of A", "Mistakes of B")
    return section(
        "Worst images",
        f"{min(len(wrong), MAX_WORST_IMAGES)} of {counted(len(report['images']), 'image')}, those "
        "with the most mistakes: objects not found, false predictions and duplicates.",
        table(columns, f"<tbody>{rows}</tbody>\n", (1, 2, 3), "worst"),
    )


def cases(report: Report) -> str:
    """Return the cases most worth a look, which a script filters by kind where it may run."""
    shown: list[Case] = []
    n_shown = Counter[str]()
    for case in sorted(report["cases"], key=worth, reverse=True):
        if n_shown[case["kind"]] < MAX_ROWS_OF_KIND:
            n_shown[case["kind"]] += 1
            shown.append(case)
    if not shown:
        return section("Cases", "There are no objects and no predictions.", "")
    names = {image["id"]: image["file_name"] for image in report["images"]}
    options = "".join(
        f'<option value="{kind}">{CASE_NAMES[kind]} ({n_shown[kind]} of {count})</option>'
        for kind, count in count_kinds(report["cases"]).items()
        if count
    )
    rows = "".join(_case_row(case, names[case["image_id"]]) for case in shown)
    columns = ("Image", "Kind", "Object", "A", "B", "IoU of A", "IoU of B")
    return section(
        "Cases",
        f"The {len(shown)} of {counted(len(report['cases']), 'case')} that are most worth a look, "
        f"at most {MAX_ROWS_OF_KIND} of a kind; report.json has all. Object is the id in the "
        "truth; A and B are the places in their files, counted from 0.",
        '<label hidden>Show <select id="kind"><option value="">all kinds</option>'
        f"{options}</select></label>\n"
        + table(columns, f"<tbody>{rows}</tbody>\n", (2, 3, 4, 5, 6), "cases"),
    )


def _is_object(case: Case) -> bool:
    return case["truth_id"] is not None and case["kind"] != "duplicate"


def _score_rows(title: str, a: Scores, b: Scores) -> str:
    rows = "".join(
        _score_row(f"{title}: {SCORE_TEXTS[name]}", a[name], b[name]) for name in SCORE_NAMES
    )
    return f"<tbody>{rows}</tbody>\n"


def _score_row(title: str, a: float | None, b: float | None) -> str:
    gained = signed(gain(a, b))
    way = {"+": " up", MINUS: " down"}.get(gained[0], "")
    return row(
        (
            f'<th scope="row">{title}</th>',
            number_cell(number(a)),
            number_cell(number(b)),
            cell(gained, f"n{way}"),
        )
    )


def _case_row(case: Case, file_name: str) -> str:
    return row(
        (
            cell(name_html(file_name), "file"),
            cell(CASE_NAMES[case["kind"]]),
            number_cell(case["truth_id"]),
            number_cell(case["a_index"]),
            number_cell(case["b_index"]),
            number_cell(number(case["iou_a"], 2)),
            number_cell(number(case["iou_b"], 2)),
        ),
        f' data-kind="{case["kind"]}"',
    )
