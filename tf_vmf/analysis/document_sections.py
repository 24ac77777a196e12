"""The sections of a document model's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_vmf.analysis import plots, run_sections
from tf_vmf.analysis.clusters import cluster_codes
from tf_vmf.analysis.encodings import Encodings, label_centres
from tf_vmf.analysis.neighbours import nearest_neighbours
from tf_vmf.analysis.projection import project
from tf_vmf.analysis.published import published_results
from tf_vmf.analysis.report import Block, Image, Passage, PassageList, Section, Table, Text
from tf_vmf.data.corpus import BagOfWordsCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.evaluation.topics import Topic, npmi_coherence, topic_diversity, topics
from tf_vmf.models.bag_of_words_vae import BagOfWordsVAE

_TOPIC_WORDS, _DIVERSITY_WORDS = 10, 25
_GROUPS, _MOST_TOPICS, _MOST_LABELS = 20, 20, 24
_MAP_POINTS = 1500
_QUERIES, _NEIGHBOURS, _SNIPPET = 4, 3, 260


def results(metrics: Mapping[str, Any], corpus_name: str) -> Section:
    """The figures, what each one means, the unigram baseline and, where there are any, published results."""
    test, baseline = metrics["test"], metrics["baseline"]
    blocks: list[Block] = [run_sections.measures_table(metrics, "document")]
    published = published_results(corpus_name)
    if published:
        unigram = (baseline["unigram_perplexity"], baseline["unigram_document_perplexity"])
        own = [
            ("This model, one-sample ELBO", test["perplexity"], test["document_perplexity"]),
            ("This model, importance-weighted", test.get("iw_perplexity"), test.get("iw_document_perplexity")),
            ("Unigram model, this split", *unigram),
        ]
        ours = "Validation held out of train; the test set is used once."
        table = [(*row, ours if i == 0 else "") for i, row in enumerate(own) if row[1] is not None]
        table += [(row.model, row.perplexity, row.document_perplexity, row.protocol) for row in published]
        blocks += [
            Table(
                ("Model", "Corpus", "Per document", "Protocol"),
                [
                    (name, run_sections.number(corpus), run_sections.number(document), note)
                    for name, corpus, document, note in table
                ],
                caption="Test perplexity beside published results",
                numeric=(1, 2),
                highlight=(0,),
            ),
            Text(
                "Compare within a column only: the two conventions differ by up to 170 points on this corpus. An "
                "importance-weighted figure is no match for the one-sample bounds of the literature either."
            ),
        ]
    return Section("Results", blocks)


def topic_words(model: BagOfWordsVAE, corpus: BagOfWordsCorpus, train: Encodings, seed: int) -> Section:
    """The words of groups of documents and of each latent direction, most coherent topics first."""
    words = min(_DIVERSITY_WORDS, len(corpus.vocabulary))
    groups = cluster_codes(train, min(_GROUPS, len(train.codes)), seed=seed)
    group_topics = topics(model, corpus.vocabulary, words, codes=groups.centres)
    group_coherence = npmi_coherence(group_topics, corpus.train, corpus.vocabulary, _TOPIC_WORDS)
    group_rows = [
        (" ".join(topic.words[:_TOPIC_WORDS]), f"{npmi:.2f}", f"{size:,}")
        for topic, npmi, size in zip(group_topics, group_coherence, groups.sizes, strict=True)
    ]
    axis_topics = topics(model, corpus.vocabulary, words)
    axis_coherence = npmi_coherence(axis_topics, corpus.train, corpus.vocabulary, _TOPIC_WORDS)
    axis_rows = [
        (axis_topics[i].name, " ".join(axis_topics[i].words[:_TOPIC_WORDS]), f"{axis_coherence[i]:.2f}")
        for i in np.argsort(-axis_coherence, kind="stable")
    ]
    header = ("Direction", "Words", "NPMI")
    blocks: list[Block] = [
        Text(
            f"Any code can be decoded to words. Shown are the {_TOPIC_WORDS} most relevant ones: likely there, and likelier than "
            "elsewhere. NPMI measures how much more often the words of a topic occur together in training documents than by "
            "chance: 0 is chance, above 0.1 a topic mostly reads as one."
        ),
        Text(
            f"Where documents are: the centres of {len(group_rows)} groups of training documents, found by k-means on their codes. "
            f"{_quality(group_topics, group_coherence, words)}"
        ),
        Table(("Words at the centre of the group", "NPMI", "Documents"), group_rows, numeric=(1, 2)),
        Text(
            "Where the axes point: both ends of each latent axis e, whether documents lie there or not. "
            f"{_quality(axis_topics, axis_coherence, words)}"
        ),
        Table(header, axis_rows[:_MOST_TOPICS], numeric=(2,)),
    ]
    if len(axis_rows) > _MOST_TOPICS:
        others = axis_rows[_MOST_TOPICS:]
        blocks.append(Table(header, others, numeric=(2,), folded=f"The other {len(others)} directions"))
    return Section("Topics", blocks)


def label_words(model: BagOfWordsVAE, corpus: BagOfWordsCorpus, train: Encodings) -> Section | None:
    """What the decoder says at the centre of the codes of each label."""
    if corpus.train.labels is None:
        return None
    labels, centres = label_centres(train, corpus.train.labels)
    sizes = np.array([int(np.sum(corpus.train.labels == label)) for label in labels])
    shown = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_LABELS])
    words = _words_at(model, corpus, centres[shown])
    rows = [
        (_label_name(corpus, labels[i]), " ".join(topic.words), f"{sizes[i]:,}")
        for i, topic in zip(shown, words, strict=True)
    ]
    which = "each label" if len(shown) == len(labels) else f"the {len(shown)} most frequent of {len(labels)} labels"
    return Section(
        "Words of each label",
        [
            Text(
                f"The words that the model predicts at the centre of the training codes of {which}. It was never shown a label: "
                "where the words fit, documents of the label lie together."
            ),
            Table(("Label", "Words", "Documents"), rows, numeric=(2,)),
        ],
    )


def code_map_section(corpus: BagOfWordsCorpus, test: Encodings, seed: int) -> Section:
    """Test documents on the circle, on the sphere, or projected to the plane."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(test.codes))[:_MAP_POINTS])
    projection = project(test.codes[rows], spherical=test.spherical, seed=seed)
    labels = None if corpus.test.labels is None else corpus.test.labels[rows]
    how = {
        "tsne": "t-SNE keeps close codes close; distances between far groups mean nothing.",
        "pca": "The two directions in which codes vary most.",
        "codes": "The codes themselves, nothing projected"
        + ("." if projection.points.shape[-1] == 2 else ": two hemispheres in an equal-area map."),
    }[projection.method]
    caption = f"Codes of {len(rows):,} test documents{', coloured by label' if labels is not None else ''}. {how}"
    return Section("Map of documents", [Image(plots.code_map(projection, labels, corpus.label_names), caption, "png")])


