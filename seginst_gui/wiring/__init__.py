"""What the parts of the window say to each other: main_window makes them, this connects them."""
