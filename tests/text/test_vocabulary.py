"""Tokenising and vocabularies, against Python's own regular expressions and counters."""

import re
import sys
import unicodedata
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from tests.refusals import refused
from tf_vmf.data import load_bag_of_words
from tf_vmf.text import DocumentVectorization, Tokenizer
from tf_vmf.text.tokenization import separate_punctuation, separate_words
from tf_vmf.text.vocabulary import VocabularyChoice, checked_words, read_stop_words, require_gensim

TEXTS = [
    "The cat's hat -- and THE dog's \u201ccollar\u201d; don't!",
    "Über-naïve ÉCOLES, l'été: привет Мир 42",
    "",
    "the cat sat on 3 mats, a b c d, in the 20th century (1960s)",
    "x y z \u2014 ...",
]


def python_words(text: str) -> list[str]:
    """Letters only, numbers with what is glued to them removed, two letters or more: by Python's `re`."""
    text = re.sub(r"\d\w*", " ", text.lower())
    return [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 1]


@pytest.mark.parametrize("text", TEXTS)
def test_words_are_lower_case_runs_of_letters(text):
    assert separate_words(text).numpy().decode().split() == python_words(text)


# Default_Ignorable_Code_Point: what NFKC_Casefold of Unicode drops, such as the soft hyphen, joiners and the byte order mark.
HIDDEN = ["\u00ad", "\u200c", "\u200d", "\u200e", "\u202a", "\u2060", "\u2066", "\ufeff", "\u034f", "\ufe0f"]


@pytest.mark.parametrize("separate", [separate_words, separate_punctuation])
def test_hidden_characters_split_no_word_and_a_space_without_width_does(separate):
    for hidden in HIDDEN:
        text = f"{hidden}Donau{hidden}dampf{hidden}{hidden}schiff fahrt{hidden}"
        assert separate(text).numpy().decode().split() == ["donaudampfschiff", "fahrt"], ascii(hidden)
        assert separate(tf.constant([text]))[0] == separate(text)
    assert separate("moon\u200blight").numpy().decode().split() == ["moon", "light"]
    for hyphen in "\u2010\u2011":  # which is one like any other
        assert separate(f"well{hyphen}known").numpy().split() == separate("well-known").numpy().split()


@pytest.mark.parametrize("words", [["moon", "\ud800"], "moon\udfff"])
def test_half_a_surrogate_pair_in_stop_words_and_vocabularies_is_named(words):
    with refused("stop_words", "half of a surrogate pair"):
        read_stop_words([words] if isinstance(words, str) else words, Tokenizer("words"))
    given = ["sun", words] if isinstance(words, str) else words
    with refused("vocabulary[1]", "half of a surrogate pair"):
        checked_words(given)


def test_combining_marks_belong_to_the_word():
    assert separate_words("cafe\u0301 e\u0301te\u0301").numpy().decode().split() == ["cafe\u0301", "e\u0301te\u0301"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, World!", "hello , world !"),
        (
            "Don't; it's Anne's. We'll, I'm, you've, they're, she'd",
            "don't ; it 's anne 's . we 'll , i 'm , you 've , they 're , she 'd",
        ),
        ("Anne\u2019s \u201cquote\u201d and \u2018this\u2019", "anne 's \" quote \" and ' this '"),
        ("$1,500 or 3.14 in 1914\u201318 (12 13 14), 7.", "$ N or N in N \u2013 N ( N N N ) , N ."),
        ("the 1960s, 20th-century, h2o and 4-6", "the 1960s , 20th-century , h2o and 4-6"),
        ("U.S. and i.e. but J. Bach.", "u.s. and i.e. but j . bach ."),
        ("well-known -- a/b \u2014 c...", "well-known - - a / b \u2014 c . . ."),
        ("a <unk> word", "a <unk> word"),
        ("N n", "n n"),
        ("Été\u00a0жизнь e\u0301t \t\u2028 x\u0000y", "été жизнь e\u0301t x y"),
        ("'s-Hertogenbosch 's", "'s - hertogenbosch 's"),
        ("", ""),
    ],
)
def test_words_numbers_and_punctuation_become_tokens(text, tokens):
    assert separate_punctuation(text).numpy().decode().split() == tokens.split()


