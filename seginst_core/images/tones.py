"""Values of any kind and number of bands to 8-bit RGB for display."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from seginst_core.types import ImageArray

Values: TypeAlias = npt.NDArray[np.integer | np.floating]
"""Decoded values, (H, W) or (H, W, C), of any real type."""
Bands: TypeAlias = tuple[int, int, int]
"""Which bands of an image, counted from 0, are shown as red, green and blue."""

LOW_PERCENT, HIGH_PERCENT = 0.5, 99.5
FILL_VALUES = (-9999.0, -32768.0, -3.4028234663852886e38, 3.4028234663852886e38)
"""What stands for "no data" by custom in rasters whose tag that says so is lost."""
_MAX_SAMPLES = 4_000_000
_BLOCK_VALUES = 4_000_000


def to_rgb8(values: Values, nodata: float | None = None) -> ImageArray:
    """Show values (H, W) or (H, W, 1..3) as RGB: 8-bit as they are, all others stretched.

    One stretch for the whole image, so colours keep their balance. NaN, infinity and ``nodata``
    come out black and do not count.
    """
    if values.ndim == 2:
        values = values[:, :, None]
    if values.dtype == np.uint8:
        shown = np.asarray(values, np.uint8)
    else:
        shown = _stretch(values, *value_range(values, nodata), nodata)
    if shown.shape[2] == 3:
        # Never hand out a view of a mapped file, whose pixels would change or vanish with it.
        plain = shown.flags.c_contiguous and shown.flags.writeable
        return shown if plain else np.array(shown, order="C")
    return np.repeat(shown[:, :, :1], 3, axis=2)


def display_bands(values: Values, bands: Bands | None, notes: list[str]) -> Values:
    """Take the bands to show of values (H, W, n): those asked for if there, else gray or the first.

    What is left out or exchanged is added to ``notes``.
    """
    n_bands = values.shape[2]
    if bands is not None and all(0 <= band < n_bands for band in bands):
        if n_bands == 1 or (n_bands == 3 and bands == (0, 1, 2)):
            return values
        # The shown are as many as differ, so that a single band is stretched and kept once.
        wanted = bands if len(set(bands)) > 1 else bands[:1]
        said = ", ".join(str(band + 1) for band in wanted)
        notes.append(f"band{'s' if len(wanted) > 1 else ''} {said} of {n_bands} shown")
        return values[:, :, list(wanted)]
    if n_bands in (1, 3):
        return values
    n_shown = 1 if n_bands == 2 else 3
    notes.append(f"first {'band' if n_shown == 1 else 'three'} of {n_bands} bands shown")
    return values[:, :, :n_shown]


def any_below_full(alpha: Values) -> bool:
    """Whether an alpha band hides anything: any value below its type's largest (or 1 if float)."""
    full = np.iinfo(alpha.dtype.str).max if alpha.dtype.kind in "iu" else 1
    return bool(np.any(alpha < full))


def fill_value(values: Values) -> float | None:
    """Return which of ``FILL_VALUES`` fills pixels of values (H, W, n) without data, if any does.

    It has to lie at the end of all that there is. Unsigned values have none.
    """
    if values.dtype.kind not in "if":
        return None
    samples = _samples(values)
    samples = samples[np.isfinite(samples)]
    ends = (samples.min(), samples.max()) if samples.size else ()
    return next((value for value in FILL_VALUES if value in ends), None)


def value_range(values: Values, nodata: float | None = None) -> tuple[float, float]:
    """The 0.5th and 99.5th percentile of the valid values, from at most 4 million samples."""
    samples = _samples(values)
    valid = np.isfinite(samples)
    if nodata is not None:
        valid &= samples != nodata
    if not valid.any():
        return 0.0, 1.0
    low, high = np.percentile(samples[valid], (LOW_PERCENT, HIGH_PERCENT))
    return float(low), float(high)


def _samples(values: Values) -> npt.NDArray[np.float64]:
    n_pixels = values.shape[0] * values.shape[1]
    step = max(1, int(np.ceil(np.sqrt(n_pixels * values.shape[2] / _MAX_SAMPLES))))
    return values[::step, ::step].astype(np.float64).ravel()


def _stretch(values: Values, low: float, high: float, nodata: float | None) -> ImageArray:
    shown = np.empty(values.shape, np.uint8)
    n_rows = max(1, _BLOCK_VALUES // max(1, values.shape[1] * values.shape[2]))
    table = _table(low, high, nodata) if values.dtype == np.uint16 else None
    for top in range(0, values.shape[0], n_rows):
        block = values[top : top + n_rows]
        if table is not None:
            # uint16 indices cannot be out of range; "wrap" only spares numpy the check.
            np.take(table, block.astype(np.intp), out=shown[top : top + n_rows], mode="wrap")
        else:
            shown[top : top + n_rows] = _scaled(block.astype(np.float64), low, high, nodata)
    return shown


def _table(low: float, high: float, nodata: float | None) -> npt.NDArray[np.uint8]:
    return _scaled(np.arange(65536, dtype=np.float64), low, high, nodata)


def _scaled(
    values: npt.NDArray[np.float64], low: float, high: float, nodata: float | None
) -> npt.NDArray[np.uint8]:
    # Where nearly all values are equal, a step keeps the few others visible.
    scale = 255.0 / (high - low) if high > low else 255.0 * 2.0**64
    hidden = ~np.isfinite(values)
    if nodata is not None:
        hidden |= values == nodata
    values = np.where(hidden, low, values)
    return np.rint(np.clip((values - low) * scale, 0.0, 255.0)).astype(np.uint8)