def neighbours(corpus: BagOfWordsCorpus, train: Encodings, test: Encodings, seed: int) -> Section:
    """A few test documents with the training documents whose codes are nearest."""
    found = nearest_neighbours(train.codes, test.codes, k=min(5, len(train.codes)))
    blocks: list[Block] = [
        Text(
            "Some test documents, and the training documents whose codes have the largest cosine with theirs. A green number "
            "marks the same label."
            if corpus.test.labels is not None
            else "Some test documents, and the training documents whose codes have the largest cosine with theirs."
        )
    ]
    if corpus.test.labels is not None and corpus.train.labels is not None:
        blocks.append(run_sections.label_agreement(found, corpus.train.labels, corpus.test.labels, "document"))
    for query in _varied_rows(corpus.test, seed):
        passages = []
        for row, cosine in zip(found.rows[query, :_NEIGHBOURS], found.cosines[query], strict=False):
            same = corpus.test.labels is not None and corpus.train.labels[row] == corpus.test.labels[query]  # type: ignore[index]
            passages.append(_passage(corpus, corpus.train, row, f"{cosine:.2f}", bool(same)))
        blocks.append(PassageList(_passage(corpus, corpus.test, query), passages))
    return Section("Nearest neighbours", blocks)


def path_between_labels(model: BagOfWordsVAE, corpus: BagOfWordsCorpus, train: Encodings) -> Section | None:
    """Words along the way between the centres of the two labels that lie furthest apart."""
    if corpus.train.labels is None:
        return None
    labels, counts = np.unique(corpus.train.labels, return_counts=True)
    frequent = labels[counts >= max(10, counts.max() // 4)]
    if len(frequent) < 2:
        return None
    _, all_centres = label_centres(train, corpus.train.labels)
    centres = all_centres[np.searchsorted(labels, frequent)]
    unit = centres / np.maximum(np.linalg.norm(centres, axis=-1, keepdims=True), 1e-12)
    # Opposite centres are joined by no single great circle.
    cosines = np.where(unit @ unit.T < -0.999, 1.0, unit @ unit.T)
    a, b = np.unravel_index(np.argmin(cosines), cosines.shape)
    steps = model.latent.interpolate(centres[a], centres[b], 5).numpy()
    names = [f"{step:.0%}" for step in np.linspace(0, 1, len(steps))]
    rows = [(name, " ".join(topic.words)) for name, topic in zip(names, _words_at(model, corpus, steps), strict=True)]
    way = model.latent.describe().path
    return Section(
        "From one label to another",
        [
            Text(
                f"Words decoded on the {way} from the centre of {_label_name(corpus, frequent[a])!r} to that of "
                f"{_label_name(corpus, frequent[b])!r}, the frequent labels that lie furthest apart. Codes in between are codes, "
                "too: a good latent space passes through sensible documents on the way."
            ),
            Table(("Way", "Words"), rows),
        ],
    )


def _quality(found: Sequence[Topic], coherence: np.ndarray, words: int) -> str:
    return (
        f"Mean NPMI of these {len(found)} topics: {coherence.mean():.3f}; diversity: {topic_diversity(found, words):.0%} of their "
        f"top {words} words are distinct."
    )


def _words_at(model: BagOfWordsVAE, corpus: BagOfWordsCorpus, codes: np.ndarray) -> list[Topic]:
    return topics(model, corpus.vocabulary, min(_TOPIC_WORDS, len(corpus.vocabulary)), codes=codes)


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


def _passage(corpus: BagOfWordsCorpus, documents: Documents, row: int, score: str = "", same: bool = False) -> Passage:
    label = "" if documents.labels is None else _label_name(corpus, documents.labels[row])
    title = documents.titles[row] if documents.titles is not None else ""
    heading = " · ".join(dict.fromkeys(part for part in (title, label) if part)) or f"Document {row + 1}"
    if documents.texts is not None:
        text = _shortened(documents.texts[row])
    else:
        # What sets the document apart, as the most frequent words are everyone's.
        counts = documents.counts[[row]]
        holders = np.bincount(documents.counts.indices, minlength=documents.vocabulary_size)
        weights = counts.data * np.log(len(documents) / holders[counts.indices])
        top = counts.indices[np.argsort(-weights, kind="stable")[:18]]
        text = "Characteristic words: " + ", ".join(corpus.vocabulary[word] for word in top)
    return Passage(heading, text, score, same)


def _shortened(text: str) -> str:
    """The beginning of a text, which may itself have been cut off inside a word."""
    complete = len(text) <= _SNIPPET and text.rstrip().endswith((".", "!", "?", '"', ")"))
    if complete or " " not in text:
        return text
    return text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def _label_name(corpus: BagOfWordsCorpus, label: int) -> str:
    return corpus.label_names[int(label)] if corpus.label_names else str(label)
