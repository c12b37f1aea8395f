"""What an encoder believes of a latent: Kingma and Welling, arXiv 1312.6114, section 3."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from ganlit.contracts import Made
from ganlit.networks.layers import wide


class Posterior(nn.Module):
    """From means and logarithms of variances to a latent, with a normal distribution beside it as "posterior".

    The logarithms are kept between -30 and 20, as in latent diffusion, arXiv 2112.10752.
    """

    def forward(self, moments: Tensor) -> Made:
        """Both, [B, 2 d, ...] one after the other, to latents [B, d, ...]: drawn in training, elsewhere the mean."""
        mean, log_variance = wide(moments).chunk(2, dim=1)
        scale = (log_variance.clamp(-30, 20) / 2).exp()
        latent = mean + scale * torch.randn_like(mean) if self.training else mean
        return Made(latent, {"posterior": Normal(mean, scale, validate_args=False)})  # NaN is for the step to find
