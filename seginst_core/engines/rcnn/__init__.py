"""R-CNN detectors on torchvision: their networks, how they predict and how they learn."""
