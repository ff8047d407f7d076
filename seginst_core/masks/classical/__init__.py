"""Classical selection: masks that follow the colours and edges of the image."""
