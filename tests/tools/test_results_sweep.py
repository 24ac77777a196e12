"""The published sweep: the table that the guide draws its figure from."""

from tf_vmf.analysis import find_sweep
from tools.results_sweep import TABLE, read_points


def test_the_published_table_says_what_the_guide_says():
    points = {tuple(point.setting.values()): point.mean("perplexity") for point in read_points(TABLE)}
    assert len(points) == 21
    for dim in ("10", "25", "50"):
        fixed = {float(kappa): value for (kappa, d), value in points.items() if d == dim and kappa != "learned"}
        assert fixed[100.0] <= 1.01 * min(fixed.values())
        assert points["learned", dim] < 0.98 * fixed[100.0]
    assert find_sweep(read_points(TABLE)).ranked[0].setting == {"concentration": "learned", "latent_dim": "50"}
