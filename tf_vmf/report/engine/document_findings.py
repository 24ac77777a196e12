"""Everything that the report of a document model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.evaluation.topics import prior_word_probabilities
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE
from tf_vmf.report.engine import document_topics
from tf_vmf.report.engine.clusters import nearest_centre
from tf_vmf.report.engine.code_map import CodeMap, map_codes
from tf_vmf.report.engine.document_topics import DocumentTopics, LabelPath, LabelWords
from tf_vmf.report.engine.encodings import Encodings, encode
from tf_vmf.report.engine.excerpts import Neighbour, NeighbourList, document_excerpts
from tf_vmf.report.engine.neighbours import LabelAgreement, Neighbours, label_agreement, nearest_neighbours
from tf_vmf.report.engine.published import PublishedResult, published_results, published_vocabulary_size
from tf_vmf.report.engine.run import CodeUse, Latent, Run, describe_latent, describe_run, use_of_code

_BATCH_SIZE = 500
_QUERIES, _SHOWN_NEIGHBOURS, _COUNTED_NEIGHBOURS = 4, 3, 5


@dataclass(frozen=True, eq=False)
class DocumentFindings:
    """What was found about a trained document model; `tf_vmf.report.document_report` renders it.

    Attributes:
        run: The record of the run.
        latent: The latent variable.
        published: Published results on the corpus, or ().
        published_vocabulary_size: The vocabulary behind these, or None.
        topics: Clusters of the training documents, and the axes of the latent space.
        labels: Words at the centres of labels; () without labels.
        num_labels: Labels of the training documents.
        code_map: Test documents as points, each with the topic whose centre is nearest.
        label_agreement: How often neighbours share a label; None without labels.
        neighbours: Some test documents with their nearest training documents.
        path: Words on the way between two labels, or None.
        code_use: How codes use the latent space.
    """

    run: Run
    latent: Latent
    published: tuple[PublishedResult, ...]
    published_vocabulary_size: int | None
    topics: DocumentTopics
    labels: tuple[LabelWords, ...]
    num_labels: int
    code_map: CodeMap
    label_agreement: LabelAgreement | None
    neighbours: tuple[NeighbourList, ...]
    path: LabelPath | None
    code_use: CodeUse


def find_documents(
    model: BagOfWordsVAE,
    corpus: BagOfWordsCorpus,
    metrics: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]] = (),
    config: Mapping[str, Any] | None = None,
    command: str | None = None,
    *,
    seed: int = 0,
) -> DocumentFindings:
    """Analyses a trained `BagOfWordsVAE`.

    ```python
    config = tf_vmf.programs.configs.DocumentConfig(corpus="wikipedia", epochs=2, num_importance_samples=1)
    run = tf_vmf.programs.train_documents(config, "runs/wikipedia")
    corpus = tf_vmf.data.load_bag_of_words("wikipedia")
    findings = tf_vmf.report.engine.find_documents(run.model, corpus, run.metrics, run.history)
    tf_vmf.report.document_report("report.html", findings)
    text = tf_vmf.report.engine.to_json(findings)
    ```

    Args:
        model: The trained model.
        corpus: What it was trained and evaluated on.
        metrics: The content of `metrics.json`: `test`, `baseline`, and where there are `valid`, `training`, `protocol`.
        history: A row per epoch, as in `history.csv`.
        config: The configuration of the run.
        command: The command that repeats the run.
        seed: Seed of clusters, projection and the choice of documents shown.

    Raises:
        ModuleNotFoundError: gensim is missing: pip install 'tf-vmf[demo]'.
    """
    train = encode(model, corpus.train.evaluation_batches(_BATCH_SIZE))
    test = encode(model, corpus.test.evaluation_batches(_BATCH_SIZE))
    found = nearest_neighbours(train.codes, test.codes, k=min(_COUNTED_NEIGHBOURS, len(train.codes)))
    labels, test_labels = corpus.train.labels, corpus.test.labels
    word_probabilities = prior_word_probabilities(model)
    topics = document_topics.find_topics(model, corpus, train, word_probabilities, seed)
    return DocumentFindings(
        run=describe_run(
            corpus,
            "documents",
            metrics,
            history,
            config,
            command,
            has_dropout=bool(model.dropout or model.input_dropout),
        ),
        latent=describe_latent(model.latent),
        published=published_results(corpus.name),
        published_vocabulary_size=published_vocabulary_size(corpus.name),
        topics=topics,
        labels=document_topics.find_label_words(model, corpus, train, word_probabilities),
        num_labels=0 if labels is None else len(np.unique(labels)),
        code_map=_code_map(corpus, test, topics, seed),
        label_agreement=None if labels is None or test_labels is None else label_agreement(found, labels, test_labels),
        neighbours=tuple(_neighbour_list(corpus, found, query) for query in _varied_rows(corpus.test, seed)),
        path=document_topics.find_label_path(model, corpus, train, word_probabilities),
        code_use=use_of_code(test, np.asarray(corpus.test.counts.sum(axis=1)).ravel()),
    )


def _code_map(corpus: BagOfWordsCorpus, test: Encodings, topics: DocumentTopics, seed: int) -> CodeMap:
    return map_codes(
        test.codes,
        lambda rows: document_excerpts(corpus, corpus.test, rows),
        spherical=test.spherical,
        labels=corpus.test.labels,
        label_names=corpus.label_names,
        topics=nearest_centre(test.codes, topics.centres),
        topic_names=[f"{topic.number}. {topic.name}" for topic in topics.clusters],
        seed=seed,
    )


def _neighbour_list(corpus: BagOfWordsCorpus, found: Neighbours, query: int) -> NeighbourList:
    labels, test_labels = corpus.train.labels, corpus.test.labels
    near = found.rows[query, :_SHOWN_NEIGHBOURS]
    return NeighbourList(
        query=document_excerpts(corpus, corpus.test, [query])[0],
        found=tuple(
            Neighbour(
                excerpt=excerpt,
                cosine=float(cosine),
                same_label=None if labels is None or test_labels is None else bool(labels[row] == test_labels[query]),
            )
            for row, excerpt, cosine in zip(
                near, document_excerpts(corpus, corpus.train, near), found.cosines[query], strict=False
            )
        ),
    )


def _varied_rows(documents: Documents, seed: int) -> list[int]:
    """Documents of middling length and, where there are labels, of different ones."""
    lengths = np.asarray(documents.counts.sum(axis=1)).ravel()
    low, high = np.quantile(lengths, [0.3, 0.95])
    order = np.random.default_rng(seed).permutation(len(documents))
    candidates = [int(row) for row in order if low <= lengths[row] <= high]
    if documents.labels is not None:
        first: dict[int, int] = {}
        for row in candidates:
            first.setdefault(int(documents.labels[row]), row)
        candidates = list(first.values())
    return candidates[:_QUERIES]
