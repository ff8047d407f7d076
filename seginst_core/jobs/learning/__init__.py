"""Learning from corrections: looks of images, fine-tuning with its gate, refreshing the masks."""
