"""What a check that failed in a graph has said, and numbers that are no variables."""

import keras
import pytest
import tensorflow as tf

from tests.refusals import refused
from tf_vmf import layers, losses, models
from tf_vmf._checks import failed_check, require


def documents(**options):
    return models.BagOfWordsVAE(6, layers.GaussianLatent(3), encoder_units=(4,), decoder_units=(), **options)


def sentences(**options):
    return models.LSTMVAE(6, layers.GaussianLatent(3), embedding_dim=3, hidden_units=4, **options)


def test_a_failed_check_tells_its_message_and_data():
    @tf.function
    def checked(x):
        return require(tf.reduce_all(x >= 0), x, "x", "[counts] >= 0", tf.reduce_min(x), "in a batch")

    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        checked(tf.constant([1.0, -2.5]))
    assert failed_check(raised.value) == "Argument `x`: expected [counts] >= 0. Received: -2.5 in a batch"


def test_an_operation_that_refuses_its_input_is_no_failed_check():
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        tf.function(tf.linalg.inv)(tf.zeros([2, 2]))
    assert failed_check(raised.value) is None


VARIABLES = [lambda: tf.Variable(2.0), lambda: keras.Variable(2.0), lambda: tf.Variable(2)]


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("norm_max", lambda v: layers.UniformNormVonMisesFisherLatent(3, norm_max=v)),
        ("norm_width", lambda v: layers.UniformNormVonMisesFisherLatent(3, norm_max=9.0, norm_width=v)),
        ("norm_penalty", lambda v: layers.VonMisesFisherLatent(3, norm_penalty=v)),
        ("initial", lambda v: layers.VonMisesFisherLatent(3, concentration=layers.LearnedConcentration(initial=v))),
        ("initial_concentration", lambda v: layers.VonMisesFisherMixturePrior(initial_concentration=v)),
        ("steps", layers.LinearSchedule),
        ("end", lambda v: layers.SigmoidSchedule(10.0, end=v)),
        ("period", layers.CyclicalSchedule),
        ("latent_dim", layers.GaussianLatent),
        ("seed", lambda v: layers.GaussianLatent(3, seed=v)),
        ("scale", models.Gaussian),
        ("length_penalty", lambda v: losses.VonMisesFisherLoss(length_penalty=v)),
        ("dropout", lambda v: documents(dropout=v)),
        ("input_dropout", lambda v: documents(input_dropout=v)),
        ("z_scale", lambda v: documents(z_scale=v)),
        ("num_samples", lambda v: documents(num_samples=v)),
        ("encoder_dropout", lambda v: sentences(encoder_dropout=v)),
        ("word_dropout", lambda v: sentences(word_dropout=v)),
        ("free_bits", lambda v: sentences(free_bits=v)),
        ("z_scale", lambda v: sentences(z_scale=v)),
    ],
)
def test_a_variable_that_would_be_read_once_is_refused(name, make, variable):
    with refused(name, "Variable", "number", "float(variable)"):
        make(variable())


def test_a_setting_follows_a_variable_of_the_constructor_alone():
    for options in ({"concentration": tf.Variable(20)}, {"kl_weight": tf.Variable([0.5])}):
        with refused(*options, remedy="floating variable of shape ()"):
            layers.VonMisesFisherLatent(3, **options)
    layer = layers.VonMisesFisherLatent(3)
    layer.build((None, 4))
    for name in ("kl_weight", "concentration"):
        with refused(name, remedy="given to the constructor"):
            setattr(layer, name, tf.Variable(0.5))
