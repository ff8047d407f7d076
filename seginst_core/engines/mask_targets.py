"""What a mask head has to draw in a proposal, cut out of its object's square."""

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import roi_align


def cut_targets(boxes: Tensor, squares: Tensor, rois: Tensor, side: int) -> Tensor:
    """Cut the target ``(n, side, side)``, 0 or 1, of each proposal out of its object's square.

    ``boxes`` ``(n, 4)`` are the objects', ``squares`` ``(n, M, M)`` their masks within their boxes
    and ``rois`` ``(n, 4)`` the proposals; all in the same pixels.
    """
    if len(rois) == 0:
        return rois.new_zeros(0, side, side)
    scale = squares.shape[-1] / (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3)
    local = torch.cat(
        [(rois[:, :2] - boxes[:, :2]) * scale, (rois[:, 2:] - boxes[:, :2]) * scale], 1
    )
    index = torch.arange(len(rois), device=rois.device, dtype=rois.dtype)[:, None]
    # A pixel ring of zeros: roi_align would otherwise repeat the border outside the object's box.
    ringed = functional.pad(squares.float().unsqueeze(1), (1, 1, 1, 1))
    cut: Tensor = roi_align(ringed, torch.cat([index, local + 1], 1), side, aligned=True)
    return (cut.squeeze(1) >= 0.5).float()
