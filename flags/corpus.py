"""Flags that name the text."""

from absl import flags

CORPUS = flags.DEFINE_string(
    "corpus",
    None,
    "Name of a corpus; see the trainer's description. Leave it out to read files given by --train_files.",
)
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder with the files of a named corpus.")
TRAIN_FILES = flags.DEFINE_list("train_files", [], "Training text: files or folders, separated by commas.")
VALID_FILES = flags.DEFINE_list("valid_files", [], "Validation text; held out of the training text if not given.")
TEST_FILES = flags.DEFINE_list("test_files", [], "Test text; held out of the training text if not given.")
VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary, one word a line; made from the training text if not given."
)
VOCABULARY_SIZE = flags.DEFINE_integer("vocabulary_size", 2000, "Most frequent words to keep.", lower_bound=2)
MIN_COUNT = flags.DEFINE_integer(
    "min_count", 2, "Words rarer than this in the training text are left out.", lower_bound=1
)
STOP_WORDS = flags.DEFINE_string("stop_words", "english", "'english', 'none', or a file with a word a line.")
TOKENIZATION = flags.DEFINE_enum(
    "tokenization", "words", ["words", "whitespace"], "Lower-case words, or text that is already tokenised."
)
SPLIT_SEED = flags.DEFINE_integer("split_seed", 0, "Seed of the splits held out of the training text.", lower_bound=0)
