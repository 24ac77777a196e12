"""The endpoints of a document model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tf_vmf.evaluation.topics import prior_word_probabilities, relevance
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.serving.endpoint import INTEGER, NUMBER, TEXTS, DecoderEndpoints, Endpoint, Outputs, at_least
from tf_vmf.text.vectorization import DocumentVectorization

_PROBABILITY = 1.0  # the relevance weight that ranks words by their probability


class DocumentEndpoints(DecoderEndpoints):
    """The endpoints of a `BagOfWordsVAE`."""

    example, output = "counts", "log_probs"

    def __init__(self, model: BagOfWordsVAE, vectorizer: DocumentVectorization | None = None) -> None:
        super().__init__(model, vectorizer)
        self._log_word_probabilities = tf.constant(
            np.log(np.maximum(prior_word_probabilities(model), 1e-30)), tf.float32
        )

    @property
    def batch(self) -> dict[str, tf.TensorSpec]:
        return {"counts": tf.TensorSpec([None, self.model.vocabulary_size], tf.float32)}

    def examples(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        counts = inputs["counts"]
        ok = tf.reduce_all((counts >= 0) & tf.math.is_finite(counts))
        message = "Counts must be finite numbers >= 0. Received:"
        with tf.control_dependencies([tf.debugging.Assert(ok, [message, counts])]):
            return tf.identity(counts)

    def known_tokens(self, x: tf.Tensor) -> Outputs:
        return {"tokens": tf.cast(self.model.token_counts(x), tf.int32)}

    def declared(self) -> dict[str, Endpoint]:
        z = self.codes
        return {
            "encode": self.encode_endpoint(),
            "score": self.score_endpoint(),
            "reconstruct": Endpoint(self.reconstruct, self.batch, "log p(w|code) of every word"),
            "decode": Endpoint(self.decode, {"z": z}, "log p(w|z) of every word"),
            "sample": Endpoint(
                self.sample,
                {"n": INTEGER, "document_length": INTEGER, "seed": INTEGER},
                "counts of documents drawn from the model",
            ),
            "interpolate": self.path_endpoint(self.interpolate, "log p(w|z)"),
            "topics": Endpoint(
                self.topics,
                {"z": z, "num_words": INTEGER, "relevance_weight": NUMBER},
                "the most relevant words of a code (Sievert and Shirley, 2014)",
            ),
        }

    def text_endpoints(self) -> dict[str, Endpoint]:
        return {
            "reconstruct_text": Endpoint(
                self.reconstruct_text,
                {"texts": TEXTS, "num_words": INTEGER},
                "the most probable words at a text's code",
            ),
            "interpolate_text": Endpoint(
                self.interpolate_text,
                {"start": TEXTS, "end": TEXTS, "num_points": INTEGER, "num_words": INTEGER},
                "codes between those of two texts, and the most probable words there",
            ),
            "vocabulary": Endpoint(
                self.vocabulary,
                {"first": INTEGER, "number": INTEGER},
                "words of the vocabulary, in the order of the columns of counts",
            ),
        }

    def sample(self, n: tf.Tensor, document_length: tf.Tensor, seed: tf.Tensor) -> Outputs:
        """Counts of documents drawn from the model."""
        length = at_least(document_length, 1, "document_length")
        return {"counts": self.model.sample(at_least(n, 1, "n"), document_length=length, seed=seed)}

    def topics(self, z: tf.Tensor, num_words: tf.Tensor, relevance_weight: tf.Tensor) -> Outputs:
        """The most relevant words of each code."""
        log_probs = tf.cast(self.model.decode(self.latent.check_codes(z)), tf.float32)
        k = tf.minimum(at_least(num_words, 1, "num_words"), self.model.vocabulary_size)
        ids = tf.math.top_k(relevance(log_probs, self._log_word_probabilities, relevance_weight), k).indices
        found = {"ids": ids, "log_probs": tf.gather(log_probs, ids, batch_dims=1)}
        return found if self.words is None else {**found, "words": tf.gather(self.words, ids)}

    def reconstruct_text(self, texts: tf.Tensor, num_words: tf.Tensor) -> Outputs:
        """The most probable words at the code of each text."""
        x = self.vectorizer(texts)
        z = self.code(x)
        return {"code": z, **self.topics(z, num_words, _PROBABILITY), **self.known_tokens(x)}

    def interpolate_text(
        self, start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor, num_words: tf.Tensor
    ) -> Outputs:
        """Codes between those of two texts, and the most probable words there."""
        first, last = (self.code(self.vectorizer(texts)) for texts in (start, end))
        found = self.on_path(first, last, num_points, lambda codes: self.topics(codes, num_words, _PROBABILITY))
        return {"codes": found.pop("codes"), "word_log_probs": found.pop("log_probs"), **found}

    def vocabulary(self, first: tf.Tensor, number: tf.Tensor) -> Outputs:
        """Words of the vocabulary, from position `first` on."""
        first, number = at_least(first, 0, "first"), at_least(number, 1, "number")
        return {"words": self.words[first : first + number]}
