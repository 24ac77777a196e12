"""The endpoints of a sentence model."""

from __future__ import annotations

import tensorflow as tf

from tf_vmf.models import LSTMVAE
from tf_vmf.models.generation import LOWEST_TEMPERATURE, Choice
from tf_vmf.seeds import stateless_seed
from tf_vmf.serving.endpoint import (
    INTEGER,
    NUMBER,
    TEXTS,
    Endpoint,
    at_least,
    codes,
    encodings,
    scores,
)
from tf_vmf.text.tokens import EOS_ID
from tf_vmf.text.vectorization import SentenceVectorization

_GREEDY = Choice("greedy", None, False, 1, False)
_TOKENS = tf.TensorSpec([None, None], tf.int32)
_LABELS = tf.TensorSpec([None], tf.int32)
# What every endpoint that draws words takes, after its own inputs.
_DRAWING = [INTEGER, NUMBER, INTEGER, NUMBER, INTEGER]


def sentence_endpoints(
    model: LSTMVAE, vectorizer: SentenceVectorization | None, allow_unknown: bool = True
) -> dict[str, Endpoint]:
    """The endpoints by name; those with text only where there is a vectorizer, those with codes where there is a latent.

    Without `allow_unknown` no sentence that they write holds `UNK_ID`.

    Raises:
        ValueError: The vectorizer's vocabulary is not the model's, or the model is conditional on a bag of words.
    """
    if model.bag_of_words_units:
        raise ValueError(
            "A model that is conditional on a bag of words cannot be exported: expected bag_of_words_units=0."
        )
    if vectorizer is not None and len(vectorizer.vocabulary) != model.vocabulary_size:
        raise ValueError(
            f"Argument `vectorizer`: expected a vocabulary of {model.vocabulary_size} tokens, as many as the model's. "
            f"Received: {len(vectorizer.vocabulary)}."
        )
    latent = model.latent
    words = None if vectorizer is None else tf.constant(vectorizer.vocabulary)
    labels = [_LABELS] if model.num_labels else []  # a conditional model takes them last

    def batch(tokens: tf.Tensor, given: tuple) -> object:
        return {"tokens": tokens, "labels": given[0]} if given else tokens

    def sentences(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        if words is None:
            return {"tokens": tokens}
        found = tf.where(tokens > EOS_ID, tf.gather(words, tokens), "")
        return {"tokens": tokens, "texts": tf.strings.strip(tf.strings.reduce_join(found, axis=-1, separator=" "))}

    def numbers(max_length: tf.Tensor, temperature: tf.Tensor, top_p: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "max_length": at_least(max_length, 1, "max_length"),
            "temperature": at_least(temperature, LOWEST_TEMPERATURE, "temperature"),
            "top_p": at_least(top_p, 0.0, "top_p", strictly=True),
            "length_penalty": tf.constant(0.0),
        }

    def written(
        z: tf.Tensor, choice: Choice, numbers: dict[str, tf.Tensor], given: tuple, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        labels = given[0] if given else None
        return sentences(model.decode_with(z, choice, numbers, allow_unknown=allow_unknown, labels=labels, seed=seed))

    def greedy(z: tf.Tensor, max_length: tf.Tensor, given: tuple) -> dict[str, tf.Tensor]:
        one = tf.constant(1.0)
        return written(z, _GREEDY, numbers(max_length, one, one), given, tf.constant(0))

    def draw(
        z: tf.Tensor,
        max_length: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
        given: tuple,
    ) -> dict[str, tf.Tensor]:
        top_k = at_least(top_k, 0, "top_k")
        choice = Choice("sample", tf.where(top_k > 0, top_k, model.vocabulary_size), True, 1, False)
        return written(z, choice, numbers(max_length, temperature, top_p), given, seed)

    def score(tokens: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor, *labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return scores(model, batch(tokens, labels), num_samples, seed)

    def sample(
        n: tf.Tensor,
        max_length: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
        *labels: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        seed, n = stateless_seed(seed), at_least(n, 1, "n")
        z = tf.zeros([n, 0]) if latent is None else latent.prior().sample(n, seed=stateless_seed(seed, 0))
        drawn = draw(z, max_length, temperature, top_k, top_p, stateless_seed(seed, 1), labels)
        return drawn if latent is None else {"codes": z, **drawn}

    endpoints = {
        "score": Endpoint(
            score,
            [_TOKENS, INTEGER, INTEGER, *labels],
            "nll, kl, one-sample elbo and importance-weighted log likelihood, nats",
        ),
        "sample": Endpoint(
            sample, [INTEGER, *_DRAWING, *labels], "sentences drawn from the model; top_k 0: of all words"
        ),
    }
    if vectorizer is not None:

        def score_text(
            texts: tf.Tensor, num_samples: tf.Tensor, seed: tf.Tensor, *labels: tf.Tensor
        ) -> dict[str, tf.Tensor]:
            return score(vectorizer(texts), num_samples, seed, *labels)

        endpoints["score_text"] = Endpoint(score_text, [TEXTS, INTEGER, INTEGER, *labels], "score, of raw text")
    if latent is None:
        return endpoints
    z = codes(latent)

    def encode(tokens: tf.Tensor, *labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return encodings(model, batch(tokens, labels))

    def code_of(tokens: tf.Tensor, given: tuple) -> tf.Tensor:
        return latent.code(model.posterior_parameters(batch(tokens, given)))

    def generate(
        z: tf.Tensor,
        max_length: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
        *labels: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        return draw(latent.check_codes(z), max_length, temperature, top_k, top_p, seed, labels)

    def decode(z: tf.Tensor, max_length: tf.Tensor, *labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return greedy(latent.check_codes(z), max_length, labels)

    def reconstruct(tokens: tf.Tensor, max_length: tf.Tensor, *labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return greedy(code_of(tokens, labels), max_length, labels)

    def interpolate(
        start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor, max_length: tf.Tensor, *labels: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        points = latent.interpolate(start, end, num_points)
        given = tuple(tf.repeat(each, num_points) for each in labels)
        found = greedy(tf.reshape(points, [-1, latent.latent_dim]), max_length, given)
        shape = tf.shape(points)[:2]
        return {
            "codes": points,
            **{
                name: tf.reshape(value, tf.concat([shape, tf.shape(value)[1:]], axis=0))
                for name, value in found.items()
            },
        }

    endpoints |= {
        "encode": Endpoint(encode, [_TOKENS, *labels], "parameters of q(z|x) and its deterministic code"),
        "generate": Endpoint(
            generate, [z, *_DRAWING, *labels], "sentences drawn at given codes; top_k 0: of all words"
        ),
        "decode": Endpoint(decode, [z, INTEGER, *labels], "the greedy sentence of given codes"),
        "reconstruct": Endpoint(
            reconstruct, [_TOKENS, INTEGER, *labels], "the greedy sentence at a sentence's own code"
        ),
        "interpolate": Endpoint(
            interpolate, [z, z, INTEGER, INTEGER, *labels], "codes between two, and the greedy sentences there"
        ),
    }
    if vectorizer is None:
        return endpoints

    def serving_default(texts: tf.Tensor, *labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return encode(vectorizer(texts), *labels)

    def reconstruct_text(texts: tf.Tensor, max_length: tf.Tensor, *labels: tf.Tensor) -> dict[str, tf.Tensor]:
        return reconstruct(vectorizer(texts), max_length, *labels)

    def interpolate_text(
        start: tf.Tensor, end: tf.Tensor, num_points: tf.Tensor, max_length: tf.Tensor, *labels: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        first, last = (code_of(vectorizer(texts), labels) for texts in (start, end))
        return interpolate(first, last, num_points, max_length, *labels)

    return {
        "serving_default": Endpoint(serving_default, [TEXTS, *labels], "encode_text"),
        **endpoints,
        "encode_text": Endpoint(serving_default, [TEXTS, *labels], "encode, of raw text"),
        "reconstruct_text": Endpoint(reconstruct_text, [TEXTS, INTEGER, *labels], "reconstruct, of raw text"),
        "interpolate_text": Endpoint(
            interpolate_text, [TEXTS, TEXTS, INTEGER, INTEGER, *labels], "interpolate, between two texts"
        ),
    }
