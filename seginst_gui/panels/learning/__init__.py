"""Panels of learning: the run at work, what came of it, and which model was live when."""
