"""Models of the topics benchmark that run under another interpreter."""

import sys

import numpy as np
import pytest
from scipy import sparse

from benchmarks.topic_methods import Corpus, fit_peer
from benchmarks.topics import table

# An interpreter that runs the script of the peers with a model that returns what it was given.
FAKE = """#!{python}
import runpy, sys
del sys.argv[0]
script = runpy.run_path(sys.argv[0])
def fit(method, counts, num_topics, seed):
    if method == "none":
        raise ModuleNotFoundError("No module named 'topmost'")
    return counts.toarray()[:num_topics], counts.toarray() + seed
script["main"].__globals__["fit"] = fit
script["main"]()
"""


def test_counts_go_to_the_other_interpreter_and_scores_costs_and_errors_come_back(tmp_path, rng):
    python = tmp_path / "python"
    python.write_text(FAKE.format(python=sys.executable))
    python.chmod(0o755)
    counts = sparse.csr_matrix(rng.poisson(0.5, size=(6, 4)))
    corpus = Corpus(counts, list("abcd"), None, np.zeros(6))
    fitted, costs = fit_peer("ProdLDA", corpus, 3, 7, str(python))
    np.testing.assert_array_equal(fitted.word_scores, counts.toarray()[:3])
    np.testing.assert_array_equal(fitted.proportions, counts.toarray() + 7)
    assert set(costs) == {"cpu_s", "peak_memory_gb"}
    with pytest.raises(RuntimeError, match="No module named 'topmost'"):
        fit_peer("none", corpus, 3, 7, str(python))


def test_the_table_has_means_and_deviations_of_seeds():
    row = dict.fromkeys(
        ["purity", "npmi_relevance", "npmi_coherent", "npmi_relevance_other_half", "npmi_coherent_other_half"], 0.5
    )
    row |= dict.fromkeys(["npmi_shown", "diversity_shown"], 0.5)
    row |= dict.fromkeys(["diversity_10", "diversity_25", "inverted_rbo", "cpu_s", "peak_memory_gb"], 1.0)
    rows = [{"corpus": "c", "num_topics": 2, "method": "m", "nmi": nmi, **row} for nmi in (0.1, 0.2, 0.3)]
    last = table(rows).splitlines()[-1]
    assert last.startswith("| c | 2 | m | 3 | 0.200 ± 0.100 |")
