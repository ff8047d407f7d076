"""Files that ship with SegInst: icons, style and starter models."""
