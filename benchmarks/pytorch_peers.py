"""The training steps of Xu and Durrett (2018) written anew in PyTorch: what this package's speed is compared with.

Each does the work that a step of the original does, in the order in which it does it, and no statistics beside:

- NVRNN: embedding 100, encoder LSTM 400 over padding too, three samples of the code and their mean, which gives the decoder's
  initial state and joins every input, decoder LSTM 400, logits of all places, padding included, SGD with the norm clipped at 0.25.
- NVDM: batches filled in from dicts word by word, dense 400 tanh, 400, three samples, decoder 400 tanh, dropout on the logits,
  log-softmax, SGD with the norm clipped at 1.
- vMF codes: the cosines of a sample are drawn one by one by rejection in Python (Wood, 1994), the rest for the batch at once.

`tuned=True` is what a careful user of PyTorch would write instead: logits of real tokens only, dense batches at hand, one sample
where several are averaged, cosines drawn for the whole batch.

PyTorch is no dependency of the project. `available()` says whether it is there; HINT how to get it.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

HINT = "PyTorch is not installed, so its rows are left out: `pip install torch==2.13.0` adds them."

LATENT_DIM, SAMPLES = 50, 3
LATENTS = ("none", "gaussian", "vmf")


def available() -> bool:
    """Whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def sentence_trainer(
    batches: Sequence[np.ndarray], vocabulary_size: int, latent: str = "vmf", kappa: float = 35.0, tuned: bool = False
) -> Callable[[], None]:
    """A function that takes one step on each batch of token ids (batch, length), padded with 0; id 1 starts a sentence."""
    torch = _torch()
    nn = torch.nn
    dropout = nn.Dropout(0.5)
    embedding = nn.Embedding(vocabulary_size, 100)
    code_dim = 0 if latent == "none" else LATENT_DIM
    encoder, to_features = nn.LSTM(100, 400), nn.Linear(800, 400)
    code = _Code(torch, latent, kappa, batched=tuned) if code_dim else None
    to_h, to_c = (nn.Linear(LATENT_DIM, 400) for _ in range(2))
    decoder, output = nn.LSTM(100 + code_dim, 400), nn.Linear(400, vocabulary_size)
    cross_entropy = nn.CrossEntropyLoss(ignore_index=0)
    used = [embedding, decoder, output]
    if code is not None:
        used += [encoder, to_features, code.layers, to_h, to_c]
    parameters = [p for module in used for p in module.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    data = [torch.from_numpy(np.ascontiguousarray(batch.T, np.int64)) for batch in batches]

    def step(targets: Any) -> None:
        optimizer.zero_grad()
        length, batch = targets.shape
        inputs = torch.cat([torch.ones(1, batch, dtype=torch.long), targets[:-1]])
        embedded = dropout(embedding(inputs))
        state, kl, auxiliary = None, 0.0, 0.0
        if code is not None:
            _, (h, c) = encoder(embedded)
            features = to_features(torch.cat([h[0], c[0]], dim=1))
            samples, kl, auxiliary = code(features, 1 if tuned else SAMPLES)
            z = samples.mean(dim=0)
            state = (to_h(z)[None], to_c(z)[None])
            embedded = torch.cat([embedded, z.expand(length, -1, -1)], dim=2)
        hidden = dropout(decoder(embedded, state)[0]).view(length * batch, 400)
        labels = targets.reshape(-1)
        if tuned:
            real = labels.nonzero()[:, 0]
            hidden, labels = hidden[real], labels[real]
        loss = cross_entropy(output(hidden), labels) * length + kl + 1e-4 * auxiliary
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 0.25)
        optimizer.step()

    return lambda: _each(step, data)


