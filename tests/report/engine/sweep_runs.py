"""Runs of a sweep for the tests of analysis and reports."""

import json

KEYS = ("perplexity", "document_perplexity", "iw_perplexity", "nll", "kl", "code_gain")
# (concentration, latent_dim, seed): validation perplexity
PERPLEXITIES = {
    ("10", "5", "0"): 120.0, ("10", "5", "1"): 126.0, ("100", "5", "0"): 100.0, ("100", "5", "1"): 104.0,
    ("learned", "5", "0"): 90.0, ("learned", "5", "1"): 94.0, ("10", "25", "0"): 80.0, ("10", "25", "1"): 200.0,
}  # fmt: skip


def write_runs(folder, perplexities=PERPLEXITIES, tokens=1000, examples=50):
    """Settings and folders of finished runs, whose test figures are the opposite of the validation figures."""
    found = []
    for (concentration, dim, seed), perplexity in perplexities.items():
        run = folder / f"{concentration}_{dim}_{seed}"
        run.mkdir()
        counted = {"tokens": tokens, "examples": examples}
        splits = {"valid": perplexity, "test": 1000.0 - perplexity}
        metrics = {split: {**dict.fromkeys(KEYS, value), **counted} for split, value in splits.items()}
        (run / "metrics.json").write_text(json.dumps({**metrics, "protocol": {}}))
        found.append(({"concentration": concentration, "latent_dim": dim, "seed": seed}, run))
    return found
