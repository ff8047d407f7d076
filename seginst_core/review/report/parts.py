"""The pieces of HTML that every section is made of."""

from collections.abc import Collection, Sequence
from html import escape


def section(title: str, text: str, content: str) -> str:
    """Return a section; ``text`` and ``content`` are HTML."""
    return f"<section>\n<h2>{title}</h2>\n<p>{text}</p>\n{content}\n</section>\n"


def table(columns: Sequence[str], bodies: str, numeric: Collection[int], name: str) -> str:
    """Return a table of the HTML ``bodies``; the ``numeric`` columns have their names at right."""
    heads = "".join(
        f'<th scope="col"{" class=n" if place in numeric else ""}>{column}</th>'
        for place, column in enumerate(columns)
    )
    return (
        f'<div class="scroll"><table id="{name}">\n<thead><tr>{heads}</tr></thead>\n'
        f"{bodies}</table></div>"
    )


def row(cells: Sequence[str], attributes: str = "") -> str:
    """Return a table row of HTML cells."""
    return f"<tr{attributes}>{''.join(cells)}</tr>\n"


def cell(html: str, css: str = "") -> str:
    """Return a table cell."""
    return f'<td class="{css}">{html}</td>' if css else f"<td>{html}</td>"


def number_cell(value: str | int | None) -> str:
    """Return a cell of a whole number or a number as text; a dash for None."""
    return cell("\N{EN DASH}" if value is None else str(value), "n")


def name_html(name: str) -> str:
    """Return a file's name, isolated so that no letter in it changes the text around it."""
    return f"<bdi>{escape(name)}</bdi>"


def counted(count: int, noun: str) -> str:
    """Return ``1 image``, ``2 images``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
