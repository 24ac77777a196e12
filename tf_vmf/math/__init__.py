"""Special functions of the von Mises-Fisher distribution: tensors in, tensors out.

`dim` is a Python int, the dimension of the space that holds the sphere; `concentration` a float tensor of any shape,
>= 0. Every function is differentiable at least twice, works in float32 and float64 (half precision is computed in
float32), in eager mode, `tf.function`, XLA and `tf.vectorized_map`, and keeps its relative accuracy in every dimension
and at every concentration.

TensorFlow is imported when a function is first used (PEP 562): NumPy programs use `tf_vmf.math.arrays` without it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_vmf.math.arrays import log_sphere_area
    from tf_vmf.math.bessel import bessel_i_ratio, bessel_i_ratio_derivative, log_bessel_i
    from tf_vmf.math.cosine_distribution import von_mises_fisher_cosine_cdf, von_mises_fisher_cosine_quantile
    from tf_vmf.math.divergence import kl_to_uniform, kl_von_mises_fisher
    from tf_vmf.math.interpolation import check_unit_vectors, great_circle, straight_line
    from tf_vmf.math.normalizer import log_hyp0f1, log_normalizer, log_prob_at_mode
    from tf_vmf.math.power_spherical import power_spherical_kl_to_uniform, power_spherical_log_prob_at_mode
    from tf_vmf.math.resultant_length import (
        inverse_mean_resultant_length,
        inverse_one_minus_mean_resultant_length,
        mean_resultant_length,
        mean_resultant_length_derivative,
        one_minus_mean_resultant_length,
    )
    from tf_vmf.math.von_mises_fisher_sampler import von_mises_fisher_sample

# Name -> the module that defines it.
_MODULES = {
    "bessel_i_ratio": "bessel",
    "bessel_i_ratio_derivative": "bessel",
    "check_unit_vectors": "interpolation",
    "great_circle": "interpolation",
    "inverse_mean_resultant_length": "resultant_length",
    "inverse_one_minus_mean_resultant_length": "resultant_length",
    "kl_to_uniform": "divergence",
    "kl_von_mises_fisher": "divergence",
    "log_bessel_i": "bessel",
    "log_hyp0f1": "normalizer",
    "log_normalizer": "normalizer",
    "log_prob_at_mode": "normalizer",
    "log_sphere_area": "arrays",
    "mean_resultant_length": "resultant_length",
    "mean_resultant_length_derivative": "resultant_length",
    "one_minus_mean_resultant_length": "resultant_length",
    "power_spherical_kl_to_uniform": "power_spherical",
    "power_spherical_log_prob_at_mode": "power_spherical",
    "straight_line": "interpolation",
    "von_mises_fisher_cosine_cdf": "cosine_distribution",
    "von_mises_fisher_cosine_quantile": "cosine_distribution",
    "von_mises_fisher_sample": "von_mises_fisher_sampler",
}

__all__ = [
    "bessel_i_ratio",
    "bessel_i_ratio_derivative",
    "check_unit_vectors",
    "great_circle",
    "inverse_mean_resultant_length",
    "inverse_one_minus_mean_resultant_length",
    "kl_to_uniform",
    "kl_von_mises_fisher",
    "log_bessel_i",
    "log_hyp0f1",
    "log_normalizer",
    "log_prob_at_mode",
    "log_sphere_area",
    "mean_resultant_length",
    "mean_resultant_length_derivative",
    "one_minus_mean_resultant_length",
    "power_spherical_kl_to_uniform",
    "power_spherical_log_prob_at_mode",
    "straight_line",
    "von_mises_fisher_cosine_cdf",
    "von_mises_fisher_cosine_quantile",
    "von_mises_fisher_sample",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tf_vmf.math' has no attribute {name!r}. It has {', '.join(__all__)}.", name=name)
    return getattr(importlib.import_module(f"tf_vmf.math.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
