"""The display panel: how image and objects look on the canvas; nothing here changes the data."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from seginst_core.images import Bands
from seginst_gui.canvas.looks import ORIGIN_COLOURS, PIPELINE_COLOURS
from seginst_gui.display.settings import COLOUR_BY, MAX_OUTLINE_PX, Style, Tone
from seginst_gui.display.slider import ValueSlider, add_row
from seginst_gui.display.switches import reset_tone
from seginst_gui.language import later, tr
from seginst_gui.panels.swatch import swatch
from seginst_gui.session import PIPELINE_LETTERS, Session

BAND_NAMES = (later("Red"), later("Green"), later("Blue"))
_COLOUR_WORDS = {"class": later("Class"), "object": later("Object"), "origin": later("Origin")}
_ORIGIN_WORDS = {
    "human": later("by hand"),
    "import": later("imported"),
    "model": later("another model"),
}
_GAMMA_STEPS = 50
"""Steps of the slider from gamma 1 to 5, or down to 1/5."""


class DisplayPanel(QScrollArea):
    """Sets the session's display, and follows it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(6)
        column.addWidget(_heading(tr("Image")))
        column.addLayout(self._tone_rows())
        column.addLayout(self._band_row())
        column.addSpacing(8)
        column.addWidget(_heading(tr("Objects")))
        column.addLayout(self._style_rows())
        column.addWidget(self._legend())
        column.addSpacing(8)
        column.addWidget(_heading(tr("View")))
        self._names = self._check(
            tr("Name under the pointer"), "names", tr("What the pointer is over")
        )
        self._minimap = self._check(tr("Small map"), "minimap", tr("The whole image in a corner"))
        self._grid = self._check(
            tr("Pixel grid and values"), "pixel_grid", tr("From 12 and 40 times enlarged on")
        )
        for box in (self._names, self._minimap, self._grid):
            column.addWidget(box)
        column.addStretch()
        self.setWidget(inner)
        session.display.changed.connect(self._show)
        session.pixels_changed.connect(self._show_bands)
        self._show()

    # --- putting together ------------------------------------------------------------------

    def _tone_rows(self) -> QGridLayout:
        grid = _grid()
        self._brightness = ValueSlider(tr("Brightness"), -100, 100, 0, _signed)
        self._contrast = ValueSlider(tr("Contrast"), -100, 100, 0, _signed)
        self._gamma = ValueSlider(tr("Gamma"), -_GAMMA_STEPS, _GAMMA_STEPS, 0, _gamma_words)
        for slider, tip in (
            (self._brightness, tr("Show the image brighter or darker")),
            (self._contrast, tr("Show differences larger or smaller")),
            (self._gamma, tr("Above 1 the dark parts come out, below 1 the bright ones")),
        ):
            add_row(grid, slider.accessibleName(), slider, tip)
            slider.picked.connect(self._set_tone)
        self._reset = QPushButton(tr("Reset"))
        self._reset.setObjectName("reset_tone")
        self._reset.setToolTip(tr("Show the image as it is"))
        self._reset.clicked.connect(lambda: reset_tone(self._session))
        grid.addWidget(self._reset, grid.rowCount(), 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        return grid

    def _band_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(QLabel(tr("Bands")))
        self._bands: list[QComboBox] = []
        for name in BAND_NAMES:
            box = QComboBox()
            box.setObjectName(f"band_{name.lower()}")
            box.setAccessibleName(tr("Band shown as {colour}").format(colour=tr(name)))
            box.setToolTip(
                tr("Which band of the image is shown as {colour}").format(colour=tr(name))
            )
            box.activated.connect(self._set_bands)
            self._bands.append(box)
            row.addWidget(box, 1)
        return row

    def _style_rows(self) -> QGridLayout:
        grid = _grid()
        self._colour_by = QComboBox()
        self._colour_by.setObjectName("colour_by")
        self._colour_by.setAccessibleName(tr("Colour by"))
        self._colour_by.setToolTip(tr("What an object's colour tells"))
        for by in COLOUR_BY:
            self._colour_by.addItem(tr(_COLOUR_WORDS[by]), by)
        self._colour_by.activated.connect(self._set_style)
        label = QLabel(tr("Colour by"))
        label.setBuddy(self._colour_by)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self._colour_by, 0, 1, 1, 2)
        usual = Style()
        self._fill = ValueSlider(tr("Fill"), 0, 100, round(100 * usual.fill), _percent)
        self._outline = ValueSlider(tr("Outline"), 0, MAX_OUTLINE_PX, usual.outline_px, _pixels)
        self._opacity = ValueSlider(tr("Opacity"), 0, 100, 100, _percent)
        for slider, tip in (
            (self._fill, tr("How much of the image an object's fill covers")),
            (self._outline, tr("How wide an object's line is")),
            (self._opacity, tr("How much is seen of all that lies over the image")),
        ):
            add_row(grid, slider.accessibleName(), slider, tip)
            slider.picked.connect(self._set_style)
        return grid

    def _legend(self) -> QWidget:
        self._origins = QWidget()
        grid = QGridLayout(self._origins)
        grid.setContentsMargins(0, 2, 0, 0)
        grid.setVerticalSpacing(2)
        entries = [
            (tr("taken from {letter}").format(letter=PIPELINE_LETTERS[p]), c)
            for p, c in PIPELINE_COLOURS.items()
        ]
        entries += [(tr(_ORIGIN_WORDS[kind]), colour) for kind, colour in ORIGIN_COLOURS.items()]
        for place, (text, colour) in enumerate(entries):
            sign = QLabel()
            sign.setPixmap(swatch(colour).pixmap(12, 12))
            row, column = divmod(place, 2)
            grid.addWidget(sign, row, 2 * column)
            grid.addWidget(QLabel(text), row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
        return self._origins

    def _check(self, text: str, name: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setObjectName(f"display_{name}")
        box.setToolTip(tip)
        box.toggled.connect(self._set_view)
        return box

    # --- what a person sets ----------------------------------------------------------------

    def _set_tone(self) -> None:
        tone = Tone(
            self._brightness.value() / 100,
            self._contrast.value() / 100,
            _gamma(self._gamma.value()),
        )
        self._session.display.set(replace(self._session.display.now, tone=tone))

    def _set_bands(self) -> None:
        red, green, blue = (box.currentIndex() for box in self._bands)
        bands: Bands | None = (red, green, blue)
        if bands == (0, 1, 2):
            bands = None
        self._session.display.set(replace(self._session.display.now, bands=bands))

    def _set_style(self) -> None:
        now = self._session.display.now
        style = replace(
            now.style,
            colour_by=COLOUR_BY[self._colour_by.currentIndex()],
            fill=self._fill.value() / 100,
            outline_px=self._outline.value(),
            opacity=self._opacity.value() / 100,
        )
        self._session.display.set(replace(now, style=style))

    def _set_view(self) -> None:
        now = self._session.display.now
        style = replace(now.style, names=self._names.isChecked())
        minimap, grid = self._minimap.isChecked(), self._grid.isChecked()
        self._session.display.set(replace(now, style=style, minimap=minimap, pixel_grid=grid))

    # --- what is set -----------------------------------------------------------------------

    def _show(self) -> None:
        now = self._session.display.now
        self._brightness.show_value(round(100 * now.tone.brightness))
        self._contrast.show_value(round(100 * now.tone.contrast))
        self._gamma.show_value(_gamma_step(now.tone.gamma))
        self._reset.setEnabled(now.tone != Tone() or now.bands is not None)
        self._colour_by.setCurrentIndex(COLOUR_BY.index(now.style.colour_by))
        self._fill.show_value(round(100 * now.style.fill))
        self._outline.show_value(now.style.outline_px)
        self._opacity.show_value(round(100 * now.style.opacity))
        self._origins.setVisible(now.style.colour_by == "origin")
        for box, checked in (
            (self._names, now.style.names),
            (self._minimap, now.minimap),
            (self._grid, now.pixel_grid),
        ):
            with QSignalBlocker(box):
                box.setChecked(checked)
        self._show_bands()

    def _show_bands(self) -> None:
        picture, bands = self._session.picture, self._session.display.now.bands
        n_bands = picture.n_bands if picture else 0
        if bands is None or max(bands) >= n_bands:
            bands = (0, 1, 2) if n_bands >= 3 else (0, 0, 0)
        for box, band in zip(self._bands, bands, strict=True):
            if box.count() != n_bands:
                box.clear()
                box.addItems([str(number) for number in range(1, n_bands + 1)])
            box.setCurrentIndex(band if n_bands else -1)
            box.setEnabled(n_bands > 1)


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setColumnStretch(1, 1)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(4)
    return grid


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _gamma(step: int) -> float:
    return round(float(5.0 ** (step / _GAMMA_STEPS)), 3)


def _gamma_step(gamma: float) -> int:
    return min(range(-_GAMMA_STEPS, _GAMMA_STEPS + 1), key=lambda step: abs(_gamma(step) - gamma))


def _gamma_words(step: int) -> str:
    return f"{_gamma(step):.2f}"


def _signed(value: int) -> str:
    return f"{value:+d}" if value else "0"


def _percent(value: int) -> str:
    return f"{value} %"


def _pixels(value: int) -> str:
    return f"{value} px" if value else tr("none")
