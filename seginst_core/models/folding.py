"""Batch normalisation folded into the convolutions before it, for networks that only predict."""

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> None:
    """Fold each batch normalisation that follows its convolution; ``network`` is in eval mode.

    At prediction it is a scale and a shift a channel, which the convolution's own weights can hold
    (Jacob et al. 2018, section 3.2): the same result to rounding, a pass over memory less. A
    normalisation follows a convolution if it is the next child of the same module, as in
    torchvision's blocks and ours. The network can neither be trained nor saved afterwards.
    """
    for child in network.children():
        fold_batch_norm(child)
    for (name, conv), (norm_name, norm) in pairwise(list(network.named_children())):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(network, name, fuse_conv_bn_eval(conv, norm))
            setattr(network, norm_name, nn.Identity())
