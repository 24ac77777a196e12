"""The sections of a sentence model's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_vmf.analysis import plots, run_sections
from tf_vmf.analysis.beyond_bag_of_words import beyond_bag_of_words
from tf_vmf.analysis.encodings import Encodings
from tf_vmf.analysis.neighbours import nearest_neighbours
from tf_vmf.analysis.published import published_sentence_protocol, published_sentence_results
from tf_vmf.analysis.report import Block, Image, Passage, PassageList, Section, Table, Text
from tf_vmf.analysis.sentence_decoding import conditions, decode, interpolate_sentences, sentence_tensors
from tf_vmf.analysis.word_order import word_order_sensitivity
from tf_vmf.data.sentence_batches import sentence_evaluation_batches
from tf_vmf.data.sentences import SentenceCorpus, Sentences
from tf_vmf.data.special_tokens import UNK_ID
from tf_vmf.evaluation.bounds import mean_code_perplexity
from tf_vmf.models.lstm_vae import LSTMVAE

_EXAMPLES, _PRIOR_SAMPLES, _PATHS, _PATH_POINTS = 8, 8, 3, 5
_OVERLAP_SENTENCES = 200
_BATCH = 64
_QUERIES, _NEIGHBOURS = 5, 4
# In sentences this long a swap changes little else than the order.
_WORDS_TO_SWAP = 8


def results(model: LSTMVAE, metrics: Mapping[str, Any], corpus: SentenceCorpus, seed: int) -> Section:
    """The figures, what each one means, what the code is worth, and published results where there are any."""
    has_code = model.latent is not None
    blocks: list[Block] = [run_sections.measures_table(metrics, "sentence", "token", has_code=has_code)]
    if has_code:
        blocks.append(
            Text(
                "A constant KL, as that of a fixed concentration, cannot vanish, but the decoder can still ignore the code: read "
                "the code gain beside the KL. It is the nll with another sentence's code minus the nll with one's own."
            )
        )
    published = published_sentence_results(corpus.name)
    if published:
        test = metrics["test"]
        mine = "This model, one-sample ELBO" if has_code else "This model"
        rows: list[tuple[str, ...]] = [
            (mine, _setting(model), f"{test['nll'] + test['kl']:.1f}", _kl(model, test), f"{test['perplexity']:.1f}")
        ]
        if has_code and test.get("iw_perplexity") is not None:
            iw_nll = run_sections.number(test.get("iw_nll"), ".1f")
            rows.append(
                ("This model, importance-weighted", _setting(model), iw_nll, "", f"{test['iw_perplexity']:.1f}")
            )
        if has_code:
            batches = sentence_evaluation_batches(corpus.test, _BATCH)
            theirs = mean_code_perplexity(model, batches, seed=seed)
            rows.append(
                (
                    "This model, mean of 3 samples as the paper has it: no bound",
                    _setting(model),
                    "",
                    "",
                    f"{theirs:.1f}",
                )
            )
        rows += [
            (
                result.model,
                "inputless" if result.inputless else "standard",
                run_sections.number(result.negative_elbo),
                run_sections.number(result.kl, ".1f"),
                result.perplexity,
            )
            for result in published
        ]
        blocks.append(
            Table(
                ("Model", "Setting", "nll + KL", "KL", "Perplexity"),
                rows,
                caption="Test figures beside published ones",
                numeric=(2, 3, 4),
                highlight=(0,),
            )
        )
        blocks += [Text(paragraph) for paragraph in published_sentence_protocol(corpus.name)]
    return Section("Results", blocks)


def reconstructions(model: LSTMVAE, corpus: SentenceCorpus, test: Encodings, seed: int, max_length: int) -> Section:
    """Test sentences, what is decoded greedily from their codes, and their nll."""
    rows = np.random.default_rng(seed).permutation(len(corpus.test))
    shown = varied_rows(corpus.test, _EXAMPLES, seed)
    x = sentence_tensors(corpus.test.take(shown))
    log_prob = model.reconstruction_log_prob(x, tf.constant(test.codes[np.newaxis, shown], tf.float32))[0].numpy()
    decoded = decode(model, test.codes[shown], max_length, **conditions(model, x))
    table = [
        (
            corpus.to_text(corpus.test[row]),
            corpus.to_text(ids),
            f"{-nats:.1f}",
            f"{-nats / corpus.test.lengths[row]:.2f}",
        )
        for row, ids, nats in zip(shown, decoded, log_prob, strict=True)
    ]
    blocks: list[Block] = [
        Text(
            "Test sentences, encoded to their code (the centre of their posterior), and the sentence decoded from it greedily: "
            "the most probable word of the vocabulary at each step, never <unk>. The nll is that of the "
            "sentence itself, given its code."
        ),
        Table(("Sentence", "Decoded from its code", "nll, nats", "a token"), table, numeric=(2, 3)),
    ]
    rows = rows[:_OVERLAP_SENTENCES]
    if len(rows) > 1:
        sentences = corpus.test.take(rows)
        others = decode(model, test.codes[rows], max_length, **conditions(model, sentence_tensors(sentences)))
        own = np.mean([_overlap(sentences[i], others[i]) for i in range(len(rows))])
        other = np.mean([_overlap(sentences[i], others[i - 1]) for i in range(len(rows))])
        blocks.append(
            Text(
                f"Of the distinct words of {len(rows)} test sentences, {own:.1%} are in what is decoded from the sentence's own "
                f"code; {other:.1%} are in what is decoded from another's. Where the two are close, codes tell little about words."
            )
        )
    return Section("Reconstructions", blocks)


def prior_samples(model: LSTMVAE, corpus: SentenceCorpus, seed: int, max_length: int) -> Section | None:
    """Sentences of the model's own; those of a model conditional on a label are with the labels."""
    if model.num_labels:
        return None
    shown = varied_rows(corpus.test, _PRIOR_SAMPLES, seed)
    given = conditions(model, sentence_tensors(corpus.test.take(shown)))
    if model.latent is None:
        samples = model.sample(len(shown), seed=seed, max_length=max_length, allow_unknown=False, **given).numpy()
        drawn_alone = [(corpus.to_text(ids),) for ids in samples]
        about = "Sentences drawn from the model, each word from its distribution given the words before."
        return Section("Samples", [Text(about), Table(("Drawn",), drawn_alone)])
    codes = prior_codes(model, len(shown), seed)
    greedy = decode(model, codes, max_length, **given)
    drawn = decode(model, codes, max_length, sampler="random", seed=seed, **given)
    about = (
        "Codes drawn from the prior, which no sentence was encoded to: the most probable word at each step on the left, words "
        "drawn from their distributions on the right."
    )
    header: tuple[str, ...] = ("Decoded greedily", "Drawn from the same code")
    table: list[tuple[str, ...]] = [(corpus.to_text(a), corpus.to_text(b)) for a, b in zip(greedy, drawn, strict=True)]
    if model.bag_of_words_units:
        about += " The model is also given a bag of words: that of a test sentence."
        header = ("Words given", *header)
        table = [(corpus.to_text(corpus.test[row]), *cells) for row, cells in zip(shown, table, strict=True)]
    return Section("Samples from the prior", [Text(about), Table(header, table)])


