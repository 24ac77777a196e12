"""Distributions on the unit sphere, for TensorFlow Probability.

TensorFlow Probability is imported when a class is first used (PEP 562), not with this package.
"""

import importlib
from typing import TYPE_CHECKING, Any

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

# Name -> modules to import; the last one defines it. The divergences are registered with the distributions.
_MODULES = {
    "PowerSpherical": ("divergences", "power_spherical"),
    "SphereTest": ("sphere_tests",),
    "SphericalKMeans": ("spherical_k_means",),
    "StereographicProjection": ("stereographic_projection",),
    "UniformNormVonMisesFisher": ("uniform_norm_von_mises_fisher",),
    "VonMisesFisher": ("divergences", "von_mises_fisher"),
    "VonMisesFisherFit": ("inference",),
    "VonMisesFisherMixture": ("mixture",),
    "bingham_test": ("sphere_tests",),
    "fit_with_errors": ("inference",),
    "goodness_of_fit": ("sphere_tests",),
    "pairwise_log_prob": ("pairwise",),
    "rayleigh_test": ("sphere_tests",),
    "two_sample_test": ("sphere_tests",),
}

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


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tf_vmf.distributions' has no attribute {name!r}. It has {', '.join(__all__)}.")
    modules = [importlib.import_module(f"tf_vmf.distributions.{module}") for module in _MODULES[name]]
    return getattr(modules[-1], name)


def __dir__() -> list[str]:
    return sorted(__all__)
