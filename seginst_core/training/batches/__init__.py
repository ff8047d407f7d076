"""What the networks see while they train: crops, and what is done to them."""
