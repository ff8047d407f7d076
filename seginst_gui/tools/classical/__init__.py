"""The tools that follow the colours and edges of the image."""
