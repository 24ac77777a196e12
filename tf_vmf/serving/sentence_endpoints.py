"""The endpoints of a sentence model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.models import LSTMVAE, GreedySampler, RandomSampler, Sampler
from tf_vmf.models.generation import LOWEST_TEMPERATURE
from tf_vmf.seeds import stateless_seed
from tf_vmf.serving.endpoint import INTEGER, NUMBER, TEXTS, Endpoint, ModelEndpoints, Outputs, at_least
from tf_vmf.text.vectorization import SentenceVectorization
from tf_vmf.text.vocabulary import EOS_ID, UNK_ID

# What every endpoint that draws words takes, after its own inputs.
_DRAWING = {"max_length": INTEGER, "temperature": NUMBER, "top_k": INTEGER, "top_p": NUMBER, "seed": INTEGER}


class SentenceEndpoints(ModelEndpoints):
    """The endpoints of an `LSTMVAE`, those with codes where there is a latent variable; sentences may hold `UNK_ID` if allowed."""

    example = "tokens"
    options = ("allow_unknown",)

    def __init__(
        self, model: LSTMVAE, vectorizer: SentenceVectorization | None = None, *, allow_unknown: bool = True
    ) -> None:
        super().__init__(model, vectorizer)
        if model.bag_of_words_units:
            raise ArgumentError(
                "model",
                "one that is not conditional on a bag of words, which cannot be exported",
                f"bag_of_words_units={model.bag_of_words_units}",
                owner="export",
            )
        self.allow_unknown = allow_unknown
        # A conditional model takes the labels last.
        self.condition = {"labels": tf.TensorSpec([None], tf.int32)} if model.num_labels else {}

    @property
    def batch(self) -> dict[str, tf.TensorSpec]:
        return {"tokens": tf.TensorSpec([None, None], tf.int32), **self.condition}

    def examples(self, inputs: Mapping[str, tf.Tensor]) -> Any:
        return {name: inputs[name] for name in self.batch} if self.condition else inputs["tokens"]

    def known_tokens(self, x: Any) -> Outputs:
        tokens = x["tokens"] if self.condition else x
        return {"tokens": tf.math.count_nonzero(tokens > UNK_ID, axis=-1, dtype=tf.int32)}

    def declared(self) -> dict[str, Endpoint]:
        sample = Endpoint(
            self.sample,
            {"n": INTEGER, **_DRAWING, **self.condition},
            "sentences drawn from the model; top_k 0: of all words",
        )
        if self.latent is None:
            return {"score": self.score_endpoint(), "sample": sample}
        z, length = self.codes, {"max_length": INTEGER}
        return {
            "encode": self.encode_endpoint(),
            "score": self.score_endpoint(),
            "sample": sample,
            "generate": Endpoint(
                self.generate,
                {"z": z, **_DRAWING, **self.condition},
                "sentences drawn at given codes; top_k 0: of all words",
            ),
            "decode": Endpoint(self.decode, {"z": z, **length, **self.condition}, "the greedy sentence of given codes"),
            "reconstruct": Endpoint(
                self.reconstruct,
                {"tokens": self.batch["tokens"], **length, **self.condition},
                "the greedy sentence at a sentence's own code",
            ),
            "interpolate": self.path_endpoint(self.interpolate, "the greedy sentences", **length, **self.condition),
        }

    def text_endpoints(self) -> dict[str, Endpoint]:
        if self.latent is None:
            return {}
        inputs = {"start": TEXTS, "end": TEXTS, "num_points": INTEGER, "max_length": INTEGER, **self.condition}
        return {"interpolate_text": Endpoint(self.interpolate_text, inputs, "interpolate, between two texts")}

    def sample(self, n: tf.Tensor, seed: tf.Tensor, **options: tf.Tensor) -> Outputs:
        """Sentences drawn from the model."""
        seed, n = stateless_seed(seed), at_least(n, 1, "n")
        if self.latent is None:
            return self._draw(tf.zeros([n, 0]), seed=stateless_seed(seed, 1), **options)
        z = self.latent.prior().sample(n, seed=stateless_seed(seed, 0))
        return {"codes": z, **self._draw(z, seed=stateless_seed(seed, 1), **options)}

    def generate(self, z: tf.Tensor, **options: tf.Tensor) -> Outputs:
        """Sentences drawn at given codes."""
        return self._draw(self.latent.check_codes(z), **options)

    def decode(self, z: tf.Tensor, max_length: tf.Tensor, labels: tf.Tensor | None = None) -> Outputs:
        """The greedy sentence of each code."""
        return self._write(self.latent.check_codes(z), GreedySampler(), max_length, labels)

    def reconstruct(self, max_length: tf.Tensor, **inputs: tf.Tensor) -> Outputs:
        """The greedy sentence at the code of each sentence."""
        code = self.code(self.examples(inputs))
        return self._write(code, GreedySampler(), max_length, inputs.get("labels"))

    def interpolate(
        self,
        start: tf.Tensor,
        end: tf.Tensor,
        num_points: tf.Tensor,
        max_length: tf.Tensor,
        labels: tf.Tensor | None = None,
    ) -> Outputs:
        """Codes between two, and the greedy sentences there."""
        repeated = None if labels is None else tf.repeat(labels, num_points)
        return self.on_path(
            start, end, num_points, lambda codes: self._write(codes, GreedySampler(), max_length, repeated)
        )

    def interpolate_text(self, start: tf.Tensor, end: tf.Tensor, **options: tf.Tensor) -> Outputs:
        """Codes between those of two texts, and the greedy sentences there."""
        condition = {name: options[name] for name in self.condition}
        first, last = (
            self.code(self.examples({"tokens": self.vectorizer(texts), **condition})) for texts in (start, end)
        )
        return self.interpolate(first, last, **options)

    def _draw(
        self,
        z: tf.Tensor,
        max_length: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
        labels: tf.Tensor | None = None,
    ) -> Outputs:
        top_k = at_least(top_k, 0, "top_k")
        sampler = RandomSampler(
            at_least(temperature, LOWEST_TEMPERATURE, "temperature"),
            tf.where(top_k > 0, top_k, self.model.vocabulary_size),
            at_least(top_p, 0.0, "top_p", strictly=True),
        )
        return self._write(z, sampler, max_length, labels, seed)

    def _write(
        self, z: tf.Tensor, sampler: Sampler, max_length: tf.Tensor, labels: tf.Tensor | None, seed: tf.Tensor | int = 0
    ) -> Outputs:
        """Sentences at codes, as `tokens` and, where there is a vectorizer, as `texts`."""
        tokens = self.model.generate(
            z,
            sampler,
            max_length=at_least(max_length, 1, "max_length"),
            allow_unknown=self.allow_unknown,
            labels=labels,
            seed=seed,
        )
        if self.words is None:
            return {"tokens": tokens}
        found = tf.where(tokens > EOS_ID, tf.gather(self.words, tokens), "")
        return {"tokens": tokens, "texts": tf.strings.strip(tf.strings.reduce_join(found, axis=-1, separator=" "))}
