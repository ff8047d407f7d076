"""What a GPU makes of training and prediction."""
