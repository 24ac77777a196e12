"""Distributions on the unit sphere, for TensorFlow Probability.

TensorFlow Probability is imported when a class is first used (PEP 562), not with this package.
"""

from typing import TYPE_CHECKING

from tf_vmf._lazy import lazy_names

if TYPE_CHECKING:
    from tf_vmf.distributions.inference import VonMisesFisherFit, fit_with_errors
    from tf_vmf.distributions.mixture import VonMisesFisherMixture
    from tf_vmf.distributions.pairwise import pairwise_log_prob
    from tf_vmf.distributions.power_spherical import PowerSpherical
    from tf_vmf.distributions.sphere_tests import (
        SphereTest,
        bingham_test,
        goodness_of_fit,
        rayleigh_test,
        two_sample_test,
    )
    from tf_vmf.distributions.spherical_k_means import SphericalKMeans
    from tf_vmf.distributions.stereographic_projection import StereographicProjection
    from tf_vmf.distributions.uniform_norm_von_mises_fisher import UniformNormVonMisesFisher
    from tf_vmf.distributions.von_mises_fisher import VonMisesFisher

__all__ = [
    "PowerSpherical",
    "SphereTest",
    "SphericalKMeans",
    "StereographicProjection",
    "UniformNormVonMisesFisher",
    "VonMisesFisher",
    "VonMisesFisherFit",
    "VonMisesFisherMixture",
    "bingham_test",
    "fit_with_errors",
    "goodness_of_fit",
    "pairwise_log_prob",
    "rayleigh_test",
    "two_sample_test",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "divergences": ["PowerSpherical", "VonMisesFisher"],  # which are registered with the distributions
            "inference": ["VonMisesFisherFit", "fit_with_errors"],
            "mixture": ["VonMisesFisherMixture"],
            "pairwise": ["pairwise_log_prob"],
            "sphere_tests": ["SphereTest", "bingham_test", "goodness_of_fit", "rayleigh_test", "two_sample_test"],
            "spherical_k_means": ["SphericalKMeans"],
            "stereographic_projection": ["StereographicProjection"],
            "uniform_norm_von_mises_fisher": ["UniformNormVonMisesFisher"],
        },
    )
