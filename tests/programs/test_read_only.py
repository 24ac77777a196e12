"""A complete run in a folder that cannot be written to."""

import subprocess

import numpy as np
import pytest

from tf_vmf import programs
from tf_vmf.programs.configs import DocumentConfig
from tf_vmf.version import checkout_commit


@pytest.mark.slow
def test_a_complete_run_in_a_read_only_folder_can_be_looked_at_and_not_gone_on_with(tmp_path):
    words = [["star", "planet", "orbit", "moon"], ["flour", "butter", "sugar", "oven"]]
    rng = np.random.default_rng(0)
    (tmp_path / "texts.txt").write_text("\n".join(" ".join(rng.choice(words[i % 2], 6)) for i in range(60)))
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk")
    options = {"train_files": (str(tmp_path / "texts.txt"),), "stop_words": "none", "latent_dim": 3}
    options |= {"encoder_units": (8,), "num_importance_samples": 1}
    try:
        config = DocumentConfig(**options, epochs=1)
        run = programs.train_documents(config, disk / "run", verbose=False)
        assert run.metrics["protocol"]["versions"].get("commit") == checkout_commit()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        again = programs.train_documents(config, disk / "run", verbose=False)
        assert again.metrics == run.metrics
        assert again.history == run.history
        np.testing.assert_array_equal(again.model.get_weights()[0], run.model.get_weights()[0])
        with pytest.raises(OSError, match="Read-only file system"):
            programs.train_documents(DocumentConfig(**options, epochs=2), disk / "run", verbose=False)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