def interpolations(
    model: LSTMVAE, corpus: SentenceCorpus, test: Encodings, seed: int, max_length: int
) -> Section | None:
    """Sentences decoded greedily between the codes of two test sentences."""
    rows = varied_rows(corpus.test, 2 * _PATHS, seed + 1)
    if len(rows) < 2:
        return None
    way = "great circle" if test.spherical else "straight line"
    blocks: list[Block] = [
        Text(
            f"Codes at equal distances on the {way} between those of two test sentences, decoded greedily. A good latent space "
            "passes through sentences, changing a little at each step."
        )
    ]
    names = [f"{fraction:.0%}" for fraction in np.linspace(0, 1, _PATH_POINTS)]
    for first, second in zip(rows[::2], rows[1::2], strict=False):
        ends = corpus.test.take(np.array([first, second]))
        decoded = interpolate_sentences(model, ends, _PATH_POINTS, max_length=max_length)
        table = [
            ("From", corpus.to_text(corpus.test[first])),
            *((name, corpus.to_text(ids)) for name, ids in zip(names, decoded, strict=True)),
            ("To", corpus.to_text(corpus.test[second])),
        ]
        blocks.append(Table(("Way", "Sentence"), table, highlight=(0, len(table) - 1)))
    return Section("Interpolation", blocks)


def neighbours(
    model: LSTMVAE, corpus: SentenceCorpus, searched: Sentences, train: Encodings, test: Encodings, seed: int
) -> Section:
    """A few test sentences with the training sentences whose codes are nearest.

    `searched` are the training sentences whose codes are in `train`.
    """
    queries = varied_rows(corpus.test, _QUERIES, seed + 2)
    k = min(5, len(searched))
    found = nearest_neighbours(train.codes, test.codes[queries], k)
    which = "the" if len(searched) == corpus.statistics["train"]["sentences"] else f"{len(searched):,}"
    blocks: list[Block] = [
        Text(
            f"Some test sentences, and those of {which} training sentences whose codes have the largest cosine with theirs."
            + (" A green number marks the same label." if corpus.label_names else "")
        )
    ]
    labels, test_labels = searched.labels, corpus.test.labels
    if labels is not None and test_labels is not None:
        blocks.append(
            run_sections.label_agreement(
                nearest_neighbours(train.codes, test.codes, k), labels, test_labels, "sentence"
            )
        )
        if model.num_labels:
            blocks.append(Text("The encoder is given the label, so this tells nothing about the sentences themselves."))
    for place, query in enumerate(queries):
        passages = [
            Passage(
                _label(corpus, searched, row),
                corpus.to_text(searched[row]),
                f"{cosine:.3f}",
                labels is not None and test_labels is not None and bool(labels[row] == test_labels[query]),
            )
            for row, cosine in zip(found.rows[place, :_NEIGHBOURS], found.cosines[place], strict=False)
        ]
        heading = _label(corpus, corpus.test, query) or "Test sentence"
        blocks.append(PassageList(Passage(heading, corpus.to_text(corpus.test[query])), passages))
    return Section("Nearest neighbours", blocks)


