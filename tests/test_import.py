"""What `import tf_vmf` does and does not."""

import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_import_is_light_and_finds_every_subpackage_later():
    finished = run(
        "import sys, tf_vmf\n"
        "assert not {'tensorflow', 'keras', 'tensorflow_probability', 'matplotlib'} & set(sys.modules)\n"
        "tf_vmf.layers.VonMisesFisherLatent(5); tf_vmf.models.BagOfWordsVAE; tf_vmf.math.kl_to_uniform\n"
        "assert 'tensorflow_probability' not in sys.modules\n"
        "tf_vmf.distributions.VonMisesFisher\n"
        "assert 'tensorflow_probability' in sys.modules"
    )
    assert finished.returncode == 0, finished.stderr


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


def test_an_unknown_subpackage_is_named():
    finished = run("import tf_vmf; tf_vmf.optimizers")
    assert "no attribute 'optimizers'" in finished.stderr
    assert "distributions" in finished.stderr
