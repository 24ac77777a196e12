"""The example writes to order."""

import pytest

from examples import conditional_sentences


@pytest.mark.slow
def test_sentences_of_a_label_hold_its_words_alone(capsys):
    model, corpus = conditional_sentences.main()
    known = {"food": " eats ", "weather": "there will be "}
    assert set(corpus.label_names) == set(known)
    for label, phrase in known.items():
        written = conditional_sentences.write(model, corpus, label, 20, seed=3)
        assert sum(phrase in sentence for sentence in written) >= 18
    assert "code costs" in capsys.readouterr().out
