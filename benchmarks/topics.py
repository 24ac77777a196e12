"""Topic models side by side: `fit(texts)` of `TopicModel`, and LDA, NMF, LSA with k-means and others on the same words.

python -m benchmarks.topics --data_dir=DIR --corpora BBC_News M10 --seeds 5 --output=benchmarks/results/topics.json

A corpus is a folder of DIR with `corpus.tsv` (`text<TAB>partition<TAB>label` per line, words separated by spaces) and
`vocabulary.txt`, or `20ng` with `train.feat`, `test.feat` and `vocab.new`. The whole corpus is fitted and scored, K is the number
of classes unless `--num_topics` is given. Every run is a process of its own, and every model has the defaults of its library.
CPU time is that of the fit, without imports of this package.

`--vectors=FOLDER` adds methods that read vectors of the texts: FOLDER/NAME.npy has a row per line of the corpus NAME.

`--peers_python=/path/to/venv/bin/python` adds ProdLDA, ETM, ECRTM and FASTopic of TopMost, and with vectors BERTopic, run by an
interpreter that has them (`pip install topmost bertopic`; their requirements need not fit ours). FASTopic gets 100 dimensions of
LSA instead of sentence embeddings, and ETM and ECRTM start from random word vectors.

Scores: c_npmi of ten words (gensim, windows of 10 words; whole documents for 20ng, whose words have no order), as ranked by the
model ("relevance"), with the most coherent 10 of the 20 highest ranked words ("coherent", as `TopicModel` does by default; the
same step for every model), and as each model shows them ("shown": for ours the second, for others the first). "Other half" ranks
coherent words by the co-occurrences in one half of the documents and measures them in the other. NMI and purity of the largest
proportion with the labels.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.topic_methods import METHODS, PEERS, WITH_VECTORS, Corpus, Fitted, fit_peer
from tf_vmf.files import write_text

_FIRST, _DIVERSITY_WORDS = 10, (10, 25)


def read_corpus(folder: Path, vectors: Path | None = None) -> Corpus:
    """Reads a corpus, and the vectors of its texts from a folder; see the module's docstring."""
    if (folder / "train.feat").is_file():
        from tf_vmf.data import load_bag_of_words

        files = [str(folder / name) for name in ("train.feat", "test.feat")]
        loaded = load_bag_of_words(train_files=files, vocab_file=folder / "vocab.new", validation_size=1, test_size=1)
        splits = [loaded.train, loaded.valid, loaded.test]
        counts = sparse.vstack([split.counts for split in splits]).tocsr()
        labels = np.concatenate([np.asarray(split.labels) for split in splits])
        return Corpus(counts, list(loaded.vocabulary), None, labels)
    vocabulary = (folder / "vocabulary.txt").read_text("utf-8").split("\n")[:-1]
    known = {word: column for column, word in enumerate(vocabulary)}
    sequences: list[list[str]] = []
    classes: list[str] = []
    kept: list[int] = []
    for number, line in enumerate((folder / "corpus.tsv").read_text("utf-8").splitlines()):
        text, _, label = line.split("\t")
        words = [word for word in text.split() if word in known]
        if words:
            sequences.append(words)
            classes.append(label)
            kept.append(number)
    columns = [known[word] for words in sequences for word in words]
    offsets = np.concatenate([[0], np.cumsum([len(words) for words in sequences])])
    counts = sparse.csr_matrix((np.ones(len(columns)), columns, offsets), (len(sequences), len(vocabulary)))
    counts.sum_duplicates()
    of_texts = None if vectors is None else np.load(vectors / f"{folder.name}.npy")[kept]
    return Corpus(counts, vocabulary, sequences, np.array(classes), of_texts)


def score(fitted: Fitted, corpus: Corpus, seed: int) -> dict[str, float]:
    """All scores of a fitted model."""
    from sklearn.metrics import normalized_mutual_info_score

    from tf_vmf.evaluation import inverted_rbo, purity, topic_diversity
    from tf_vmf.topics.words import WordSettings, rank_words

    halves = np.array_split(np.random.default_rng(seed).permutation(len(corpus.labels)), 2)
    rankings = {
        "relevance": np.argsort(-fitted.word_scores, axis=1, kind="stable"),
        "coherent": rank_words(fitted.word_scores, corpus.counts, WordSettings()),
        "half": rank_words(fitted.word_scores, corpus.counts[halves[0]], WordSettings()),
    }
    words = {name: [[corpus.vocabulary[w] for w in row[:25]] for row in order] for name, order in rankings.items()}
    words["shown"] = fitted.shown or words["relevance"]
    found = fitted.proportions.argmax(axis=1)
    result = {
        "npmi_shown": coherence(words["shown"], corpus),
        "diversity_shown": topic_diversity(words["shown"], _FIRST),
        "npmi_relevance": coherence(words["relevance"], corpus),
        "npmi_coherent": coherence(words["coherent"], corpus),
        "npmi_relevance_other_half": coherence(words["relevance"], _part(corpus, halves[1])),
        "npmi_coherent_other_half": coherence(words["half"], _part(corpus, halves[1])),
        "inverted_rbo": inverted_rbo(words["coherent"]),
        "nmi": normalized_mutual_info_score(corpus.labels, found),
        "purity": purity(corpus.labels, found),
    }
    for size in _DIVERSITY_WORDS:
        result[f"diversity_{size}"] = topic_diversity(words["coherent"], size)
    return result


