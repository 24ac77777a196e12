"""What is read of folders, what is passed over, and what is said of it."""

import gzip
import re
import warnings

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from tests.refusals import refused
from tf_vmf import data
from tf_vmf.data import load_bag_of_words, load_sentences
from tf_vmf.text.files import TextFiles, expand_paths

WORDS = ["alpha", "beta", "gamma", "delta"]


@pytest.fixture
def labelled(tmp_path):
    """Twelve files in each of two subfolders."""
    for label, word in (("sport", "ball"), ("food", "bread")):
        (tmp_path / label).mkdir()
        for number in range(12):
            (tmp_path / label / f"{number:02d}.txt").write_text(f"{word} {WORDS[number % 4]}")
    return tmp_path


@pytest.mark.parametrize("whole_files", [True, False])
def test_hidden_files_and_folders_are_passed_over(labelled, whole_files):
    (labelled / ".git").mkdir()
    for name in (".git/config.txt", "sport/._00.txt", ".DS_Store.txt", "food/.hidden.gz"):
        (labelled / name).write_bytes(b"\x00\xff binary")
    texts = list(TextFiles(labelled, whole_files=whole_files))
    assert len(texts) == 24
    assert {text.label for text in texts} == {"sport", "food"}
    assert [str(path.name) for path in expand_paths(f"{labelled}/sport/*.txt")] == [f"{n:02d}.txt" for n in range(12)]


def test_a_stray_file_beside_labelled_folders_keeps_the_labels_and_is_named(labelled):
    (labelled / "README.txt").write_text("not a document")
    for load in (load_bag_of_words, load_sentences):
        with pytest.warns(
            UserWarning, match=r"1 files lie beside the subfolders that are the labels.*passed over: README\.txt"
        ):
            corpus = load(train_files=labelled, min_count=1)
        assert corpus.label_names == ("food", "sport")
        assert sum(len(getattr(corpus, split)) for split in ("train", "valid", "test")) == 24


def test_files_of_another_kind_are_said(labelled):
    for name in ("sport/notes.md", "food/scan.pdf"):
        (labelled / name).write_bytes(b"%PDF")
    (labelled / "food/99.TXT").write_text("ham")
    with pytest.warns(
        UserWarning, match=r"2 files that do not end in \.txt or \.gz are passed over, food/scan\.pdf among"
    ):
        texts = list(TextFiles(labelled, whole_files=True))
    assert len(texts) == 25


def test_subfolders_that_are_no_labels_are_said(tmp_path):
    (tmp_path / "sub").mkdir()
    for file in ("a.txt", "b.txt", "sub/c.txt"):
        (tmp_path / file).write_text("word")
    with pytest.warns(
        UserWarning, match=r"no labels from the subfolders, as 2 of 3 files lie beside these: a\.txt, b\.txt"
    ):
        assert [text.label for text in TextFiles(tmp_path)] == [None, None, None]


def test_labels_that_are_lost_are_said(labelled):
    (labelled / "test.txt").write_text("ball bread\n")
    with pytest.warns(UserWarning, match=r"The labels of train, valid are dropped: the other splits have none"):
        corpus = load_bag_of_words(
            train_files=[f"sport={labelled}/sport", f"food={labelled}/food"],
            test_files=labelled / "test.txt",
            min_count=1,
        )
    assert corpus.label_names == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, encoding):
    lines = ["naïve café", "", "日本語", "last"]
    (tmp_path / "a.txt").write_bytes("\r\n".join(lines).encode(encoding))
    assert [text.text for text in TextFiles(tmp_path / "a.txt")] == lines


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("load", [load_bag_of_words, load_sentences])
def test_wide_characters_without_a_mark_are_refused_with_the_remedy(tmp_path, encoding, load):
    name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    for text in ("the moon and the star\n", "луна и звезда\n", "το φεγγάρι\n"):
        (tmp_path / "a.txt").write_bytes(text.encode(encoding) * 20)
        expected = rf"a\.txt, line 1: expected UTF-8 text; this looks like {name[:6]} .*iconv -f {name} -t"
        with pytest.raises(ValueError, match=expected):
            load(train_files=tmp_path / "a.txt")


def test_a_damaged_gzip_file_is_named(tmp_path):
    content = bytearray(gzip.compress(bytes(np.random.default_rng(0).integers(97, 120, 5000, dtype=np.uint8))))
    content[200:220] = b"\xff" * 20
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.gz, line \d+: expected intact gzip data"):
        list(TextFiles(tmp_path / "a.gz"))


