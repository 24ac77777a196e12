"""The endpoints of a model by its kind."""

from __future__ import annotations

from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.models import LSTMVAE, VAE, BagOfWordsVAE, VariationalAutoencoder
from tf_vmf.serving.document_endpoints import DocumentEndpoints
from tf_vmf.serving.endpoint import Endpoint, ModelEndpoints
from tf_vmf.serving.sentence_endpoints import SentenceEndpoints
from tf_vmf.serving.vae_endpoints import VAEEndpoints

_ENDPOINTS: dict[type[VariationalAutoencoder], type[ModelEndpoints]] = {
    BagOfWordsVAE: DocumentEndpoints,
    LSTMVAE: SentenceEndpoints,
    VAE: VAEEndpoints,
}


def model_endpoints(model: VariationalAutoencoder, vectorizer: Any = None, **options: Any) -> ModelEndpoints:
    """The endpoints of a model, as an object of the class for its kind.

    Args:
        model: A trained model.
        vectorizer: The layer from strings to its examples, or None.
        **options: Options of the kind: `allow_unknown`, False for models that write sentences only.

    Raises:
        ValueError: The model is of another kind, or the vectorizer does not go with it.
    """
    kind = next((_ENDPOINTS[base] for base in type(model).__mro__ if base in _ENDPOINTS), None)
    if kind is None:
        names = ", ".join(each.__name__ for each in _ENDPOINTS)
        raise ArgumentError("model", f"one of {names}", type(model).__name__, owner="export")
    if not options.get("allow_unknown", True) and "allow_unknown" not in kind.options:
        raise ArgumentError("allow_unknown", "True, as this model writes no sentences", "False", owner="export")
    return kind(model, vectorizer, **{name: value for name, value in options.items() if name in kind.options})


def endpoints(
    model: VariationalAutoencoder, vectorizer: Any = None, *, allow_unknown: bool = True
) -> dict[str, Endpoint]:
    """The endpoints that an export of the model has, by name; the arguments are those of `export`.

    Raises:
        ValueError: The model is of another kind, or the vectorizer does not go with it.
    """
    return model_endpoints(model, vectorizer, allow_unknown=allow_unknown).endpoints()
