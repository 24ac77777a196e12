"""Every sentence of a report is true of the run that it describes."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.report import findings as made
from tests.report.test_page import assert_self_contained
from tf_vmf.report import document_report, sentence_report
from tf_vmf.report.engine.published import published_results, published_sentence_results
from tf_vmf.report.engine.word_order import BeyondBagOfWords
from tf_vmf.report.sections.neighbors import DocumentNeighbors


@pytest.fixture(autouse=True)
def no_images(monkeypatch):
    """Images are drawn but not encoded, which takes most of the time of a report."""
    monkeypatch.setattr("tf_vmf.report.page.page.data_uri", lambda *_: "data:image/png;base64,")


@pytest.fixture
def documents(tmp_path):
    """Renders findings of a document model, changed by name; returns the page's text."""

    def text(**changes):
        document_report(tmp_path / "report.html", made.document_findings(**changes))
        return said((tmp_path / "report.html").read_text(encoding="utf-8"))

    return text


@pytest.fixture
def sentences(tmp_path):
    """Renders findings of a sentence model, changed by name; returns the page's text."""

    def text(**changes):
        sentence_report(tmp_path / "report.html", made.sentence_findings(**changes))
        return said((tmp_path / "report.html").read_text(encoding="utf-8"))

    return text


def said(html):
    page = assert_self_contained(html)
    return page.text + " ".join(image["alt"] for image in page.named("img"))


def metrics(**test):
    return {**made.METRICS, "test": {**made.TEST, **test}}


# --- both models


def test_mutual_information_at_its_ceiling_is_said_to_be_there(documents):
    # 417 examples: the estimate cannot exceed log(417) = 6.033.
    text = documents(run=made.run(metrics=metrics(mutual_information=6.03)))
    assert f"at this ceiling, {math.log(417):.2f}" in text
    assert "ceiling" not in documents(run=made.run(metrics=metrics(mutual_information=5.0)))


def test_the_ceiling_of_many_examples_is_that_of_those_compared(documents):
    text = documents(run=made.run(metrics=metrics(mutual_information=8.31, examples=7505)))
    assert f"at this ceiling, {math.log(4096):.2f}" in text


def test_a_model_that_does_not_beat_the_unigram_model_is_said_to_be_of_no_use(documents, sentences):
    for text in (documents, sentences):
        assert "of no use" in text(run=made.run(metrics=metrics(perplexity=300.0)))
        assert "of no use" not in text()


@pytest.mark.parametrize(
    ("config", "best", "named"),
    [
        ({"latent": "vmf", "concentration": 100.0, "latent_dim": 50}, 2, {"concentration=learned", "latent_dim=10"}),
        ({"latent": "vmf", "concentration": "learned", "latent_dim": 50}, 2, {"latent_dim=10"}),
        ({"latent": "gaussian", "concentration": 100.0, "latent_dim": 8}, 6, {"more epochs"}),
        ({"latent": "none", "concentration": 100.0, "latent_dim": 50}, 2, set()),
    ],
)
def test_what_may_help_such_a_model_is_what_its_run_has_not_done(documents, config, best, named):
    run = {**metrics(perplexity=300.0), "training": {"epochs": 6, "best_epoch": best}}
    text = documents(run=made.run(metrics=run, config=config))
    assert "saves fewer nats per document than the 7.5 that its code costs" in text
    remedies = text.split("What may help: ")[1].split(".")[0]
    assert {each for each in ("concentration=learned", "latent_dim=10", "more epochs") if each in remedies} == named
    assert "more training text" in remedies


def test_dropout_is_named_only_where_there_is_some(documents):
    assert "measured with dropout and while" in documents()
    assert "measured while the weights change" in documents(run=made.run(has_dropout=False))


def test_the_epoch_of_the_weights_is_named_where_it_is_not_the_last(documents):
    assert "trained for 6 epochs" in documents()
    assert "those of epoch 2" in documents()
    last = {**made.METRICS, "training": {"epochs": 1, "best_epoch": 1}}
    assert "those of epoch" not in documents(run=made.run(metrics=last))
    assert "trained for 1 epoch on" in documents(run=made.run(metrics=last))


def test_a_fixed_concentration_is_told_from_a_learned_one(documents):
    assert "with fixed uncertainty (von Mises-Fisher, concentration 20; higher is more certain)" in documents()
    text = documents(latent=made.LEARNED)
    assert "uncertainty learned for every document" in text
    assert "concentration is fixed" not in text


@pytest.mark.parametrize(
    ("latent", "kl", "expected"),
    [
        (made.FIXED, 7.5, "The concentration is fixed"),
        (made.GAUSSIAN, 0.0, "has collapsed to the prior"),
        (made.LEARNED, 6.0, "equally certain of every document"),
        (made.SHARED, 6.0, "One concentration was learned for all documents together"),
    ],
)
def test_a_constant_kl_is_explained_by_what_the_model_is(documents, latent, kl, expected):
    explanations = (
        "The concentration is fixed",
        "has collapsed to the prior",
        "equally certain of every document",
        "One concentration was learned for all documents together",
    )
    text = documents(latent=latent, code_use=made.code_use(kl=np.full(4, kl)))
    assert [part for part in explanations if part in text] == [expected]


