"""Sentences from a sentence model."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.models.generation import Sampler, check_count, get_sampler
from tf_vmf.models.sentence_inputs import Conditioning, TokenEmbedding
from tf_vmf.models.sentence_layers import SentenceDecoder
from tf_vmf.seeds import stateless_seed
from tf_vmf.text.vocabulary import EOS_ID, PAD_ID, UNK_ID


class SentenceGeneration:
    """Mixin of a sentence model that writes sentences, one word after the other."""

    latent: Any
    likelihood: Any
    decoder: SentenceDecoder
    conditioning: Conditioning
    embedding: TokenEmbedding

    def generate(
        self,
        z: tf.Tensor,
        sampler: str | Sampler = "greedy",
        *,
        max_length: int | tf.Tensor = 50,
        allow_unknown: bool = True,
        labels: Any = None,
        bag_of_words: Any = None,
        seed: int | tf.Tensor = 0,
    ) -> tf.Tensor:
        """Sentences for codes.

        Args:
            z: Codes, shape (batch, latent_dim); with latent=None of width 0.
            sampler: "greedy", "random", "beam" or an object such as `tf_vmf.models.RandomSampler(top_p=0.9)`.
            max_length: Largest number of tokens, `EOS_ID` included.
            allow_unknown: False never generates `UNK_ID`.
            labels: For a model that is conditional on a label: integers of shape (batch,), or one for all rows.
            bag_of_words: For one that is conditional on a bag of words: token ids in any order, shape (batch, any), 0 = padding.
            seed: Of a random sampler: an int or a stateless seed of shape (2,).

        Returns:
            Token ids, shape (batch, length), int32: each row ends with `EOS_ID` (unless cut at `max_length`), then 0.

        Raises:
            ValueError: An argument is out of range, codes have another width, or the model is not conditional on what is given.
        """
        z = tf.cast(tf.convert_to_tensor(z), self.decoder.state_dtype)
        if z.shape.rank != 2 or z.shape[-1] != self.decoder.code_dim:
            expected = f"codes of shape (batch, {self.decoder.code_dim})"
            raise ArgumentError("z", expected, f"shape {z.shape}", owner=f"{type(self).__name__}.generate")
        tf.debugging.assert_all_finite(z, "Codes must be finite numbers.")
        check_count("max_length", max_length)
        condition = self.conditioning.of_arguments(labels, bag_of_words, tf.shape(z)[0], self.embedding)
        # Numbers go in as tensors, so that other ones need no other graph.
        return self._generate(
            z, condition, get_sampler(sampler), tf.cast(max_length, tf.int32), allow_unknown, stateless_seed(seed)
        )

    def sample(
        self, n: int, *, sampler: str | Sampler = "random", seed: int | tf.Tensor = 0, **options: Any
    ) -> tf.Tensor:
        """Sentences from the model: z from the prior, then words.

        Args:
            n: Number of sentences.
            sampler: As in `generate`.
            seed: An int or a stateless seed of shape (2,).
            **options: `max_length`, `allow_unknown`, `labels` and `bag_of_words`, as in `generate`.

        Returns:
            Token ids, shape (n, length), int32, as from `generate`.
        """
        seed = stateless_seed(seed)
        prior = None if self.latent is None else self.latent.prior()
        z = tf.zeros([n, 0]) if prior is None else prior.sample(n, seed=stateless_seed(seed, 0))
        return self.generate(z, sampler, seed=stateless_seed(seed, 1), **options)

    @tf.function(reduce_retracing=True, autograph=False)
    def _generate(
        self,
        z: tf.Tensor,
        condition: tf.Tensor | None,
        sampler: Sampler,
        max_length: tf.Tensor,
        allow_unknown: bool,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        batch = tf.shape(z)[0]
        forbidden = [PAD_ID] if allow_unknown else [PAD_ID, UNK_ID]
        return sampler.generate(
            lambda last, state: self.decoder.next_log_probs(
                last, state, self.embedding, forbidden, getattr(self.likelihood, "log_proportions", tf.nn.log_softmax)
            ),
            self.decoder.initial_state(z, condition, batch),
            tf.fill([batch], EOS_ID),
            max_length=max_length,
            end_id=EOS_ID,
            pad_id=PAD_ID,
            seed=seed,
        )
