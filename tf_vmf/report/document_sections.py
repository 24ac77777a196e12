"""The sections of a document model's report."""

from __future__ import annotations

from tf_vmf.report import run_sections
from tf_vmf.report.engine.document_findings import DocumentFindings
from tf_vmf.report.engine.excerpts import Excerpt
from tf_vmf.report.map_block import Map
from tf_vmf.report.page import Block, Passage, PassageList, Section, Table, Text
from tf_vmf.report.phrases import label_shares, map_caption, number
from tf_vmf.report.topic_block import TopicCard, TopicCards

_SNIPPET = 260
_MOST_AXES = 20
# How every printed coherence names its window.
_NPMI = "NPMI (document)"
# Above it the words of a topic usually read as one; see `tf_vmf.evaluation.npmi_coherence`.
COHERENT = 0.1


def results(findings: DocumentFindings) -> Section:
    """The figures, what each one means, the unigram baseline and, where there are any, published results."""
    run = findings.run
    blocks: list[Block] = [
        run_sections.measures_table(run, "document", "word", findings.latent),
        run_sections.which_to_quote(findings.latent),
    ]
    if findings.published:
        blocks.append(_published_table(findings))
        blocks += run_sections.published_vocabulary(findings.published_vocabulary_size, run)
        blocks.append(
            Text(
                "Compare within a column only. On 20 Newsgroups the two conventions differ by up to 170 points. Published figures "
                "are one-sample bounds: do not compare an importance-weighted figure with them."
            )
        )
    return Section("Results", blocks)


def _published_table(findings: DocumentFindings) -> Table:
    test, baseline = findings.run.metrics["test"], findings.run.metrics.get("baseline", {})
    selection = str(findings.run.metrics.get("protocol", {}).get("selection", ""))
    rows: list[tuple[str, float | None, float | None, str]] = [
        ("This model, one-sample ELBO", test["perplexity"], test.get("document_perplexity"), selection),
        ("This model, importance-weighted", test.get("iw_perplexity"), test.get("iw_document_perplexity"), ""),
        (
            "Unigram model, this split",
            baseline.get("unigram_perplexity"),
            baseline.get("unigram_document_perplexity"),
            "",
        ),
    ]
    rows = [row for row in rows if row[1] is not None]
    rows += [(row.model, row.perplexity, row.document_perplexity, row.protocol) for row in findings.published]
    return Table(
        ("Model", "Corpus", "Mean per document", "Protocol"),
        [(name, number(corpus), number(document), note) for name, corpus, document, note in rows],
        caption="Test perplexity beside published results (lower is better)",
        numeric=(1, 2),
        highlight=(0,),
    )


def topics(findings: DocumentFindings) -> Section:
    """Clusters of training documents: their words, sizes, labels and representative documents."""
    found = findings.topics
    labelled = found.nmi is not None
    coherent = sum(topic.npmi > COHERENT for topic in found.clusters)
    quality = (
        f"Mean NPMI {found.npmi:.3f}; {coherent} of {len(found.clusters)} topics are above {COHERENT}. Diversity "
        f"{found.diversity:.0%}: the share of distinct words among the top {found.diversity_words} of every topic; 100% is best, "
        "values near 0 mean that topics repeat each other. To quote the topics, give the mean NPMI with its window, and the "
        "diversity."
    )
    if found.nmi is not None:
        quality += (
            f" Normalised mutual information with the labels {found.nmi:.2f}: 0 means that topics and labels are independent, 1 "
            "that each determines the other."
        )
    header = ("Topic", "Words at the centre", "Documents", _NPMI, *(("Labels",) if labelled else ()))
    rows = [
        (
            f"{topic.number}. {topic.name}",
            ", ".join(topic.words),
            f"{topic.size:,} ({topic.share:.1%})",
            f"{topic.npmi:.2f}",
            *((label_shares(topic.labels, topic.size),) if labelled else ()),
        )
        for topic in found.clusters
    ]
    blocks: list[Block] = [
        Text(
            f"{len(found.clusters)} clusters of {found.num_documents:,} training documents, found by k-means on their codes. A "
            "topic lists the most relevant words that the model predicts at the centre of its cluster: probable there, and more "
            f"probable than elsewhere (relevance weight {found.relevance_weight:g}). The first words of a topic are its name."
        ),
        Table(header, rows, numeric=(2, 3)),
        Text(quality),
        Text(
            "NPMI (normalised pointwise mutual information) says how much more often the words of a topic occur in the same "
            f"training document than by chance: 0 is chance, 1 is always. Above {COHERENT} the words usually read as one topic, "
            "at 0 and below they do not. The window is the whole document. Published c_npmi figures use a window of 10 words and "
            "differ: do not compare them with these."
        ),
        Text(
            "Each topic in detail. The wide bar and the first number are the probability of the word at the centre of the topic, "
            "the thin bar and the second number its probability over all documents of the model. Beside them stand the "
            "documents nearest to the centre."
        ),
        TopicCards(
            [
                TopicCard(
                    topic.number,
                    f"{topic.number}. {topic.name} ({topic.size:,} documents)",
                    topic.by_relevance,
                    [(shown.title, shown.text) for shown in map(passage, topic.representatives)],
                    found.relevance_weight,
                )
                for topic in found.clusters
            ],
            "topics.clusters",
            found.relevance_weight,
        ),
    ]
    return Section("Topics", blocks)


