"""The report's numbers and sentences as plain text, not yet escaped for HTML."""

from seginst_core.review.schema import Difference, Report

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def number(value: float | None, digits: int = 3) -> str:
    """Return a score, 0..1, or a dash where there is none."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign; one that rounds to zero has none."""
    if value is None:
        return NOTHING
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def gain(a: float | None, b: float | None) -> float | None:
    """Return what B has over A; None if either is unknown."""
    return None if a is None or b is None else b - a


def headline(report: Report) -> str:
    """Return in a few words which side is better; never more than the interval allows."""
    difference = report["difference"]
    gained = difference["segm_AP"]
    if gained is None:
        return "Nothing to compare: the truth has no objects."
    if not excludes_zero(difference):
        return "No clear winner between A and B."
    return "B is better than A." if gained > 0 else "A is better than B."


def explanation(report: Report) -> str:
    """Return by how much one side is better and how sure that is, in plain sentences."""
    difference = report["difference"]
    gained = difference["segm_AP"]
    a, b = report["a"]["segm"]["AP"], report["b"]["segm"]["AP"]
    if gained is None:
        return (
            "Average precision can only be measured where the truth has at least one object "
            "that is not a crowd."
        )
    if gained == 0:
        amount = f"A and B have the same mask AP, {number(a)}."
    else:
        better, more, less = ("B", b, a) if gained > 0 else ("A", a, b)
        lead = "less than 0.001" if abs(gained) < 0.001 else number(abs(gained))
        amount = f"The mask AP of {better} is {lead} higher: {number(more)} against {number(less)}."
    low, high = difference["ci95"]
    if low is None or high is None:
        return f"{amount} The images are too few to say how sure that is."
    interval = f"The 95 % interval of B {MINUS} A, {signed(low)} to {signed(high)},"
    if excludes_zero(difference):
        return (
            f"{amount} {interval} excludes zero: "
            "other images like these would very likely say the same."
        )
    return f"{amount} {interval} includes zero: the difference may be chance."


def excludes_zero(difference: Difference) -> bool:
    """Return whether the interval says that one side is better than the other."""
    low, high = difference["ci95"]
    return low is not None and high is not None and (low > 0 or high < 0)
