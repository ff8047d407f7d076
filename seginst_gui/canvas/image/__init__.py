"""The image of the canvas: its levels, a closer look at its pixels, and the whole of it, small."""
