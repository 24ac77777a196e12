"""The published sweeps: the tables that the guide draws its figures from."""

import json

import numpy as np
import pytest

from tf_vmf.math import kl_to_uniform
from tf_vmf.report import find_sweep
from tools.results_sweep import PAPER, TABLE, nll_against_kl, paper_points, read_points


def test_the_published_table_says_what_the_guide_says():
    points = {tuple(point.setting.values()): point.mean("perplexity") for point in read_points(TABLE)}
    assert len(points) == 21
    for dim in ("10", "25", "50"):
        fixed = {float(kappa): value for (kappa, d), value in points.items() if d == dim and kappa != "learned"}
        assert fixed[100.0] <= 1.01 * min(fixed.values())
        assert points["learned", dim] < 0.98 * fixed[100.0]
    assert find_sweep(read_points(TABLE)).ranked[0].setting == {"concentration": "learned", "latent_dim": "50"}


def test_the_picture_has_a_point_per_setting_at_its_kl_and_nll():
    points = [point for point in read_points(TABLE) if point.setting["latent_dim"] == "25"]
    (axes,) = nll_against_kl({"documents": points}).axes
    drawn = {(x, y) for line in axes.lines if line.get_marker() != "None" for x, y in line.get_xydata().tolist()}
    assert drawn == {(point.mean("kl"), point.mean("nll")) for point in points}
    totals = [set(np.round(line.get_xydata().sum(axis=1), 6)) for line in axes.lines if line.get_marker() == "None"]
    assert all(len(total) == 1 for total in totals)  # the grey lines: NLL + KL is the same along each


def test_a_fixed_concentration_of_the_sweep_has_the_kl_of_the_closed_form():
    for point in read_points(TABLE):
        kappa, dim = point.setting.values()
        if kappa != "learned":
            assert point.mean("kl") == pytest.approx(float(kl_to_uniform(float(kappa), int(dim))), rel=1e-4)


def test_in_the_protocol_of_the_paper_nll_and_kl_add_up_to_its_perplexity():
    results = json.loads(PAPER.read_text(encoding="utf-8"))
    points = paper_points(results)
    concentrations = {"20", "30", "40", "80", "120", "160", "200", "learned"}
    assert {point.setting["concentration"] for point in points} == concentrations
    perplexities = [
        model["valid"]["mean_code_perplexity"]
        for model in results["models"]
        if "mean_code_perplexity" in model["valid"]
    ]
    for point in points:
        tokens_per_sentence = 73_760 / 3_370  # of validation
        perplexity = np.exp((point.mean("nll") + point.mean("kl")) / tokens_per_sentence)
        assert min(abs(perplexity - each) for each in perplexities) < 0.05