def test_names_with_brackets_and_equals_signs_are_names(tmp_path):
    folder = tmp_path / "text [1] a=b"
    folder.mkdir()
    (folder / "x=1 [2].txt").write_text("star")
    assert [text.text for text in TextFiles(folder / "x=1 [2].txt")] == ["star"]
    assert [text.label for text in TextFiles(f"l={folder}/x=1 [2].txt")] == ["l"]


# Vocabularies and words


@pytest.mark.parametrize("load", [load_bag_of_words, load_sentences, data.prepare_documents, data.prepare_sentences])
def test_a_vocabulary_that_fits_nothing_is_refused(tmp_path, load):
    (tmp_path / "a.txt").write_text("moon star\nmoon planet\n" * 40)
    (tmp_path / "vocab").write_text("Moon\nStar\n<unk>\nPlanet\n")
    output = {"output": tmp_path / "out"} if "prepare" in load.__name__ else {}
    with refused("vocab_file", expected="which fit the text", remedy="100.0%"):
        load(train_files=tmp_path / "a.txt", vocab_file=tmp_path / "vocab", **output)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("load", [load_sentences, data.prepare_sentences])
def test_half_of_the_words_must_be_known(tmp_path, load):
    (tmp_path / "a.txt").write_text("moon star sun\n" * 100)
    for known, fits in (("moon", False), ("moon\nstar", True)):
        (tmp_path / "vocab").write_text(known)
        arguments = {"train_files": tmp_path / "a.txt", "vocab_file": tmp_path / "vocab"}
        arguments |= {"output": tmp_path / "out"} if "prepare" in load.__name__ else {}
        if fits:
            load(**arguments)
            continue
        with refused("vocab_file", received="moon", remedy="66.7% of the words of the training text"):
            load(**arguments)


@pytest.mark.parametrize("load", [load_bag_of_words, data.prepare_documents])
def test_words_that_never_occur_and_texts_left_empty_are_said(tmp_path, load):
    (tmp_path / "a.txt").write_text("moon star\n" * 30 + "planet\n" * 10)
    (tmp_path / "vocab").write_text("moon\nstar\nzebra\nunicorn\n")
    arguments = dict.fromkeys(("train_files", "valid_files", "test_files"), tmp_path / "a.txt")
    output = {"output": tmp_path / "out"} if "prepare" in load.__name__ else {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        load(**arguments, **output, vocab_file=tmp_path / "vocab")
    messages = " ".join(str(each.message) for each in said)
    assert "25.0% of the training texts hold no word of the vocabulary and are left out" in messages
    assert "2 of 4 words of `vocab_file` never occur in the training text: zebra, unicorn" in messages
    with pytest.warns(UserWarning, match=r"25.0% of the training texts hold no word of the vocabulary"):
        load(**arguments, **{name: tmp_path / "out2" for name in output}, vocabulary_size=2)


@pytest.mark.parametrize("load", [load_bag_of_words, data.prepare_documents])
def test_text_of_numbers_alone_says_what_to_change(tmp_path, load):
    (tmp_path / "a.txt").write_text("1 22 333\n4 5\n" * 20)
    arguments = {"output": tmp_path / "out"} if load is data.prepare_documents else {}
    with pytest.raises(
        ValueError,
        match=r"Received: (0 distinct words|40 texts without a word).*Numbers and single.*'whitespace' keep them",
    ):
        load(train_files=tmp_path / "a.txt", **arguments)
    kept = load_bag_of_words(train_files=tmp_path / "a.txt", tokenization="whitespace")
    assert set(kept.vocabulary) == {"1", "22", "333", "4", "5"}


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("我爱自然语言处理和机器学习", True),
        ("日本語の文章には空白がありません", True),
        ("ภาษาไทยไม่มีช่องว่างระหว่างคำ", True),
        ("ພາສາລາວບໍ່ມີຊ່ອງຫວ່າງລະຫວ່າງຄຳ", True),
        ("ភាសាខ្មែរមិនមានចន្លោះរវាងពាក្យ", True),
        ("བོད་སྐད་ནི་བར་སྟོང་མེད་པའི་སྐད་ཡིག་ཡིན", True),
        ("ꦧꦱꦗꦮꦲꦤꦕꦫꦏꦢꦠꦱꦮꦭ", True),  # Javanese
        ("ᬩᬲᬩᬮᬶᬳᬦᬘᬭᬓᬤᬢᬲᬯᬮ", True),  # Balinese
        ("ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒ", True),  # Bopomofo
        # half-width kana
        ("\uff86\uff8e\uff9d\uff7a\uff9e\uff89\uff8c\uff9e\uff9d\uff7c\uff6e\uff73\uff83\uff9e\uff7d", True),
        ("".join(map(chr, range(0x20000, 0x20010))), True),  # ideographs of extension B
        ("".join(map(chr, range(0xA000, 0xA010))), True),  # Yi
        ("हिन्दी के वाक्यों में शब्दों के बीच रिक्त स्थान होते हैं", False),
        ("我 爱 自然 语言 处理", False),
        ("한국어 문장에는 띄어쓰기가 있습니다", False),
        ("an English text with 北京 in it", False),
        ("", False),
    ],
)
def test_scripts_without_spaces_are_said(text, warned):
    texts = [text if warned else f"{text} {word}" for word in WORDS * 10]
    for load in (load_bag_of_words, load_sentences):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            load(texts=texts, min_count=1, **({"stop_words": "none"} if load is load_bag_of_words else {}))
        assert any("does not separate words by spaces" in str(each.message) for each in said) == warned


