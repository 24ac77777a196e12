"""What `import tf_vmf` does and does not."""

import os
import subprocess
import sys

import pytest

import tf_vmf
from tests.parameters import quick


def run(code, *arguments, **environment):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def test_import_is_light_and_finds_every_subpackage_later():
    finished = run(
        "import sys, tf_vmf\n"
        "assert not {'tensorflow', 'keras', 'tensorflow_probability', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "tf_vmf.layers.VonMisesFisherLatent(5); tf_vmf.models.BagOfWordsVAE; tf_vmf.math.kl_to_uniform\n"
        "assert 'tensorflow_probability' not in sys.modules\n"
        "tf_vmf.distributions.VonMisesFisher\n"
        "assert 'tensorflow_probability' in sys.modules"
    )
    assert finished.returncode == 0, finished.stderr


def test_reading_text_needs_no_tensorflow_so_that_a_wrong_file_is_named_at_once():
    finished = run(
        "import sys, tf_vmf\n"
        "from tf_vmf.text.files import TextFiles\n"
        "assert tf_vmf.text.split_sentences('It rose. It set.') == ['It rose.', 'It set.']\n"
        "try:\n"
        "    list(TextFiles(['missing.txt']))\n"
        "except FileNotFoundError as error:\n"
        "    print(error)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "print(tf_vmf.text.Tokenizer()(['The moon']))"
    )
    lines = finished.stdout.splitlines()
    assert "missing.txt" in lines[0], finished.stderr
    assert lines[1] == "[[b'the', b'moon']]"


@pytest.mark.slow
def test_training_a_latent_layer_needs_no_tensorflow_probability():
    finished = run(
        "import sys, keras, numpy as np, tf_vmf\n"
        "latent = tf_vmf.layers.VonMisesFisherLatent(5, concentration='learned')\n"
        "model = keras.Sequential([keras.Input((7,)), latent, keras.layers.Dense(1)])\n"
        "model.compile('adam', 'mse')\n"
        "model.fit(np.ones((4, 7)), np.ones((4, 1)), verbose=0)\n"
        "assert 'tensorflow_probability' not in sys.modules"
    )
    assert finished.returncode == 0, finished.stderr


# A module that stands for Keras with another backend, which is not installed here.
KERAS_WITH_JAX = """
import sys, types
keras = types.ModuleType("keras")
keras.config = types.SimpleNamespace(backend=lambda: "jax")
sys.modules["keras"] = keras
"""


@pytest.mark.slow
@pytest.mark.parametrize("keras", ["", KERAS_WITH_JAX], ids=["KERAS_BACKEND", "Keras imported before"])
def test_another_backend_of_keras_is_refused_by_its_name(keras):
    finished = run(
        f"{keras}\n"
        "import tf_vmf\n"
        "for name in ('layers', 'models', 'serving', 'text.as_vectorizer', 'topics', 'training', 'TopicModel'):\n"
        "    try:\n"
        "        eval(f'tf_vmf.{name}')\n"
        "    except ImportError as error:\n"
        "        print(error)\n",
        KERAS_BACKEND="" if keras else "jax",
    )
    lines = finished.stdout.splitlines()
    assert len(lines) == 7, finished.stderr
    assert {line.partition(" Set the")[0] for line in lines} == {
        "tf_vmf needs the TensorFlow backend of Keras. Received: jax."
    }


def test_an_unknown_name_is_an_error_that_names_the_closest():
    with pytest.raises(AttributeError, match=r"no attribute 'layer'\. Did you mean 'layers'\?"):
        _ = tf_vmf.layer
    with pytest.raises(AttributeError, match=r"no attribute 'optimizers'.*distributions"):
        _ = tf_vmf.optimizers


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    tf_vmf.models.BagOfWordsVAE(11, tf_vmf.layers.VonMisesFisherLatent(3), encoder_units=(5,)).save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    quick(
        3,
        [
            "import tf_vmf; import keras",
            "import keras; import tf_vmf",
            "import tf_vmf.data",
            "import tensorflow as tf; import tf_vmf; tf.keras",
            *(f"import tf_vmf.{name}" for name in ("layers", "evaluation", "serving")),
            "import tf_vmf; tf_vmf.layers.GaussianLatent",
            "from tf_vmf.training import ReplicatedModel",
        ],
    ),
)
def test_saved_files_load_in_whatever_order_things_are_imported(imports, saved):
    finished = run(f"{imports}\nimport sys, keras\nprint(type(keras.saving.load_model(sys.argv[1])).__name__)", saved)
    assert finished.stdout.strip() == "BagOfWordsVAE", finished.stderr


@pytest.mark.slow
def test_a_misspelt_class_or_argument_is_an_error_for_a_type_checker(tmp_path):
    (tmp_path / "right.py").write_text(
        "import tf_vmf\ntf_vmf.layers.VonMisesFisherLatent(5)\ntf_vmf.models.load('runs/a')\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import tf_vmf\n"
        "tf_vmf.layers.VonMisesFischerLatent(5)\n"
        "tf_vmf.model\n"
        "tf_vmf.models.laod('runs/a')\n"
        "tf_vmf.math.kl_to_uniform(1.0, dimensions=5)\n"
    )
    checked = {
        name: subprocess.run(
            [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", tmp_path / f"{name}.py"],
            capture_output=True,
            text=True,
            check=False,
        )
        for name in ("right", "wrong")
    }
    assert checked["right"].returncode == 0, checked["right"].stdout
    errors = checked["wrong"].stdout
    assert [f"wrong.py:{line}: error" in errors for line in (2, 3, 4, 5)] == [True] * 4, errors
