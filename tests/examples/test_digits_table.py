"""The example that compares latents on digits: cells, resuming, and the published table."""

import csv

import numpy as np
import pytest

from examples import digits_table
from tf_vmf.layers import ProductLatent
from tools import results_digits


def test_every_latent_has_the_intrinsic_dimension_of_its_cell():
    for dim in digits_table.DIMENSIONS:
        for name, make in digits_table.LATENTS.items():
            latent = make(dim)
            if latent is None:
                assert dim <= int(name.rpartition("_")[2])
                continue
            parts = latent.layers if isinstance(latent, ProductLatent) else [latent]
            intrinsic = sum(part.latent_dim - (name != results_digits.baseline_of(name)) for part in parts)
            assert intrinsic == dim
            assert latent.latent_dim == results_digits.ambient(name, dim)


def test_splits_are_disjoint_and_pixels_are_drawn_anew_with_the_grey_values_as_probabilities():
    data = digits_table.split(0)
    assert len(data.train) + len(data.valid) + len(data.test) == 1797
    assert set(np.unique(data.test)) == {0.0, 1.0}
    images = np.repeat(data.train[:1], 64, axis=0)
    batches = digits_table.training_batches(images, 3)
    first, second = (np.concatenate([*batches]) for _ in range(2))
    assert not np.array_equal(first, second)
    drawn = np.concatenate([first, second])
    # 640 draws of each of 64 pixels: five standard errors are at most 0.1.
    np.testing.assert_allclose(drawn.mean(axis=0), images[0], atol=0.1)


@pytest.mark.slow
def test_a_cell_is_run_once_and_the_bound_is_the_lower_the_fewer_samples(tmp_path, monkeypatch, capsys):
    calls = []
    run_cell = digits_table.run_cell
    monkeypatch.setattr(
        digits_table, "run_cell", lambda *cell: calls.append(cell) or run_cell(*cell, epochs=1, warm_up=0)
    )
    command = ["--output", str(tmp_path / "cells.csv"), "--dimensions", "2", "--seeds", "0", "--latents", "sphere"]
    digits_table.main(command)
    digits_table.main(command)
    assert len(calls) == 1
    assert "sphere d=2 seed=0" in capsys.readouterr().out
    cells = results_digits.read_cells(tmp_path / "cells.csv")
    figures = cells[2]["sphere"][0]
    assert figures["test_iw"] > figures["test_elbo"]
    assert figures["test_elbo"] == pytest.approx(figures["test_re"] - figures["test_kl"], abs=1e-3)
    assert 0.1 < figures["test_knn"] <= 1
    with (tmp_path / "cells.csv").open() as file:
        assert len(list(csv.reader(file))) == 2


def test_the_published_tables_are_those_of_the_published_cells():
    if not results_digits.TABLE.exists():
        pytest.skip("results/digits.csv is made by python -m examples.digits_table, in half an hour")
    cells = results_digits.read_cells(results_digits.TABLE)
    page = results_digits.PAGE.read_text(encoding="utf-8")
    assert results_digits.with_tables(page, cells) == page
    assert set(cells) == set(digits_table.DIMENSIONS)
    for latents in cells.values():
        for baseline in {results_digits.baseline_of(name) for name in latents}:
            means = {
                name: np.mean([cell["valid_iw"] for cell in seeds.values()])
                for name, seeds in latents.items()
                if results_digits.baseline_of(name) == baseline != name
            }
            assert results_digits.best_spherical(latents, baseline) == max(means, key=means.get)