def test_no_visible_character_is_lost_beside_numbers():
    """On 2,000 random texts: but for numbers, the letters and marks are those of the text, in order."""
    rng = np.random.default_rng(0)
    alphabet = np.array(list("abcXYZ  '-.,;!?()é\"$"))
    texts = ["".join(rng.choice(alphabet, size=40)) for _ in range(2000)]
    for text, tokens in zip(texts, separate_punctuation(np.array(texts)).numpy(), strict=True):
        assert "".join(tokens.decode().split()) == "".join(text.lower().split())


def test_whitespace_tokens_are_taken_as_they_are():
    assert Tokenizer("whitespace")(["The <unk> n't", "The  N"]) == [[b"The", b"<unk>", b"n't"], [b"The", b"N"]]


def test_counts_are_those_of_a_counter(rng):
    """2,000 texts, several chunks; words outside the vocabulary count nowhere."""
    vocabulary = ["aa", "bb", "cc", "dd"]
    texts = [" ".join(rng.choice([*vocabulary, "other"], size=rng.integers(1, 9))) for _ in range(2000)]
    corpus = load_bag_of_words(texts=texts, min_count=1, stop_words=["other"], test_size=1, validation_size=1)
    assert corpus.train.counts.dtype == np.int32
    assert sorted(corpus.vocabulary) == vocabulary
    expected = [[Counter(text.split())[word] for word in corpus.vocabulary] for text in corpus.train.texts]
    np.testing.assert_array_equal(corpus.train.counts.toarray(), expected)
    np.testing.assert_array_equal(corpus.vectorizer()(list(corpus.train.texts)), expected)


def test_the_vocabulary_is_ordered_by_count_then_alphabet_and_heeds_limits():
    words = ["rare", "stop", "zebra", "apple", "often"]
    counts = np.array([1, 90, 5, 5, 9])

    def chosen(size, min_count):
        choice = VocabularyChoice(size, min_count, stop_words=frozenset(["stop"]))
        return [words[row] for row in choice.choose(words, counts)]

    assert chosen(10, 2) == ["often", "apple", "zebra"]
    assert chosen(2, 1) == ["often", "apple"]
    with pytest.raises(ValueError, match=r"min_count=10 times.*5 distinct words"):
        chosen(10, 10)


def test_a_saved_layer_counts_as_before(tmp_path):
    text = keras.Input((), dtype="string")
    model = keras.Model(text, DocumentVectorization(["cat", "été"])(text))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    raw = keras.ops.convert_to_tensor(np.array(["Cat, cat! dog", "L'ÉTÉ"]), dtype="string")
    np.testing.assert_array_equal(loaded(raw), [[2, 0], [0, 1]])


def test_unknown_tokenization_lists_the_choices():
    with refused("tokenization", "'bytes'", "words, whitespace, punctuation"):
        Tokenizer("bytes")


def test_stop_words_come_from_a_list_a_file_or_scikit_learn(tmp_path):
    (tmp_path / "stop.txt").write_text("The\nUND\n")
    assert read_stop_words(tmp_path / "stop.txt", Tokenizer("words")) == {"the", "und"}
    assert read_stop_words(str(tmp_path / "stop.txt"), Tokenizer("whitespace")) == {"The", "UND"}
    assert read_stop_words(["The", "it's"], Tokenizer("words")) == {"the", "it"}
    assert read_stop_words([], Tokenizer("words")) == read_stop_words("none", Tokenizer("words")) == frozenset()
    english = read_stop_words("english", Tokenizer("words"))
    assert {word for word in ENGLISH_STOP_WORDS if len(word) > 1} <= english
    assert not {"computer", "moon", "science", "orange"} & english


@pytest.mark.parametrize("kind", ["words", "punctuation", "scikit-learn"])
def test_what_is_left_of_contractions_and_links_is_no_word_of_english(kind):
    text = "It isn't what they've said, she'll go; don't see http://www.moon.com or https://moon.org/index.html"
    words = {word.decode() for word in Tokenizer(kind)([text])[0]}
    left = words - read_stop_words("english", Tokenizer(kind))
    assert not left & {"isn", "ve", "ll", "don", "http", "https", "www", "com", "org", "html"}
    assert "moon" in left