def document_trainer(
    counts: sparse.csr_matrix,
    batch_size: int,
    steps: int,
    latent: str = "vmf",
    kappa: float = 100.0,
    tuned: bool = False,
) -> Callable[[], None]:
    """A function that takes `steps` steps on batches of rows of a count matrix, from where the last call stopped."""
    torch = _torch()
    nn = torch.nn
    words = counts.shape[1]
    dropout = nn.Dropout(0.1)
    first, second, output = nn.Linear(words, 400), nn.Linear(400, 400), nn.Linear(400, words)
    code, decoder = _Code(torch, latent, kappa, batched=tuned), nn.Linear(LATENT_DIM, 400)
    parameters = [p for m in (first, second, code.layers, decoder, output) for p in m.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    dense = torch.from_numpy(counts.toarray().astype(np.float32)) if tuned else None
    dicts = [] if tuned else [dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) for row in counts]

    def fetch(rows: np.ndarray) -> Any:
        if dense is not None:
            return dense[torch.from_numpy(rows)]
        batch = np.zeros((len(rows), words))
        for place, row in enumerate(rows):
            for word, count in dicts[row].items():
                batch[place, word] = count
        return torch.FloatTensor(batch)

    def step(rows: np.ndarray) -> None:
        optimizer.zero_grad()
        x = fetch(rows)
        features = second(torch.tanh(dropout(first(x))))
        samples, kl, auxiliary = code(features, SAMPLES)
        logits = output(torch.tanh(decoder(samples.view(-1, LATENT_DIM))))
        if not tuned:
            logits = dropout(logits)
        log_prob = torch.log_softmax(logits, dim=1).view(SAMPLES, len(rows), words)
        reconstruction = (x * log_prob).mean(dim=0).sum(dim=1)
        (kl - reconstruction.mean() + 1e-4 * auxiliary).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    order = np.random.default_rng(0).permutation(counts.shape[0])
    batches = itertools.cycle(np.split(order[: len(order) // batch_size * batch_size], len(order) // batch_size))
    return lambda: _each(step, itertools.islice(batches, steps))


class _Code:
    """From features (batch, 400) to samples of the code (num_samples, batch, LATENT_DIM), mean KL and auxiliary loss."""

    def __init__(self, torch: Any, latent: str, kappa: float, batched: bool) -> None:
        if latent not in LATENTS[1:]:
            raise ValueError(f"Expected one of {LATENTS[1:]}. Received: latent={latent!r}.")
        self.torch, self.latent, self.kappa, self.batched = torch, latent, kappa, batched
        heads = 1 if latent == "vmf" else 2
        self.layers = torch.nn.ModuleList(torch.nn.Linear(400, LATENT_DIM) for _ in range(heads))
        self.rng = np.random.default_rng(0)

    def __call__(self, features: Any, num_samples: int) -> tuple[Any, Any, Any]:
        torch = self.torch
        mean = self.layers[0](features)
        if self.latent == "gaussian":
            log_sigma = self.layers[1](features)
            kl = 0.5 * (mean**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(dim=1).mean()
            samples = [mean + torch.exp(log_sigma) * torch.randn_like(mean) for _ in range(num_samples)]
            return torch.stack(samples), kl, 0.0
        norm = mean.norm(dim=1, keepdim=True)
        direction = mean / norm
        samples = [self._around(direction) for _ in range(num_samples)]
        return torch.stack(samples), 0.0, ((norm - 1) ** 2).mean()

    def _around(self, direction: Any) -> Any:
        torch = self.torch
        n = len(direction)
        cosines = self._cosines(n) if self.batched else np.array([self._cosine() for _ in range(n)])
        w = torch.from_numpy(cosines.astype(np.float32))[:, None]
        noise = torch.randn_like(direction)
        tangent = noise - direction * (direction * noise).sum(dim=1, keepdim=True)
        tangent = tangent / tangent.norm(dim=1, keepdim=True)
        return direction * w + tangent * torch.sqrt(1 - w**2)

    def _cosine(self) -> float:
        """One cosine to the mean direction, by rejection from a beta envelope (Wood, 1994)."""
        while True:
            cosine, accepted = self._propose(None)
            if accepted:
                return cosine

    def _cosines(self, number: int) -> np.ndarray:
        cosines = np.empty(0)
        while len(cosines) < number:
            proposals, accepted = self._propose(2 * number)
            cosines = np.append(cosines, proposals[accepted])
        return cosines[:number]

    def _propose(self, number: int | None) -> tuple[Any, Any]:
        m, kappa = LATENT_DIM - 1, self.kappa
        b = m / (2 * kappa + np.sqrt(4 * kappa**2 + m**2))
        x0 = (1 - b) / (1 + b)
        beta = self.rng.beta(m / 2, m / 2, number)
        w = (1 - (1 + b) * beta) / (1 - (1 - b) * beta)
        log_ratio = kappa * (w - x0) + m * np.log((1 - x0 * w) / (1 - x0**2))
        return w, log_ratio >= np.log(self.rng.uniform(size=number))


def _torch() -> Any:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return torch


def _each(step: Callable[[Any], None], batches: Any) -> None:
    for batch in batches:
        step(batch)
