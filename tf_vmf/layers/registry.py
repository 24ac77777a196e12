"""Latent layers by name, for programs and configurations that choose one by a string."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tf_vmf._errors import ArgumentError
from tf_vmf._registry import Registry
from tf_vmf.layers.latent_layer import LatentLayer
from tf_vmf.layers.learned_priors import LearnedPrior

_Class = TypeVar("_Class", bound=type[LatentLayer])

LATENTS: Registry[type[LatentLayer]] = Registry("latent layer", "tf_vmf.layers.register_latent")


def register_latent(name: str, package: str = "tf_vmf") -> Callable[[_Class], _Class]:
    """A class decorator that registers a latent layer, with Keras for saved files and by `name` for the trainers' `--latent`.

    ```python
    from tensorflow_probability import distributions as tfd

    @tf_vmf.layers.register_latent("doubly_wide_gaussian", package="my_project")
    class WideGaussianLatent(tf_vmf.layers.GaussianLatent):
        def _prior(self):
            return tfd.MultivariateNormalDiag(tf.zeros([self.latent_dim]), 2.0 * tf.ones([self.latent_dim]))
    ```

    Args:
        name: Name of the latent, for instance "vmf".
        package: Prefix of the class's name in saved files.

    Raises:
        ValueError: Another class has the name.
    """
    return LATENTS.class_decorator(name, package)


def latent_names() -> tuple[str, ...]:
    """The names of all registered latent layers, sorted."""
    return LATENTS.names()


def latent_options(name: str) -> frozenset[str]:
    """The options of a latent layer: the keyword arguments of its constructor beyond those that every latent has."""
    return frozenset(_arguments(LATENTS.find(name, owner="make_latent")) - _arguments(LatentLayer))


def mixture_prior_of(name: str) -> type[LearnedPrior] | None:
    """The class of mixtures that the latent of a name takes as `prior`; None where it takes none."""
    return LATENTS.find(name, owner="make_latent").mixture_prior


def make_latent(name: str, latent_dim: int, options: Mapping[str, Any], /, **arguments: Any) -> LatentLayer:
    """A latent layer by name.

    ```python
    tf_vmf.layers.make_latent("vmf", 25, {"concentration": 100.0}, seed=0)
    ```

    Args:
        name: A registered name, for instance "vmf", "gaussian" or "power_spherical".
        latent_dim: Dimension of the space in which z lives.
        options: Arguments that not every latent has, for instance `{"concentration": 100.0}`; see `latent_options`.
        **arguments: Arguments of every latent.

    Raises:
        ArgumentError: The name is not registered, or the layer has no such option or refuses its value.
    """
    declared = latent_options(name)
    for option, value in options.items():
        if option not in declared:
            expected = f"no such option of latent {name!r}, which has {', '.join(sorted(declared)) or 'none'}"
            raise ArgumentError(option, expected, repr(value), owner="make_latent")
    return LATENTS.find(name)(latent_dim, **options, **arguments)


def _arguments(cls: type) -> set[str]:
    """The names that the constructor takes, those it passes on to the classes above it included."""
    names: set[str] = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        names |= {each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD}
        if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
            break
    return names
