"""A misspelt argument is an error that names the closest one."""

import keras
import pytest

from tf_vmf._keywords import CheckedKeywords
from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.models import VAE, BagOfWordsVAE


class Outer(CheckedKeywords, keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units


class Inner(Outer):
    """Passes everything on, and has an argument of its own."""

    def __init__(self, *, slope=1.0, **kwargs):
        super().__init__(3, **kwargs)
        self.slope = slope


class Closed(Outer):
    """Passes nothing on."""

    def __init__(self, slope=1.0):
        super().__init__(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Inner(slop=2.0), r"Inner got an unexpected keyword argument 'slop'. Did you mean 'slope'\?"),
        (lambda: Inner(trainabel=True), "'trainable'"),
        (lambda: Inner(foo=1), "'foo'. Expected one of: .*slope"),
        (lambda: Closed(slop=1), "'slope'"),
        (lambda: BagOfWordsVAE(4, GaussianLatent(2), encoder_unit=(3,)), "'encoder_units'"),
        (lambda: BagOfWordsVAE(4, GaussianLatent(2), nmu_samples=3), "'num_samples'"),
        (lambda: VAE(None, None, None, "gaussian", sead=1), "VAE .*'sead'. Did you mean 'seed'"),
        (lambda: VonMisesFisherLatent(3, concentraton=2.0), "'concentration'"),
        (lambda: GaussianLatent(3, klweight=2.0), "'kl_weight'"),
    ],
)
def test_the_closest_argument_is_named(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_an_argument_by_position_that_has_a_name_is_told_so():
    with pytest.raises(TypeError, match=r"VonMisesFisherLatent takes by position latent_dim\..*concentration=100\.0"):
        VonMisesFisherLatent(5, 100.0)
    with pytest.raises(TypeError, match=r"Closed takes by position slope"):
        Closed(1.0, 2.0)


def test_arguments_of_keras_are_known():
    layer = Inner(slope=2.0, name="inner", dtype="float64", trainable=False)
    assert (layer.name, layer.dtype, layer.trainable) == ("inner", "float64", False)