@pytest.mark.parametrize(("kl", "collapsed"), [(0.0499, True), (0.05, False), (0.0501, False)])
@pytest.mark.parametrize("latent", [made.LEARNED, made.SHARED, made.GAUSSIAN], ids=["learned", "shared", "gaussian"])
def test_a_code_has_collapsed_where_it_costs_less_than_a_twentieth_of_a_nat(documents, latent, kl, collapsed):
    text = documents(latent=latent, code_use=made.code_use(kl=np.full(4, kl)))
    assert ("has collapsed to the prior" in text) == collapsed


@pytest.mark.parametrize(
    ("correlation", "said_so"), [(0.6, "Longer documents tend"), (-0.6, "Shorter documents tend"), (0.1, "")]
)
def test_kl_and_length_are_linked_only_where_they_are(documents, correlation, said_so):
    use = made.code_use(kl=np.arange(5.0), constant_kl=False, length_correlation=correlation)
    text = documents(latent=made.LEARNED, code_use=use)
    assert ("rank correlation with length" in text) == bool(said_so)
    assert said_so in text


def test_published_figures_over_another_vocabulary_do_not_compare(documents, sentences):
    for text, published, size in (
        (documents, published_results("20ng"), 2000),
        (sentences, published_sentence_results("ptb"), 10_001),
    ):
        assert "do not compare with them" in text(published=published, published_vocabulary_size=size)
        same = made.run(vocabulary_size=size)
        assert "do not compare with them" not in text(run=same, published=published, published_vocabulary_size=size)


# --- documents


def test_topics_are_numbered_from_zero_named_and_sized_and_have_documents_and_labels(documents):
    text = documents()
    assert "0: moon, orbit (3 documents)" in text
    assert "3 of 4 documents (75.0%)" in text
    assert "words that belong together: 0.25 (0 chance, 1 always; within 10 words)" in text
    # Documents 1 and 2 are blue, of topic 0 and 1; document 3 has no label, document 4 no topic.
    assert "0: moon, orbit (50%); 1: cake, bread (50%)" in text
    assert "1 document without a known word: topic -1, counted nowhere" in text
    assert "Document 3" in text


def test_axes_are_a_diagnostic_and_no_topics(documents):
    text = documents()
    topics, rest = text.split("Words of each label", 2)[1:]
    assert "+e1" not in topics
    assert "A diagnostic: axes are not topics" in rest
    assert "Rotating the latent space" in rest
    assert "Rotating the latent space" not in documents(latent=made.GAUSSIAN)


def test_a_learned_prior_has_no_fixed_axes_and_is_no_unit_of_variance(documents):
    description = replace(made.FIXED.description, prior="learned mixture of 100 components", constant_kl=False)
    text = documents(latent=replace(made.FIXED, description=description), code_use=made.code_use(constant_kl=False))
    assert (
        "The prior of this run is a learned mixture of 100 components; variances are relative to the fixed prior"
        in text
    )
    assert "Rotating the latent space" not in text
    assert "relative to the fixed prior" not in documents()


def test_every_coherence_names_its_window(documents):
    text = documents()
    assert text.count("NPMI (document)") == 1  # axes
    assert "(window: the whole document)" in text
    assert text.count("belong together") == text.count("within 10 words") == 2  # a topic each


def test_without_labels_nothing_is_said_of_labels(documents):
    topics = made.topic_view(classes=None)
    code_map = made.code_map(labels=None)
    text = documents(topics=topics, labels=(), num_labels=0, label_agreement=None, path=None, code_map=code_map)
    for word in ("label", "green"):
        assert word not in text.lower()


def test_a_report_without_topics_says_nothing_of_them(documents):
    assert "Tree of topics" in documents()
    assert "Tree of topics" not in documents(topics=None)


def test_perplexities_stand_below_the_topics(documents):
    text = documents()
    assert text.index("Tree of topics") < text.index("Perplexity (corpus)")


def test_a_map_of_a_sample_says_so(documents):
    assert "Codes of 5 test documents. The legend tells what a mark stands for." in documents()
    text = documents(code_map=made.code_map(None, num_examples=7505))
    assert "Codes of 5 test documents, drawn at random from 7,505." in text
    assert "legend" not in documents(code_map=made.code_map(None))
    assert "All codes coincide." in documents(code_map=made.code_map(points=np.zeros((5, 2))))


def test_neighbors_no_better_than_chance_are_called_so(documents):
    agreement = made.document_findings().get(DocumentNeighbors).agreement
    assert "no better than chance" not in documents()
    assert "no better than chance" in documents(label_agreement=replace(agreement, precision=agreement.chance))