def label_words(findings: DocumentFindings) -> Section | None:
    """What the decoder predicts at the centre of the codes of each label."""
    shown = findings.labels
    if not shown:
        return None
    which = (
        "each label"
        if len(shown) == findings.num_labels
        else f"the {len(shown)} most frequent of {findings.num_labels} labels"
    )
    return Section(
        "Words of each label",
        [
            Text(
                f"The most relevant words that the model predicts at the centre of the training codes of {which}. Training did not "
                "use labels: words that fit a label show that its documents lie together."
            ),
            Table(
                ("Label", "Words", "Documents"),
                [(label.label, ", ".join(label.words), f"{label.size:,}") for label in shown],
                numeric=(2,),
            ),
        ],
    )


def code_map_section(findings: DocumentFindings) -> Section:
    """Test documents on the circle, on the sphere, or projected to the plane."""
    found = findings.code_map
    return Section("Map of documents", [Map(found, "code_map", map_caption(found, "test document"), "document")])


def neighbours(findings: DocumentFindings) -> Section:
    """A few test documents with the training documents whose codes are nearest."""
    labelled = findings.label_agreement is not None
    blocks: list[Block] = [
        Text(
            "Some test documents, and the training documents whose codes have the largest cosine with theirs (1: the same "
            "direction)." + (" A check mark (✓) marks the same label." if labelled else "")
        )
    ]
    if findings.label_agreement is not None:
        blocks.append(run_sections.label_agreement(findings.label_agreement, "document"))
    blocks += [
        PassageList(
            passage(found.query),
            [passage(near.excerpt, f"{near.cosine:.2f}", same=bool(near.same_label)) for near in found.found],
        )
        for found in findings.neighbours
    ]
    return Section("Nearest neighbours", blocks)


def path_between_labels(findings: DocumentFindings) -> Section | None:
    """Words on the way between the centres of two labels."""
    path = findings.path
    if path is None:
        return None
    way = findings.latent.description.path
    return Section(
        "From one label to another",
        [
            Text(
                f"Words decoded on the {way} from the centre of {path.start!r} to that of {path.end!r}. Of all pairs of frequent "
                f"labels these centres have the smallest cosine, {path.cosine:.2f}. Every point between two codes can be "
                "decoded; in a good latent space the words in between make sense, too."
            ),
            Table(
                ("Way", "Words"),
                [
                    (f"{fraction:.0%}", ", ".join(words))
                    for fraction, words in zip(path.fractions, path.words, strict=True)
                ],
                sortable=False,
            ),
        ],
    )


def axes(findings: DocumentFindings) -> Section:
    """The words at both ends of each latent axis: a diagnostic."""
    found = findings.topics
    header = ("Axis", "Words", _NPMI)
    rows = [(axis.name, ", ".join(axis.words), f"{axis.npmi:.2f}") for axis in found.axes]
    why = (
        "Rotating the latent space changes neither the prior nor the form of the posterior, so the axes have no meaning of their "
        "own, and documents need not lie near them."
        if findings.latent.description.metric == "cosine" and not findings.latent.description.prior
        else "Documents need not lie at the ends of an axis."
    )
    return Section(
        "Axes of the latent space",
        [
            Text(
                f"A diagnostic: axes are not topics. {why} Shown are the words decoded at both ends of each axis, most coherent "
                f"first. Mean NPMI {found.axes_npmi:.3f} (window: the whole document), that of the topics is {found.npmi:.3f}; "
                f"diversity {found.axes_diversity:.0%}."
            ),
            Table(
                header,
                rows[:_MOST_AXES],
                numeric=(2,),
                folded=f"Words of {'the' if len(rows) <= _MOST_AXES else f'the {_MOST_AXES} most coherent of'} "
                f"{len(rows)} directions",
            ),
            *(
                [
                    Table(
                        header, rows[_MOST_AXES:], numeric=(2,), folded=f"The other {len(rows) - _MOST_AXES} directions"
                    )
                ]
                if len(rows) > _MOST_AXES
                else []
            ),
        ],
    )


def passage(excerpt: Excerpt, score: str = "", *, same: bool = False) -> Passage:
    """An excerpt as the page shows it."""
    heading = " · ".join(dict.fromkeys(part for part in (excerpt.title, excerpt.label) if part))
    text = _shortened(excerpt.text) if excerpt.text else ""
    if excerpt.words:
        text = "Characteristic words: " + ", ".join(excerpt.words)
    return Passage(heading or f"Document {excerpt.row + 1}", text, score, same)


def _shortened(text: str) -> str:
    """The beginning of a text, which may itself have been cut off inside a word."""
    complete = len(text) <= _SNIPPET and text.rstrip().endswith((".", "!", "?", '"', ")"))
    if complete or " " not in text:
        return text
    return text[:_SNIPPET].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
