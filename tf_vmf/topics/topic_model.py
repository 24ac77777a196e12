"""Topics of texts in three lines: a scikit-learn estimator over a vMF autoencoder of documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from tf_vmf._errors import ArgumentError
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.text import DocumentVectorization
from tf_vmf.text.files import as_texts
from tf_vmf.topics import codes as document_codes
from tf_vmf.topics import edits as topic_edits
from tf_vmf.topics import fitted, guidance, inputs, tables
from tf_vmf.topics.arguments import check_document_model, check_integer, check_number, check_parameters, checked_labels
from tf_vmf.topics.documents import CountedDocuments, is_texts, nonempty, word_numbers
from tf_vmf.topics.fitted import FittedTopics, Parts, extended, find_words, log_word_shares, merged_numbers
from tf_vmf.topics.groups import periods, read_column, read_times
from tf_vmf.topics.inputs import add_new_vectors, add_vectors
from tf_vmf.topics.selection import find_mixture
from tf_vmf.topics.tree import TopicTree, topic_tree
from tf_vmf.topics.words import label_words, word_settings

if TYPE_CHECKING:
    import pandas as pd

_WORD_PARAMETERS = ("relevance_weight", "exclusivity", "mode_concentration", "coherent_words")


class TopicModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Topics of documents: a mixture of directions and words, from the codes of a vMF autoencoder.

    A `BagOfWordsVAE` maps each document to a direction on the sphere. Clusters of these are the start of a mixture in which the
    words of the documents decide, and their vectors, where `fit` is given some: a second sphere. The words of a topic are those
    that the autoencoder decodes where its documents are densest. Nothing needs labels or pretrained vectors.

    ```python
    texts = ["the moon and a rocket", "a rocket to the moon", "bread and butter", "butter on bread"] * 25
    model = tf_vmf.TopicModel(num_topics=2, epochs=20, random_state=0)
    model.fit(texts)
    model.topics(2)  # [["moon", "rocket"], ["bread", "butter"]]
    model.transform(["a moon of butter"])  # proportions of the topics, shape (1, 2)
    ```

    Args:
        num_topics: Number of topics; None chooses from 2 to 100 by the mean silhouette of the codes, and vectors beside them:
            the number of clear clusters, which may be fewer than a reader wants.
        vocabulary: The words; None chooses them from the texts. Required for counts.
        vocabulary_size: The number of words at most, where they are chosen.
        min_df: In how many texts a word must occur: a number, an int, or a share, a float. So for `max_df`.
        max_df: In how many texts it may occur.
        stop_words: "english" (gensim's list), "none", the path of a file with a word per line, or words.
        tokenization: "words" (lower-case words of two letters or more), "punctuation" or "whitespace" (tokenized text).
        tokenizer: A function from a text to its words, in place of `tokenization`, such as `jieba.lcut` for Chinese. A saved or
            exported model does not hold it: it splits texts at spaces, and a loaded one takes `set_params(tokenizer=...)`.
        ngram_range: Lengths (shortest, longest) of runs of words that count as a word, joined by underscores.
        latent_dim: Dimension of the codes.
        hidden_units: Width of the hidden layers.
        epochs: Passes over the texts; None for as many as make 2,000 training steps, at least 10 and at most 200.
        batch_size: Texts per training step.
        learning_rate: Of Adam at the start; it falls to 0 along a cosine.
        seed_words: Lists of words, or names with lists of words, that become the first topics and draw the documents with them,
            each word as five; the others follow by size. A topic without most of these documents has no name, and a warning.
        relevance_weight: In [0, 1]: 1 ranks words by probability, 0 by how much likelier they are in the topic than elsewhere.
        exclusivity: Weight of the penalty for words that another topic makes likelier; 0 leaves shared words in all topics.
        mode_concentration: Concentration of the kernel that finds the densest point; 0 decodes at the mean direction.
        coherent_words: Whether the ten of the twenty most relevant words come first that occur together most in the training
            documents. Their coherence measures that too: compare models with False, or on held-out documents.
        random_state: Seed: an int, a `numpy.random.RandomState` or None.
        verbose: 0 silent, 1 a progress bar, 2 a line per epoch.

    Attributes:
        vocabulary_: The V words, a tuple; `vectorizer_`, a `DocumentVectorization`, counts them in texts (None after counts).
        model_: The trained `tf_vmf.models.BagOfWordsVAE`.
        num_topics_: The number of topics.
        mean_directions_: Of the components, shape (components, d), with the `concentration_` that these share.
        silhouettes_: The mean silhouette by number of topics, where `num_topics` is None; otherwise None.
        labels_: The topic of each document of `fit` and `partial_fit`, shape (n,); -1 without a known word or a vector.
        hidden_topics_: Topics that an edit hides from `topic_info` and the report; documents keep them.
        feature_names_in_: The names of the columns, where the model was fitted on a data frame of counts.
    """

    hidden_topics_: tuple[int, ...]
    _labels: dict[int, str]
    _texts: list[str] | None

    def __init__(
        self,
        num_topics: int | None = 20,
        *,
        vocabulary: Sequence[str] | None = None,
        vocabulary_size: int = 5000,
        min_df: int | float = 2,
        max_df: int | float = 1.0,
        stop_words: str | Path | Sequence[str] = "english",
        tokenization: str = "words",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        ngram_range: tuple[int, int] = (1, 1),
        latent_dim: int = 50,
        hidden_units: int = 256,
        epochs: int | None = None,
        batch_size: int = 200,
        learning_rate: float = 2e-3,
        seed_words: Mapping[str, Sequence[str]] | Sequence[Sequence[str]] | None = None,
        relevance_weight: float = 0.8,
        exclusivity: float = 3.0,
        mode_concentration: float = 5.0,
        coherent_words: bool = True,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.num_topics = num_topics
        self.vocabulary = vocabulary
        self.vocabulary_size = vocabulary_size
        self.min_df = min_df
        self.max_df = max_df
        self.stop_words = stop_words
        self.tokenization = tokenization
        self.tokenizer = tokenizer
        self.ngram_range = ngram_range
        self.latent_dim = latent_dim
        self.hidden_units = hidden_units
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed_words = seed_words
        self.relevance_weight = relevance_weight
        self.exclusivity = exclusivity
        self.mode_concentration = mode_concentration
        self.coherent_words = coherent_words
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, embeddings: Any = None) -> Self:
        """Trains the document model and finds the topics.

        Args:
            X: n texts in a list, an array or a column of a data frame; or counts (n, V), dense or scipy sparse, with `vocabulary`.
                An iterator of texts, or of lists of them, is read once, onto temporary files: texts of any size fit into memory.
                So does `tf_vmf.data.load_bag_of_words("prepared", data_dir=...)`, whose training documents are taken.
            y: Ignored; for pipelines.
            embeddings: Vectors of the documents, shape (n, e), of any encoder; or a function from a list of texts to them, such as
                `SentenceTransformer(...).encode`, which `transform` then calls for new texts. Only their directions count. A text
                without a known word has the topic of its vector.

        Raises:
            ArgumentError: An argument is out of range, no word is left, a seed word is unknown, there are fewer documents with a
                known word than topics, or `embeddings` are not a vector per document, finite and not zero.
            TypeError: X is one string, or mixes strings with something else.
            ModuleNotFoundError: stop_words="english" without gensim.
        """
        del y
        check_parameters(self.get_params(deep=False))
        documents = self._read_training(X, embeddings)
        seed = self._seed()
        sizes = f"{len(documents):,} texts, {len(self.vocabulary_):,} words, {np.sum(~documents.known):,} texts without one of them"
        inputs.say(sizes, self.verbose)
        shape = self.latent_dim, self.hidden_units, self.epochs, self.batch_size, self.learning_rate
        settings = document_codes.CodeSettings(*shape)
        self.model_ = document_codes.train(nonempty(documents.counts), settings, seed, self.verbose)
        return self._cluster(documents, seed)

    @classmethod
    def from_document_model(
        cls,
        model: BagOfWordsVAE,
        X: Any,
        *,
        vectorizer: DocumentVectorization | None = None,
        vocabulary: Sequence[str] | None = None,
        embeddings: Any = None,
        **parameters: Any,
    ) -> Self:
        """The topics that a trained document model sees in documents: `fit` without the training.

        Args:
            model: A trained document model whose codes are directions; `tf_vmf.models.load` returns it with its vectorizer.
            X: Texts, with `vectorizer`, or counts over the words of the model.
            vectorizer: What turns texts into the counts that the model reads; None for counts.
            vocabulary: The words of the columns of counts; not needed with a vectorizer.
            embeddings: Vectors of the documents, or a function, as for `fit`.
            **parameters: Those of `TopicModel` that do not shape the document model, as `num_topics` and `seed_words`.

        Raises:
            ArgumentError: The words do not fit the model, its codes are no directions, or as for `fit`.
        """
        words = check_document_model(model, vocabulary if vectorizer is None else vectorizer.vocabulary)
        if vectorizer is not None:
            parameters |= {"tokenization": vectorizer.tokenization, "ngram_range": vectorizer.ngram_range}
        result = cls(vocabulary=words, latent_dim=model.latent.latent_dim, **parameters)
        check_parameters(result.get_params(deep=False))
        if vectorizer is None and is_texts(inputs.plain_documents(X, words)):
            raise ArgumentError("vectorizer", "the one that makes counts of the texts", "None")
        documents = result._read_training(X, embeddings)
        result.model_, result.vectorizer_ = model, vectorizer
        return result._cluster(documents, result._seed())

    def _cluster(self, documents: CountedDocuments, seed: int) -> Self:
        """Finds the topics of the training documents under the document model."""
        inputs.say("topics of the texts", self.verbose)
        codes, concentrations = document_codes.encode(self.model_, documents.counts)
        guides = guidance.seed_columns(self.seed_words, self.vocabulary_)
        given = documents, codes, concentrations, self.num_topics
        mixture, self.silhouettes_ = find_mixture(*given, guides=guides, seed=seed)
        self._labels, self.hidden_topics_ = {}, ()
        self._find_words((mixture, np.arange(mixture.num_topics), documents, codes, concentrations), len(guides))
        if guides:
            self._labels = guidance.seed_names(self.seed_words, guides, self._topics, self.topic_labels())
        return self

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def partial_fit(self, X: Any, y: Any = None, *, embeddings: Any = None) -> Self:
        """Goes on with further documents, such as those of a new day, under the vocabulary and the document model of `fit`.

        The new documents are assigned to the topics, and then count in their words, directions and sizes; the words of the topics
        are found anew. No topic is added: fit anew where `score` of new documents falls. Labels, merges and hidden topics stay.

        Args:
            X: Texts or counts, as for `transform`; the first call on a model that is not fitted is `fit`.
            y: Ignored.
            embeddings: Vectors of the documents, as for `transform`.
        """
        del y
        if not hasattr(self, "model_"):
            return self.fit(X, embeddings=embeddings)
        X = [text.text for text in as_texts(X, "X")] if isinstance(X, Iterator) else X
        new, guides = self._read_placed(X, embeddings), guidance.seed_columns(self.seed_words, self.vocabulary_)
        self._find_words(extended(self._topics, new, *document_codes.encode(self.model_, new.counts), guides))
        self._texts = inputs.extended(self._texts, X)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:
        """Fits, and returns the proportions of the training documents."""
        self.fit(X, y, **fit_params)
        return self._topics.training_proportions

    def transform(self, X: Any, *, embeddings: Any = None) -> np.ndarray:
        """Topic proportions p(topic|document), shape (n, num_topics); rows sum to 1.

        A document without a known word gets the proportions of its vector; without one the mean proportions of the training
        documents, and its topic is -1 wherever one is named.

        Args:
            X: Texts, or counts over `vocabulary_`.
            embeddings: Vectors of the documents, as in `fit`, or a function from texts to them. None calls the function that the
                model was fitted with; a file keeps no function. So in all methods.

        Raises:
            ArgumentError: There is no vector per document, of the dimension in `fit`, finite and not zero; or there should be none.
        """
        return self._topics.proportions(self._read_placed(X, embeddings))

    def known_tokens(self, X: Any) -> np.ndarray:
        """How many tokens of each document the vocabulary holds, int64 (n,); sums of fractional counts are rounded."""
        return self._read(X).lengths

    def embed(self, X: Any) -> np.ndarray:
        """The code of each document: a unit vector, shape (n, latent_dim), float32; zeros for one without a known word."""
        counts = self._read(X).counts
        return document_codes.encode(self.model_, counts)[0]

    def score(self, X: Any, y: Any = None) -> float:
        """A lower bound on the log-likelihood per token, in nats; higher is better.

        The evidence lower bound of the document model, one sample per document: compare models over the same words.

        Raises:
            ArgumentError: No document has a known word.
        """
        del y
        counts = self._read(X).counts
        return document_codes.bound_per_token(self.model_, counts)

    def outliers(self, X: Any = None, *, share: float | None = None, embeddings: Any = None) -> np.ndarray:
        """Whether each document lies far from all topics, bool (n,).

        A document is an outlier if the mixture's log density at its code, and vector, is more than three deviations (by the median
        absolute deviation) below the median of the training documents, or if it has no known word and no vector.

        Args:
            X: Documents; None for the training documents.
            share: The share of training documents that count as outliers, in [0, 1], instead of the three deviations.
            embeddings: Vectors of X, as for `transform`.
        """
        topics = self._topics
        if share is not None:
            check_number("share", share, 0.0, 1.0)
        if X is None:
            return topics.outliers(topics.documents, topics.codes, topics.concentrations, share)
        new = self._read_placed(X, embeddings)
        return topics.outliers(new, *document_codes.encode(self.model_, new.counts), share)

    @property
    def takes_embeddings(self) -> bool:
        """Whether the model was fitted with vectors, so that new texts need some."""
        return self._topics.mixture.vectors is not None

    def topics(self, num_words: int = 10) -> list[list[str]]:
        """The first words of every topic; `topics(5)` are the first five of `topics(10)`."""
        ranking = self._topics.ranking
        check_integer("num_words", num_words, 1, ranking.shape[1])
        return [[self.vocabulary_[word] for word in row[:num_words]] for row in ranking]

    def topic_labels(self) -> list[str]:
        """The label of every topic: the one that was set, or the three most frequent of its first six words."""
        totals = np.asarray(self._topics.documents.counts.sum(axis=0)).ravel()
        words = [label_words(row, totals, self.vocabulary_) for row in self._topics.ranking]
        names = [", ".join(self.vocabulary_[word] for word in row) for row in words]
        return [self._labels.get(topic, name) for topic, name in enumerate(names)]

    def find_topics(self, words: str | Sequence[str], num_topics: int = 5) -> list[tuple[int, float]]:
        """The topics that a word, or several of one topic, most likely come from: (topic, p(topic|words)), the likeliest first.

        Raises:
            ArgumentError: There is no word, or one is not in the vocabulary; the message names similar ones.
        """
        check_integer("num_topics", num_topics, 1)
        probabilities = self._topics.topics_of_words(word_numbers(words, self.vocabulary_))
        return [(int(topic), float(probabilities[topic])) for topic in np.argsort(-probabilities)[:num_topics]]

    def topic_words(self, text: str, *, embeddings: Any = None) -> pd.DataFrame:
        """The topic that explains each word of a text.

        Of `model.topic_words("a moon of butter")` moon has the topic of rockets, butter that of bread. A row of the data frame is a
        known word, in reading order, with `topic` and `weight`, p(topic|word, text).

        Raises:
            ArgumentError: The text is no string, or the model was fitted on counts.
            ModuleNotFoundError: pandas is not installed.
        """
        if not isinstance(text, str):
            raise ArgumentError("text", "a string", f"{type(text).__name__}: {text!r:.60}")
        return tables.topic_words(self._topics, self._read_placed([text], embeddings), self.vocabulary_)

    def update_words(self, **parameters: Any) -> Self:
        """Ranks the words of the topics anew, without training: `model.update_words(exclusivity=0.0)`.

        Raises:
            ArgumentError: None of `relevance_weight`, `exclusivity`, `mode_concentration`, `coherent_words`, or out of range.
        """
        topic_of = self._topics.topic_of
        if wrong := [name for name in parameters if name not in _WORD_PARAMETERS]:
            raise ArgumentError("parameters", f"some of {', '.join(_WORD_PARAMETERS)}", wrong[0])
        check_parameters(self.set_params(**parameters).get_params(deep=False))
        self._regroup(topic_of)
        return self

    def merge_topics(self, groups: Sequence[Sequence[int]]) -> Self:
        """Merges groups of topics, in place.

        A merged topic takes the position of its smallest member; later topics move up. Its proportion is the sum of those of
        its members, its words are decoded anew, and it has the name of the largest member that was named.

        Raises:
            ArgumentError: A topic does not exist, is in two of the groups, as [[0, 3], [5, 7]], or is alone in one.
        """
        old = self._topics
        new_number = merged_numbers(old.num_topics, groups)
        named = sorted(self._labels, key=old.weights.item)  # the largest last
        self._labels = {int(new_number[topic]): self._labels[topic] for topic in named}
        self.hidden_topics_ = tuple(sorted({int(new_number[topic]) for topic in self.hidden_topics_}))
        self._regroup(new_number[old.topic_of])
        return self

    def set_topic_labels(self, labels: Mapping[int, str | None] | Sequence[str | None]) -> Self:
        """Names topics: by topic, or all in a list. Others keep their labels; None takes a name away, and words stand for it again.

        Raises:
            ArgumentError: A topic does not exist.
        """
        checked = checked_labels(labels, self._topics.num_topics)
        changed = {**self._labels, **checked}
        self._labels = {topic: label for topic, label in changed.items() if label is not None}
        return self

    def hierarchy(self, num_words: int = 10) -> TopicTree:
        """The tree of the topics by the likeness of their words, with `num_words` words per merge.

        `scipy.cluster.hierarchy.dendrogram(model.hierarchy().linkage, labels=model.topic_labels())` draws it.
        """
        topics = self._topics
        check_integer("num_words", num_words, 1, len(self.vocabulary_))
        of_words = topics.log_probabilities, topics.weights, log_word_shares(topics.documents)
        return topic_tree(*of_words, self.vocabulary_, num_words, self.relevance_weight)

    def reduce_topics(self, num_topics: int) -> Self:
        """Merges the topics that are most alike until `num_topics` are left, in place; see `hierarchy` and `merge_topics`."""
        check_integer("num_topics", num_topics, 1, self._topics.num_topics)
        groups = self.hierarchy(1).groups(num_topics)
        return self.merge_topics(groups) if groups else self

    def apply_edits(self, edits: str | Path) -> Self:
        """Applies a file of edits, which the report's page writes, in place; `tf_vmf.topics.edits.read_edits` has the format.

        Raises:
            MissingPlaceError: There is no such file.
            ArgumentError: It was made for other topics, or a field does not fit; the message names the field.
        """
        num_words = min(topic_edits.FINGERPRINT_WORDS, self._topics.ranking.shape[1])
        read = topic_edits.read_edits(edits, self.topics(num_words))
        self.set_topic_labels(read.labels)
        self.hidden_topics_ = tuple(sorted({*self.hidden_topics_, *read.hide}))
        return self.merge_topics(read.merge) if read.merge else self

    def topic_info(self, num_words: int = 10) -> pd.DataFrame:
        """A data frame with a row per topic that is not hidden.

        Columns: `topic`, `label`, `size` (training documents whose topic it is), `share` (mean proportion), `words`, `c_npmi` (of
        the first ten words in the training documents; window of 10 words, or the whole document for counts) and
        `representative_documents` (positions of the three training documents nearest to the topic's densest point).

        Raises:
            ModuleNotFoundError: pandas or gensim is not installed.
        """
        words = self.topics(min(num_words, self._topics.ranking.shape[1]))
        given = words, self.topic_labels(), self.labels_, self.hidden_topics_
        return tables.topic_info(self._topics, self.vocabulary_, *given)

    def document_info(self, X: Any, *, embeddings: Any = None, columns: Any = None) -> pd.DataFrame:
        """A data frame with a row per document: the columns of the user, then what the model says.

        `topic` (that with the largest proportion; -1 without a known word or a vector), `topic_label` ("no known word" for -1),
        `probability` (the proportion; NaN for -1) and `known_tokens`.

        Args:
            X: Documents.
            embeddings: As for `transform`.
            columns: A data frame with a row per document, whose columns come first; None for `text`, or nothing of counts.

        Raises:
            ArgumentError: `columns` has another number of rows, or one of the names above.
            ModuleNotFoundError: pandas is not installed.
        """
        labels, plain = self.topic_labels(), inputs.plain_documents(X, self.vocabulary_)
        texts = list(plain) if is_texts(plain) else None
        documents = self._read_placed(plain if texts is None else texts, embeddings)
        return tables.document_info(self._topics, documents, texts, columns, labels)

    def topics_per_class(
        self, classes: Any, X: Any = None, *, embeddings: Any = None, matrix: bool = False
    ) -> pd.DataFrame:
        """The share of each topic in each class, a row per class and topic.

        Columns: `class`, `topic`, `topic_label`, `documents` (sum of proportions), `share` (of the class; the shares of a class sum
        to 1), and its 95 % interval `share_low`, `share_high`. Classes are sorted; those of a categorical column keep its order.

        Args:
            classes: The class of each document, by position; documents with a missing one are left out.
            X: The documents; None for the training documents. Those without a topic are counted nowhere.
            embeddings: Vectors of X, as for `transform`.
            matrix: Whether to return the shares with a row per class and a column per topic.

        Raises:
            ArgumentError: The number of classes is not that of the documents, or they are no column of single values.
            ModuleNotFoundError: pandas is not installed.
        """
        documents, proportions = self._counted_proportions(X, embeddings)
        groups = read_column("classes", classes, len(documents))
        categories = getattr(getattr(classes, "cat", classes), "categories", None)
        table = tables.topics_by("class", groups, proportions, self.topic_labels(), categories)
        return tables.as_matrix(table, "class") if matrix else table

    def topics_over_time(
        self,
        times: Any,
        X: Any = None,
        *,
        embeddings: Any = None,
        freq: str | None = None,
        bins: int | None = None,
        datetime_format: str | None = None,
    ) -> pd.DataFrame:
        """The share of each topic in each period, a row per period that has documents and topic.

        Columns: `time` (the start), then those of `topics_per_class`, and `words`, which the topic has there.

        Args:
            times: The time of each document, by position: numbers, dates, strings with dates, or `pandas.Period`s. Documents with a
                missing one are left out.
            X: The documents; None for the training documents. Those without a topic are counted nowhere.
            embeddings: Vectors of X, as for `transform`.
            freq: The calendar period: "D", "W", "M", "Q" or "Y", as pandas names them.
            bins: The number of periods of equal length, instead. With neither every distinct time is kept apart.
            datetime_format: How strings or numbers are read as dates, as "%d.%m.%Y"; required where day and month cannot be told.

        Raises:
            ArgumentError: The number of times is not that of the documents, or one cannot be read, or can be in two ways.
            ModuleNotFoundError: pandas is not installed.
        """
        if bins is not None:
            check_integer("bins", bins, 1)
        documents, proportions = self._counted_proportions(X, embeddings)
        starts = periods(read_times(times, len(documents), datetime_format), freq, bins)
        table = tables.topics_by("time", starts, proportions, self.topic_labels())
        table["words"] = tables.words_by_group(starts, proportions, documents.counts, self.vocabulary_)
        return table

    def _counted_proportions(self, X: Any, embeddings: Any) -> tuple[CountedDocuments, np.ndarray]:
        """Documents, and their proportions; NaN for those without a topic."""
        documents = self._topics.documents if X is None else self._read_placed(X, embeddings)
        proportions = self._topics.training_proportions if X is None else self._topics.proportions(documents)
        return documents, np.where(documents.placed[:, np.newaxis], proportions, np.nan)

    def report(
        self,
        path: str | Path,
        classes: Sequence[Any] | None = None,
        *,
        times: Sequence[Any] | None = None,
        datetime_format: str | None = None,
        titles: Sequence[Any] | None = None,
        columns: Any = None,
        texts: Sequence[str] | None = None,
        title: str = "Topics",
    ) -> None:
        """Writes a page with a map, words, texts and a search; topics can be renamed, merged and hidden there, and saved to a file.

        Args:
            path: The file.
            classes: The class of each training document; None and NaN for none.
            times: The time of each training document, and `datetime_format`, as for `topics_over_time`.
            datetime_format: How strings or numbers are read as dates.
            titles: A title or identifier of each training document, shown instead of its position.
            columns: Further columns to show with a document: a data frame, or sequences by name.
            texts: The training documents; None for their beginnings, which the model keeps.
            title: The heading.

        Raises:
            ArgumentError: A sequence has not an entry for each training document, or a time cannot be read.
            ModuleNotFoundError: jinja2, matplotlib, pandas or gensim is not installed.
        """
        from tf_vmf.topics.report import write_topic_report

        given = {"times": times, "titles": titles, "columns": columns, "texts": texts}
        write_topic_report(path, self, classes=classes, title=title, datetime_format=datetime_format, **given)

    def save(self, path: str | Path) -> None:
        """Writes a folder for `load`, with the training counts, vectors and first 300 characters of texts, and no function.

        Raises:
            FileExistsError: There is something at the path.
        """
        check_is_fitted(self, "model_")
        fitted.write_model(self, path)

    @staticmethod
    def is_saved(path: str | Path) -> bool:
        """Whether a folder was written by `save`."""
        return fitted.is_saved(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a folder that `save` has written.

        Raises:
            FileNotFoundError: There is no topic model at the path.
            ValueError: A file is damaged.
        """
        return fitted.read_model(cls, path)

    def export(self, path: str | Path, *, examples: Sequence[str] | None = None) -> Path:
        """Writes a SavedModel that needs neither this package nor scikit-learn.

        Beside the endpoints of `tf_vmf.serving.export` it has `topics_text`: `texts`, and `embeddings` (n, e) where the model was
        fitted with some, -> `proportions`, `topic`, `label` and `tokens` (of the text that are known), and `topic_labels`.

        Args:
            path: The folder to make.
            examples: Texts for the endpoint `nearest_text` of `tf_vmf.serving.export`, which the folder then holds.

        Raises:
            FileExistsError: There is something at the path.
            ArgumentError: The model was fitted on counts.
        """
        from tf_vmf.topics.serving import export_topics

        labels = self.topic_labels()
        return export_topics(self.model_, self.vectorizer_, self._topics, labels, path, examples)

    def _read_training(self, X: Any, embeddings: Any) -> CountedDocuments:
        """The training documents; sets the vocabulary, the vectorizer, and what is kept of the texts and for their vectors."""
        if callable(embeddings) and isinstance(X, Iterator):
            raise ArgumentError("embeddings", "an array, as texts of an iterator are read once", "a function")
        found = inputs.read_training(X, self)
        self.vocabulary_, self.vectorizer_, self._texts = found.vocabulary, found.vectorizer, found.texts
        self.__dict__.pop("feature_names_in_", None)
        if found.names is not None:
            self.feature_names_in_ = found.names
        inputs.check_number_of_documents(found.documents, self.num_topics)
        guidance.check_seed_words(self.seed_words, self.vocabulary_, found.documents.counts)
        self._encoder = embeddings if callable(embeddings) else None
        return found.documents if embeddings is None else add_vectors(found.documents, X, embeddings)

    def _regroup(self, topic_of: np.ndarray) -> None:
        old = self._topics
        self._find_words((old.mixture, topic_of, old.documents, old.codes, old.concentrations))

    def _find_words(self, parts: Parts, by_size_from: int | None = None) -> None:
        topics = find_words(self.model_, *parts, word_settings(self), by_size_from)
        seeds = guidance.seed_columns(self.seed_words, self.vocabulary_)
        self._set_topics(guidance.seeds_first(topics, seeds) if seeds else topics)

    @property
    def _topics(self) -> FittedTopics:
        check_is_fitted(self, "model_")
        return self._found

    def _set_topics(self, topics: FittedTopics) -> None:
        self._found, self.num_topics_, self.labels_ = topics, topics.num_topics, topics.labels
        self.mean_directions_, self.concentration_ = topics.mixture.mean_directions, topics.mixture.concentration

    def _read(self, X: Any) -> CountedDocuments:
        check_is_fitted(self, "model_")
        return inputs.read_new(X, self.vocabulary_, self.vectorizer_, inputs.tokenizer_of(self))

    def _read_placed(self, X: Any, embeddings: Any) -> CountedDocuments:
        """New documents with their vectors, where the model has some."""
        documents, sphere = self._read(X), self._topics.mixture.vectors
        dim = None if sphere is None else len(sphere.mean)
        return add_new_vectors(documents, X, self._encoder if embeddings is None else embeddings, dim)

    @property
    def _n_features_out(self) -> int:
        return self.num_topics_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.sparse = tags.input_tags.positive_only = True
        return tags
