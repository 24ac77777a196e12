"""One small fitted model for all tests of topics that do not change it."""

import pytest

from tests.topics.planted import planted_texts
from tf_vmf.topics import TopicModel

SMALL = {"stop_words": "none", "latent_dim": 5, "hidden_units": 32, "epochs": 60, "batch_size": 30, "random_state": 0}
SMALL |= {"learning_rate": 5e-3}


def small(num_topics=3, **arguments):
    return TopicModel(num_topics, **{**SMALL, **arguments})


@pytest.fixture(scope="session")
def fitted_folder(tmp_path_factory):
    """A saved model of the planted texts, the first of which is empty."""
    folder = tmp_path_factory.mktemp("topics") / "model"
    small().fit(["", *planted_texts()[0]]).save(folder)
    return folder


@pytest.fixture(scope="session")
def planted_folder(tmp_path_factory):
    """A saved model of the planted texts."""
    folder = tmp_path_factory.mktemp("topics") / "planted"
    small().fit(planted_texts()[0]).save(folder)
    return folder


@pytest.fixture
def model(fitted_folder):
    """The model, which a test may change."""
    return TopicModel.load(fitted_folder)


@pytest.fixture(scope="module")
def fitted(fitted_folder):
    """The model, which no test may change."""
    return TopicModel.load(fitted_folder)
