"""The tools of the canvas: one file each, and a line in this table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from seginst_gui.language import later
from seginst_gui.session import Session
from seginst_gui.tools.base import Tool
from seginst_gui.tools.box import BoxTool
from seginst_gui.tools.brush import BrushTool, EraserTool
from seginst_gui.tools.classical.grabcut import GrabCutTool
from seginst_gui.tools.classical.scissors import ScissorsTool
from seginst_gui.tools.classical.superpixel import SuperpixelTool
from seginst_gui.tools.classical.wand import WandTool
from seginst_gui.tools.corners import CornersTool
from seginst_gui.tools.cut import CutTool
from seginst_gui.tools.polygon import PolygonTool
from seginst_gui.tools.reshape import ReshapeTool
from seginst_gui.tools.select import SelectTool


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A tool as the window offers it; ``hint`` is what the status bar says while it is in use."""

    make: Callable[[Session], Tool]
    label: str
    shortcut: str
    hint: str


TOOLS: Mapping[str, ToolEntry] = {
    "select": ToolEntry(
        SelectTool,
        later("Select"),
        "V",
        later("Click an object; Shift adds; drag a rectangle over several"),
    ),
    "brush": ToolEntry(
        BrushTool,
        later("Brush"),
        "B",
        later(
            "Paint the selected object, or a new one; Ctrl+wheel size, Alt erases, "
            "Shift draws a straight line"
        ),
    ),
    "eraser": ToolEntry(
        EraserTool, later("Eraser"), "E", later("Erase from the selected object; Ctrl+wheel size")
    ),
    "polygon": ToolEntry(
        PolygonTool,
        later("Polygon"),
        "P",
        later(
            "Click corners; Enter, double click or the first one closes, Backspace takes one back"
        ),
    ),
    "box": ToolEntry(
        BoxTool,
        later("Box"),
        "R",
        later("Drag a box; with a two-stage model in use its mask is drawn in it"),
    ),
    "wand": ToolEntry(
        WandTool,
        later("Wand"),
        "W",
        later("Click a region of like colour; drag for tolerance, Alt takes away"),
    ),
    "reshape": ToolEntry(
        ReshapeTool,
        later("Reshape"),
        "T",
        later(
            "Draw where an outline should run, from the object out and back or through it; "
            "none has to be selected"
        ),
    ),
    "corners": ToolEntry(
        CornersTool,
        later("Corners"),
        "Shift+P",
        later("Drag the corners or sides of the selected object; Alt+click takes a corner away"),
    ),
    "scissors": ToolEntry(
        ScissorsTool,
        later("Scissors"),
        "I",
        later(
            "Click along an edge, the line clings to it; Shift draws straight, Enter closes, "
            "Backspace takes a click back"
        ),
    ),
    "superpixel": ToolEntry(
        SuperpixelTool,
        later("Superpixels"),
        "S",
        later("Paint pieces that keep to edges; Ctrl+wheel size, Alt erases"),
    ),
    "grabcut": ToolEntry(
        GrabCutTool,
        later("GrabCut"),
        "G",
        later(
            "Drag a box: what stands out in it is the object; click an object to fit it to edges"
        ),
    ),
    "cut": ToolEntry(
        CutTool,
        later("Cut"),
        "C",
        later("Drag a line across an object to make two of it; Shift keeps it straight"),
    ),
}
