"""Files that earlier versions of the package saved load in this one and compute what they computed then."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tools.make_model_fixtures import figures

FILES = sorted((Path(__file__).parent / "fixtures").glob("*.keras"))


def test_there_are_fixtures_of_every_kind_of_model():
    kinds = {
        "documents_vmf_learned",
        "documents_power_spherical",
        "sentences_vmf",
        "sentences_gaussian_tied",
        "functional",
    }
    assert kinds <= {file.name.split("-")[0] for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_an_earlier_version_computes_what_it_did(file):
    expected = json.loads(file.with_suffix(".json").read_text())
    model = keras.saving.load_model(file, safe_mode=True)
    for name, values in figures(file.name.split("-")[0], model).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
