"""Use cases of a review: measuring, comparing, finding the stage at fault."""
