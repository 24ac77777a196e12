"""Special functions of the von Mises-Fisher distribution: tensors in, tensors out.

`dim` is a Python int, the dimension of the space that holds the sphere; `concentration` a float tensor of any shape,
>= 0. Every function is differentiable at least twice, works in float32 and float64 (half precision is computed in
float32), in eager mode, `tf.function`, XLA and `tf.vectorized_map`, and keeps its relative accuracy in every dimension
and at every concentration.

TensorFlow is imported when a function is first used (PEP 562): NumPy programs use `tf_vmf.math.arrays` without it.
"""

from typing import TYPE_CHECKING

from tf_vmf._lazy import lazy_names

if TYPE_CHECKING:
    from tf_vmf.math.arrays import log_sphere_area
    from tf_vmf.math.bessel import (
        bessel_i_ratio,
        bessel_i_ratio_derivative,
        log_bessel_i,
        log_hyp0f1,
        log_normalizer,
        log_prob_at_mode,
    )
    from tf_vmf.math.cosine_distribution import von_mises_fisher_cosine_cdf, von_mises_fisher_cosine_quantile
    from tf_vmf.math.divergence import kl_to_uniform, kl_von_mises_fisher
    from tf_vmf.math.power_spherical import power_spherical_kl_to_uniform, power_spherical_log_prob_at_mode
    from tf_vmf.math.resultant_length import (
        inverse_mean_resultant_length,
        inverse_one_minus_mean_resultant_length,
        mean_resultant_length,
        mean_resultant_length_derivative,
        one_minus_mean_resultant_length,
    )
    from tf_vmf.math.unit_vectors import check_unit_vectors, great_circle, straight_line
    from tf_vmf.math.von_mises_fisher_sampler import von_mises_fisher_sample

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

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "arrays": ["log_sphere_area"],
            "bessel": [
                *("bessel_i_ratio", "bessel_i_ratio_derivative", "log_bessel_i"),
                *("log_hyp0f1", "log_normalizer", "log_prob_at_mode"),
            ],
            "cosine_distribution": ["von_mises_fisher_cosine_cdf", "von_mises_fisher_cosine_quantile"],
            "divergence": ["kl_to_uniform", "kl_von_mises_fisher"],
            "power_spherical": ["power_spherical_kl_to_uniform", "power_spherical_log_prob_at_mode"],
            "resultant_length": [
                "inverse_mean_resultant_length",
                "inverse_one_minus_mean_resultant_length",
                "mean_resultant_length",
                "mean_resultant_length_derivative",
                "one_minus_mean_resultant_length",
            ],
            "unit_vectors": ["check_unit_vectors", "great_circle", "straight_line"],
            "von_mises_fisher_sampler": ["von_mises_fisher_sample"],
        },
    )
