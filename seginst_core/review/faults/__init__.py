"""What went wrong with a prediction, in which stage, and what that costs."""