def test_a_function_segments_and_its_vectorizer_takes_words_separated_by_spaces():
    def pairs(text):
        return [text[i : i + 2] for i in range(0, len(text), 2)] + [" "]

    texts = ["我爱自然语言", "自然语言处理", "我爱机器"] * 20
    corpus = load_bag_of_words(texts=texts, tokenizer=pairs, stop_words=["我爱"])
    assert set(corpus.vocabulary) == {"自然", "语言", "处理", "机器"}
    assert corpus.tokenization == "whitespace"
    assert "pairs; new text must come with its words separated by spaces" in corpus.statistics["tokenizer"]
    counts = corpus.vectorizer()(["我爱 自然 语言"]).numpy()[0]
    assert {word for word, count in zip(corpus.vocabulary, counts, strict=True) if count} == {"自然", "语言"}
    sentences = load_sentences(texts=texts, tokenizer=pairs)
    assert set(sentences.vocabulary[3:]) == {"我爱", "自然", "语言", "处理", "机器"}


@pytest.mark.parametrize(
    ("tokenizer", "expected", "received"),
    [
        ("jieba", "a function", "'jieba'"),
        (lambda text: text, "a list of words", "'star moon'"),
        (lambda text: None, "a list of words", "None"),
        (lambda text: [text], "words without whitespace", "'star moon'"),
        (lambda text: [3], "words without whitespace", "3"),
    ],
    ids=["a name", "a text", "None", "spaces", "a number"],
)
def test_a_function_that_gives_no_words_is_refused(tokenizer, expected, received):
    with refused("tokenizer", received, expected):
        load_sentences(texts=["star moon"] * 20, tokenizer=tokenizer)


def test_document_frequencies_limit_the_vocabulary_as_in_scikit_learn(tmp_path):
    rng = np.random.default_rng(0)
    vocabulary = [f"w{chr(97 + i)}" for i in range(26)]
    texts = [" ".join(rng.choice(vocabulary, 8, p=np.arange(26, 0, -1) / 351)) for _ in range(60)]
    (tmp_path / "a.txt").write_text("\n".join(texts))
    files = dict.fromkeys(("train_files", "valid_files", "test_files"), tmp_path / "a.txt")
    for limits in ({"min_df": 12}, {"min_df": 0.25}, {"max_df": 20}, {"max_df": 0.3}, {"min_df": 5, "max_df": 0.4}):
        corpus = load_bag_of_words(**files, stop_words="none", min_count=1, **limits)
        expected = set(CountVectorizer(**limits).fit(texts).get_feature_names_out())
        assert set(corpus.vocabulary) == expected
        output = tmp_path / str(limits)
        data.prepare_documents(output, **files, stop_words="none", min_count=1, **limits)
        assert set(load_bag_of_words("prepared", data_dir=output).vocabulary) == expected
    for limits in ({"min_df": 0}, {"max_df": 1.5}, {"min_df": True}, {"max_df": -0.1}):
        with refused(next(iter(limits)), expected="a number of texts, an int from 1, or a share"):
            load_bag_of_words(texts=texts, **limits)
    with pytest.raises(ValueError, match=r"Lower `min_count`, change min_df, or"):
        load_bag_of_words(texts=texts, min_df=1000)


@pytest.mark.parametrize("name", ["a,b.txt", "a, b.txt", "a\nb.txt"])
def test_files_whose_names_a_program_has_cut_are_found(tmp_path, name):
    (tmp_path / name).write_text("one\n")
    (tmp_path / "other.txt").write_text("two\n")
    cut = [str(tmp_path / "other.txt"), *(piece.strip() for piece in re.split(r"[,\n]", str(tmp_path / name)))]
    assert [text.text for text in TextFiles(cut)] == ["two", "one"]
    labelled = [f"x={cut[0]}", f"y={cut[1]}", *cut[2:]]
    assert [(text.label, text.text) for text in TextFiles(labelled)] == [("x", "two"), ("y", "one")]
