"""The report's style sheet and script; the page must read well without the script."""

import re
from collections.abc import Mapping

COLOURS: Mapping[str, tuple[str, str]] = {
    "page": ("#ffffff", "#15191e"),
    "ink": ("#1d232b", "#e7eaee"),
    "soft": ("#5b6673", "#9aa5b1"),
    "rule": ("#d9dee4", "#333b45"),
    "panel": ("#f4f6f8", "#1e242b"),
    "a": ("#0072b2", "#56b4e9"),
    "b": ("#c45500", "#f0a030"),
    "c": ("#5b8c00", "#b4d455"),
    "good": ("#00704f", "#4cc79b"),
    "bad": ("#b3261e", "#ff8a80"),
}
"""On a light page, on a dark one."""


_CHARTS = """
svg text { fill: var(--soft); font-size: 12px; }
.ground { fill: var(--panel); }
.grid { stroke: var(--rule); stroke-width: 1; }
.zero { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.range { stroke: var(--ink); stroke-width: 4; }
.point { fill: var(--ink); }
.line-a, .line-b, .line-c { fill: none; stroke: var(--a); stroke-width: 2; }
.line-b { stroke: var(--b); stroke-dasharray: 6 3; }
.line-c { stroke: var(--c); stroke-dasharray: 2 3; }
.line-ideal { fill: none; stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.fill-a { fill: var(--a); }
.fill-b { fill: var(--b); }
.fill-c { fill: var(--c); }
"""

_PAGE = """
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 66rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif;
}
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { max-width: 46rem; margin: .4rem 0; }
.lead { font-size: 1.1rem; }
.soft { color: var(--soft); font-size: .9rem; }
.name-a { color: var(--a); font-weight: 600; }
.name-b { color: var(--b); font-weight: 600; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
.charts > figure { flex: 1 1 20rem; }
.charts > figure:has(table) { flex: 0 1 auto; min-width: 0; max-width: 100%; }
figure { margin: 0; }
figcaption { font-weight: 600; margin: .5rem 0; }
svg { display: block; width: 100%; height: auto; }
p + svg { margin: .5rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody th { font-weight: 400; }
tbody + tbody { border-top: 2px solid var(--rule); }
td.file { overflow-wrap: anywhere; min-width: 8rem; }
.up { color: var(--good); }
.down { color: var(--bad); }
.bar { background: var(--panel); height: .8rem; min-width: 6rem; border-radius: .2rem; }
.bar > span { display: block; height: 100%; background: var(--soft); border-radius: .2rem; }
#budget svg { height: 1rem; min-width: 10rem; }
#budget td:last-child, #kinds td:last-child { min-width: 14rem; }
[id^=confusion] { width: max-content; }
[id^=confusion] th { overflow-wrap: break-word; white-space: normal; }
[id^=confusion] th.n { max-width: 8rem; }
[id^=confusion] tbody th {
  position: sticky; left: 0; background: var(--page); max-width: min(14rem, 40vw);
}
[id^=confusion]:has(th:nth-child(9)) :is(th, td) { padding: .2rem .3rem; }
[id^=confusion]:has(th:nth-child(9)) th.n bdi {
  display: inline-block; writing-mode: vertical-rl; max-height: 20em; text-align: end;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
}
label { margin: .5rem 0; }
select { font: inherit; }
.bar, td { print-color-adjust: exact; }
@media print {
  label { display: none; }
  h2, p { break-after: avoid; }
  p { break-inside: avoid; }
  figure, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  [id^=confusion]:has(th:nth-child(9)) { font-size: .5rem; }
}
"""


def _theme(dark: bool) -> str:
    return " ".join(f"--{name}: {pair[dark]};" for name, pair in COLOURS.items())


STYLE = (
    f"\n:root {{ color-scheme: light dark; {_theme(False)} }}\n"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {_theme(True)} }} }}\n{_CHARTS}{_PAGE}"
)


def coloured(chart: str, *, dark: bool) -> str:
    """Return a chart that brings its colours along, for whoever has no style sheet."""
    rules = re.sub(r"var\(--(\w+)\)", lambda name: COLOURS[name[1]][dark], _CHARTS)
    return chart.replace(">", f"><style>{rules}</style>", 1)


SCRIPT = """
const chooser = document.getElementById("kind");
const rows = document.querySelectorAll("#cases tbody tr");
function show() {
  for (const row of rows) row.hidden = chooser.value !== "" && row.dataset.kind !== chooser.value;
}
chooser.addEventListener("change", show);
chooser.parentElement.hidden = false;
// A browser that goes back to the page keeps the choice.
show();
"""
