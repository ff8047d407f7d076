"""A review inside the editor: every object of a project's images as one case."""