def word_order(model: LSTMVAE, corpus: SentenceCorpus, searched: Sentences, seed: int) -> Section | None:
    """How codes change with the order of words, and what a bag of words tells about them."""
    words = corpus.test.lengths - 1
    min_words = _WORDS_TO_SWAP if np.sum(words >= _WORDS_TO_SWAP) >= 20 else 2
    blocks: list[Block] = []
    if np.any(words >= min_words) and len(np.unique(corpus.test.tokens[corpus.test.tokens > UNK_ID])) > 1:
        name = run_sections.latent_name(model.latent)
        curve = word_order_sensitivity(model, corpus.test, min_words=min_words, seed=seed)
        blocks.append(
            Image(
                plots.word_order({name: curve}),
                f"Cosine between the code of a sentence and that of its copy after random swaps of adjacent words: mean over "
                f"{curve.num_sentences} test sentences of {curve.mean_words:.0f} words on average, with two standard errors. A bag "
                "of words stays at 1.",
            )
        )
        rows = [
            (f"{swaps} swaps" if swaps > 1 else "1 swap", f"{cosine:.4f}", _error(error))
            for swaps, cosine, error in zip(curve.num_swaps, curve.cosine, curve.standard_error, strict=True)
            if swaps in (1, 2, 4, curve.num_swaps[-1])
        ]
        rows.append(("One word replaced", f"{curve.replaced:.4f}", _error(curve.replaced_standard_error)))
        rows.append(
            ("Another sentence", run_sections.number(_known(curve.other), ".4f"), _error(curve.other_standard_error))
        )
        blocks.append(Table(("Change", "Cosine", "Standard error"), rows, numeric=(1, 2)))
    beyond = beyond_bag_of_words(model, searched, corpus.test, seed=seed)
    blocks += [
        Text(
            "Beyond a bag of words: a small network, trained to predict the code from the mean embedding of the sentence's words, "
            "which knows no order. What it leaves on test sentences is structure."
        ),
        Table(
            ("Code predicted from", "1 - cosine", "Standard error"),
            [
                ("The mean embedding, by the network", f"{beyond.distance:.3f}", _error(beyond.standard_error)),
                ("Nothing: the mean code", f"{beyond.constant_distance:.3f}", _error(beyond.constant_standard_error)),
            ],
            numeric=(1, 2),
        ),
    ]
    return Section("Order of words", blocks)


def prior_codes(model: LSTMVAE, number: int, seed: int) -> np.ndarray:
    """Codes drawn from the prior, shape (number, latent_dim)."""
    return np.asarray(model.latent.prior().sample(number, seed=tf.constant([seed, 0])))


def varied_rows(sentences: Sentences, number: int, seed: int) -> np.ndarray:
    """Sentences of middling length, in random order and, where there are labels, of different ones in turn."""
    low = np.quantile(sentences.lengths, 0.2, method="lower")
    high = np.quantile(sentences.lengths, 0.8, method="higher")
    order = np.random.default_rng([seed, number]).permutation(len(sentences))
    order = order[(sentences.lengths[order] >= low) & (sentences.lengths[order] <= high)]
    if sentences.labels is not None:
        turns = np.zeros(len(order), int)
        for label in np.unique(sentences.labels[order]):
            mask = sentences.labels[order] == label
            turns[mask] = np.arange(mask.sum())
        order = order[np.argsort(turns, kind="stable")]
    return order[:number]


def _overlap(sentence: np.ndarray, decoded: np.ndarray) -> float:
    words = set(sentence[sentence > UNK_ID].tolist())
    return len(words & set(decoded.tolist())) / len(words) if words else 0.0


def _setting(model: LSTMVAE) -> str:
    if model.word_dropout == 1.0:
        return "inputless"
    return "standard" if model.word_dropout == 0.0 else f"word dropout {model.word_dropout:g}"


def _kl(model: LSTMVAE, test: Mapping[str, Any]) -> str:
    return run_sections.number(None if model.latent is None else test["kl"], ".1f")


def _label(corpus: SentenceCorpus, sentences: Sentences, row: int) -> str:
    return "" if sentences.labels is None else corpus.label_names[sentences.labels[row]]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _error(value: float) -> str:
    return "< 0.001" if value < 0.0005 else run_sections.number(_known(value), ".3f")