def test_english_stop_words_are_those_of_gensim_and_more():
    gensim = pytest.importorskip("gensim.parsing.preprocessing")
    words = {word for word in gensim.STOPWORDS if len(word) > 1}
    assert words - read_stop_words("english", Tokenizer("words")) == {"computer"}


def test_a_language_of_which_no_word_is_left_is_refused():
    pytest.importorskip("stop_words")
    with refused("stop_words", "tokenization='words' leaves none", remedy="`tokenizer`"):
        read_stop_words("chinese", Tokenizer("words"))
    assert "把" in read_stop_words("chinese", Tokenizer.of("words", function=lambda text: [text]))
    with refused("stop_words", "['42', '!']"):
        read_stop_words(["42", "!"], Tokenizer("words"))


@pytest.mark.parametrize("kind", ["words", "punctuation", "scikit-learn"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\ufe0flove the\ufe0f moon", ["love", "the", "moon"]),
        ("red \u2764\ufe0f moon \u2764\ufe0f", ["red", "moon"]),
        ("red \u0301 moon \u0308\u0301", ["red", "moon"]),
        ("\u0301red -\u0301moon", ["red", "moon"]),
        ("red 1\ufe0f\u20e3 moon", ["red", "moon"]),
        ("caf\u00e9 na\u00efve", ["caf\u00e9", "na\u00efve"]),
        ("red \U0001f469\u200d\U0001f680 moon", ["red", "moon"]),
    ],
)
def test_a_mark_without_a_letter_is_no_word_in_python_and_in_a_graph(kind, text, words):
    in_python = [word.decode() for word in Tokenizer(kind)([text])[0]]
    letters = [word for word in in_python if any(unicodedata.category(each)[0] == "L" for each in word) and word != "N"]
    assert letters == words
    marks = [word for word in in_python if all(unicodedata.category(each)[0] == "M" for each in word)]
    assert marks == []
    graph = tf.function(Tokenizer(kind).ragged, input_signature=[tf.TensorSpec([None], tf.string)])
    assert [word.decode() for word in graph(tf.constant([text]))[0].numpy().tolist()] == in_python
    vocabulary = list(dict.fromkeys(in_python))
    counts = [[in_python.count(word) for word in vocabulary]]
    np.testing.assert_array_equal(DocumentVectorization(vocabulary, tokenization=kind)([text]), counts)


def test_a_decomposed_accent_makes_no_second_letter_and_stays_on_its_word():
    assert Tokenizer("words")(["a\u0301 e\u0301te\u0301"]) == [["e\u0301te\u0301".encode()]]
    assert Tokenizer("words")(["\u0939\u093f\u0928\u094d\u0926\u0940 \u0915\u0940"]) == [
        ["\u0939\u093f\u0928\u094d\u0926\u0940".encode(), "\u0915\u0940".encode()]
    ]


def test_stop_words_of_a_language_are_written_as_the_tokenizer_writes_them():
    stop_words = pytest.importorskip("stop_words")
    german = read_stop_words("german", Tokenizer("words"))
    assert {"und", "der", "für", "während"} <= german
    assert german == {word for listed in stop_words.get_stop_words("german") for word in python_words(listed)}
    assert "l'" in stop_words.get_stop_words("french") or "c'est" in stop_words.get_stop_words("french")
    assert not any("'" in word for word in read_stop_words("french", Tokenizer("words")))
    corpus = load_bag_of_words(texts=["Der Mond und die Sonne"] * 20, stop_words="german")
    assert set(corpus.vocabulary) == {"mond", "sonne"}
    with refused("stop_words", "'klingon', which is no file", "french, german"):
        read_stop_words("klingon", Tokenizer("words"))


def test_a_missing_package_of_stop_words_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "stop_words", None)
    with pytest.raises(ModuleNotFoundError, match=r"'german', which is no file.*pip install 'stop-words>="):
        read_stop_words("german", Tokenizer("words"))


def test_a_missing_gensim_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.parsing.preprocessing", None)
    assert "the" in read_stop_words("english", Tokenizer("words"))  # needs none
    with pytest.raises(ModuleNotFoundError, match="flowers need gensim"):
        require_gensim("gensim.parsing.preprocessing", "flowers")
