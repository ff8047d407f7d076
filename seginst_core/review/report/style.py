"""The report's style sheet and script; the page must read well without the script."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1d232b; --soft: #5b6673; --rule: #d9dee4; --panel: #f4f6f8;
  --a: #0072b2; --b: #c45500; --c: #5b8c00; --good: #00704f; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15191e; --ink: #e7eaee; --soft: #9aa5b1; --rule: #333b45; --panel: #1e242b;
    --a: #56b4e9; --b: #f0a030; --c: #b4d455; --good: #4cc79b; --bad: #ff8a80;
  }
}
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
figure { margin: 0; }
figcaption { font-weight: 600; margin: .5rem 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--rule); stroke-width: 1; }
.zero { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.range { stroke: var(--ink); stroke-width: 4; }
.point { fill: var(--ink); }
.line-a, .line-b, .line-c { fill: none; stroke: var(--a); stroke-width: 2; }
.line-b { stroke: var(--b); stroke-dasharray: 6 3; }
.line-c { stroke: var(--c); stroke-dasharray: 2 3; }
.fill-a { fill: var(--a); background: var(--a); }
.fill-b { fill: var(--b); background: var(--b); }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody th { font-weight: 400; }
tbody + tbody { border-top: 2px solid var(--rule); }
td.file { overflow-wrap: anywhere; min-width: 8rem; }
.up { color: var(--good); }
.down { color: var(--bad); }
.bar { background: var(--panel); height: .8rem; min-width: 6rem; border-radius: .2rem; }
.bar > span { display: block; height: 100%; background: var(--soft); border-radius: .2rem; }
.bar > span.fill-a { background: var(--a); }
.bar > span.fill-b { background: var(--b); }
.bar + .bar { margin-top: .15rem; }
#budget .bar { height: .45rem; min-width: 10rem; }
label { margin: .5rem 0; }
select { font: inherit; }
@media print { label { display: none; } }
"""

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