# --- sentences


def test_what_a_bag_of_words_encoder_leaves_is_no_structure(sentences):
    setting = replace(made.STANDARD, order_free_encoder=True)
    text = sentences(setting=setting, word_order=made.word_order(1.0))
    assert "cannot depend on the order of words" in text
    assert "all that is left is what the network failed to learn" in text
    assert "upper bound on what the order of words adds" not in text
    assert "After 8 swaps the codes are the same" in text


def test_what_an_lstm_encoder_leaves_is_a_bound_on_structure(sentences):
    text = sentences()
    assert "an upper bound on what the order of words adds to the code" in text
    assert "cannot depend on the order of words" not in text
    assert "the codes are the same" not in text


def test_a_label_that_the_encoder_reads_is_part_of_what_is_left_and_of_the_groups(sentences):
    text = sentences(setting=replace(made.STANDARD, reads_label=True))
    assert "so this figure says nothing about the words" in text
    assert "so this figure says nothing about the words" not in sentences()
    assert "the label, which the encoder reads" in text


def test_a_network_that_learned_nothing_proves_nothing(sentences):
    beyond = BeyondBagOfWords(0.95, 0.01, 0.9, 0.02, 417)
    assert "says nothing about bags of words" in sentences(beyond_bag_of_words=beyond)
    assert "says nothing about bags of words" not in sentences()


@pytest.mark.parametrize(
    ("gain", "kl", "expected"),
    [
        (0.875, 7.5, "raises the NLL by 0.88 nats (code gain), less than the code costs"),
        (9.5, 3.4, "raises the NLL by 9.50 nats (code gain), more than the code costs"),
        (3.4, 3.4, "as much as the code costs"),
        (-0.2, 3.4, "the decoder ignores the code"),
    ],
)
def test_the_value_of_the_code_is_compared_with_its_cost(sentences, gain, kl, expected):
    assert expected in sentences(run=made.run(metrics=metrics(code_gain=gain, kl=kl)))


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({}, "from the code and the words before."),
        ({"word_dropout": 0.25}, "from the code and the words before, 25% of which were hidden in training."),
        ({"word_dropout": 1.0}, "from the code alone: the decoder is shown no words (inputless)."),
        ({"reads_label": True}, "from the code, the label of the sentence and the words before."),
        (
            {"reads_bag_of_words": True, "word_dropout": 1.0},
            "from the code and the bag of its words alone: the decoder is shown no words (inputless).",
        ),
    ],
)
def test_all_that_the_decoder_reads_is_named(sentences, setting, expected):
    assert expected in sentences(setting=replace(made.STANDARD, **setting))


def test_a_language_model_without_input_words_is_not_said_to_read_them(sentences):
    plain = {"latent": None, "prior_samples": made.prior_samples(greedy=())}
    reads, blind = (sentences(setting=replace(made.STANDARD, word_dropout=rate), **plain) for rate in (0.0, 1.0))
    assert "each word from its distribution given the words before" in reads
    assert "predicts each word from the words before." in reads
    assert "the words before" not in blind
    assert "its position alone: the decoder is shown no words (inputless)" in blind


def test_only_what_is_fixed_is_called_constant(sentences):
    assert "the KL is constant and cannot vanish" in sentences()
    text = sentences(latent=made.GAUSSIAN)
    assert "cannot vanish" not in text
    assert "A KL near 0 means that the code has collapsed" in text


@pytest.mark.parametrize(
    ("reads_bag", "told"), [(False, "only the code can tell it"), (True, "only the code and the bag of words")]
)
def test_all_that_can_tell_a_label_is_named(sentences, reads_bag, told):
    setting = replace(made.STANDARD, reads_bag_of_words=reads_bag)
    assert told in sentences(setting=setting, label_samples=made.label_comparison())


def test_words_of_samples_are_counted_only_where_there_are_some(sentences):
    assert "2 of these 2 words" in sentences(label_samples=made.label_comparison())
    text = sentences(label_samples=made.label_comparison(words=(), shared=0))
    assert "of these 0 words" not in text
    assert "No word is more frequent" in text


def test_conditions_of_decoding_are_named(sentences):
    text = sentences(setting=replace(made.STANDARD, reads_label=True, reads_bag_of_words=True))
    assert "The decoder is also given the label and the bag of words of the sentence." in text
    assert "given the label and the bag of words of the first sentence all the way" in text
    assert "is also given" not in sentences()


def test_the_sample_of_searched_sentences_is_counted(sentences):
    assert "those of the training sentences" in sentences()
    assert "those of 500 training sentences" in sentences(num_searched=500)


def test_a_single_sentence_has_no_standard_errors(sentences):
    one = replace(made.word_order(), num_sentences=1, standard_error=np.full(9, np.nan))
    text = sentences(word_order=one)
    assert "with two standard errors" not in text
    assert "mean over one test sentence" in text