def coherence(words: list[list[str]], corpus: Corpus) -> float:
    """Mean c_npmi of the first ten words; whole documents as windows where words have no order."""
    from tf_vmf.data.documents import Documents
    from tf_vmf.evaluation import npmi_coherence, topic_coherence

    if corpus.sequences is None:
        return float(npmi_coherence(words, Documents(corpus.counts), corpus.vocabulary, _FIRST).mean())
    # gensim refuses words that do not occur: an empty document would not help, one of all words counts as one window of many.
    missing = sorted({w for row in words for w in row} - {w for document in corpus.sequences for w in document})
    return float(topic_coherence(words, [*corpus.sequences, *([w] for w in missing)], num_words=_FIRST).mean())


def _part(corpus: Corpus, rows: np.ndarray) -> Corpus:
    sequences = None if corpus.sequences is None else [corpus.sequences[row] for row in rows]
    return Corpus(corpus.counts[rows], corpus.vocabulary, sequences, corpus.labels[rows])


def _run(method: str, arguments: argparse.Namespace, name: str, seed: int, results: Any) -> None:
    """One run in a process of its own, so that its memory and CPU time are its own."""
    import tf_vmf.topics  # noqa: F401 - its import is no part of a fit

    num_topics, peers_python = arguments.num_topics, arguments.peers_python
    corpus = read_corpus(arguments.data_dir / name, arguments.vectors if method in WITH_VECTORS else None)
    topics = num_topics or len(np.unique(corpus.labels))
    if method in PEERS:
        assert peers_python is not None  # the parser has seen to it
        fitted, cost = fit_peer(method, corpus, topics, seed, peers_python)
    else:
        started = time.process_time()
        fitted = METHODS[method](corpus, topics, seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        cost = {"cpu_s": time.process_time() - started, "peak_memory_gb": peak}
    results.put({"num_topics": topics, **cost, **score(fitted, corpus, seed)})


def table(rows: list[dict[str, Any]]) -> str:
    """Means and deviations over seeds as Markdown."""
    columns = [
        "nmi", "purity", "npmi_shown", "diversity_shown", "npmi_relevance", "npmi_coherent", "npmi_relevance_other_half",
        "npmi_coherent_other_half", "diversity_10", "diversity_25", "inverted_rbo", "cpu_s", "peak_memory_gb",
    ]  # fmt: skip
    lines = [
        f"| corpus | K | model | seeds | {' | '.join(columns)} |",
        f"|---|--:|---|--:|{'--:|' * len(columns)}",
    ]
    for key in dict.fromkeys((row["corpus"], row["num_topics"], row["method"]) for row in rows):
        same = [row for row in rows if (row["corpus"], row["num_topics"], row["method"]) == key]
        cells = []
        for column in columns:
            values = np.array([row[column] for row in same])
            precise = column not in ("cpu_s", "peak_memory_gb")
            spread = f" ± {values.std(ddof=1):.3f}" if precise and len(values) > 1 else ""
            cells.append(f"{values.mean():.3f}{spread}" if precise else f"{values.mean():.1f}")
        lines.append(f"| {key[0]} | {key[1]} | {key[2]} | {len(same)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True)
    parser.add_argument("--corpora", nargs="+", required=True)
    parser.add_argument("--methods", nargs="+", default=None, choices=[*METHODS, *PEERS], help="all by default")
    parser.add_argument("--peers_python", help="an interpreter with TopMost or BERTopic")
    parser.add_argument("--vectors", type=Path, help="a folder with the vectors of the texts")
    parser.add_argument("--num_topics", type=int, default=None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", type=Path, required=True, help="JSON lines; runs that it holds are not repeated")
    arguments = parser.parse_args()
    methods = arguments.methods or [*METHODS, *(PEERS if arguments.peers_python else ())]
    if arguments.vectors is None:
        if set(arguments.methods or ()) & set(WITH_VECTORS):
            parser.error(f"{', '.join(WITH_VECTORS)} need --vectors.")
        methods = [method for method in methods if method not in WITH_VECTORS]
    if set(methods) & set(PEERS) and not arguments.peers_python:
        parser.error(f"{', '.join(PEERS)} need --peers_python, an interpreter that has them.")
    rows = []
    if arguments.output.is_file():
        rows = [json.loads(line) for line in arguments.output.read_text("utf-8").splitlines()]
    context = multiprocessing.get_context("spawn")
    for seed in range(arguments.seeds):
        for corpus in arguments.corpora:
            for method in methods:
                name = {"corpus": corpus, "method": method, "seed": seed, "requested": arguments.num_topics}
                if any(name.items() <= row.items() for row in rows):
                    continue
                results = context.SimpleQueue()
                process = context.Process(target=_run, args=(method, arguments, corpus, seed, results))
                process.start()
                process.join()
                if process.exitcode:
                    raise RuntimeError(f"{name} failed.")
                rows.append({**name, **results.get()})
                write_text(arguments.output, "".join(json.dumps(row) + "\n" for row in rows))
                print(table(rows[-1:]).splitlines()[-1], flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
