"""Keras losses for models that predict directions."""

from tf_vmf.losses.von_mises_fisher_loss import (
    VonMisesFisherLoss,
    mean_direction_and_concentration,
    von_mises_fisher_loss,
)

__all__ = ["VonMisesFisherLoss", "mean_direction_and_concentration", "von_mises_fisher_loss"]
