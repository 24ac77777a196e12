"""Any form of data - lists, arrays, data frames, sparse matrices - for the methods of a Keras model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from tf_vmf._errors import ArgumentError
from tf_vmf.data.counts import aligned_columns, names_of_columns, numbers_of_frame, without_mask
from tf_vmf.layers.controls import with_latent_numbers


def canonical(x: Any) -> Any:
    """Arrays as Keras's `fit` takes them; what holds no data of its own, such as a `tf.data.Dataset`, as it is.

    A scipy matrix or array of any format becomes a CSR matrix with sorted indices and no entry twice, a sparse tensor is put into
    row-major order, lists of numbers and data frames become arrays, and a data frame of sparse columns a CSR matrix.
    """
    if hasattr(x, "columns"):
        x = numbers_of_frame(x)
    if scipy.sparse.issparse(x):  # one format of which is a mapping, too
        matrix = scipy.sparse.csr_matrix(x)  # shares the data of a CSR matrix, which is not to be changed
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()  # sorts, too
        return matrix
    if isinstance(x, Mapping):
        return {name: canonical(value) for name, value in x.items()}
    check_no_text(x)
    if isinstance(x, tf.SparseTensor) and tf.executing_eagerly():
        return tf.sparse.reorder(x)
    if isinstance(x, (list, tuple)) and isinstance(_first_leaf(x), (int, float, np.number)):
        x = np.asarray(x)
    return _real(x) if isinstance(x, np.ndarray) else x


def _real(x: np.ndarray) -> np.ndarray:
    """An array of real numbers: objects as floats, and NaN in place of what is masked."""
    x = without_mask(x)
    try:
        x = x.astype(np.float64) if x.dtype == object else x
    except (TypeError, ValueError) as error:
        raise ArgumentError("x", "numbers", f"an array of objects: {error}") from None
    if x.dtype.kind in "cmM":
        raise ArgumentError("x", "real numbers", f"dtype {x.dtype}")
    return x


def check_no_text(x: Any) -> None:
    """Refuses strings and words by an ArgumentError."""
    first = _first_leaf(x)
    kind = getattr(getattr(first, "dtype", None), "kind", "")
    if kind == "O" and getattr(first, "size", 0):
        first = _first_leaf(first.tolist())
    if (isinstance(first, (str, bytes)) or kind in ("U", "S")) and np.size(first):
        first = np.ravel(first)[0]
        dtype = getattr(x, "dtype", type(first).__name__)
        tokenized = isinstance(x, (list, tuple)) and isinstance(x[0], (list, tuple))
        kind = "lists of words" if tokenized else "texts"
        raise ArgumentError(
            "x",
            "counts of words, or ids of tokens, which are numbers",
            f"{kind} (dtype {dtype}), the first of which begins with {first!r:.60}",
            "tf_vmf.data.load_bag_of_words(texts=...) and tf_vmf.data.load_sentences(texts=...) turn strings into numbers, "
            "tf_vmf.TopicModel does it by itself. Join words that are tokenized already by spaces, and give "
            "tokenization='whitespace'; decode bytes; of a data frame take the column: frame['text'].",
        )


def to_tensors(x: Any) -> Any:
    """One batch in `canonical` form, with scipy matrices as sparse tensors, float32."""
    x = canonical(x)
    if isinstance(x, Mapping):
        return {name: to_tensors(value) for name, value in x.items()}
    if not scipy.sparse.issparse(x):
        return x
    matrix = x.tocoo()
    indices = np.stack([matrix.row, matrix.col], axis=1).astype(np.int64)
    return tf.SparseTensor(indices, matrix.data.astype(np.float32), matrix.shape)


class _Batches(keras.utils.PyDataset):
    """A dataset of the user's whose items are put in the form that Keras takes: tuples of tensors."""

    def __init__(self, dataset: keras.utils.PyDataset, prepared: Callable[[Any], tuple[Any, ...]]) -> None:
        super().__init__(dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size)
        self._dataset, self._prepared = dataset, prepared

    def __len__(self) -> int:
        return len(self._dataset)

    @property
    def num_batches(self) -> int | None:
        return self._dataset.num_batches

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self._prepared(self._dataset[index])

    def on_epoch_begin(self) -> None:
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._dataset.on_epoch_end()


def check_not_empty(x: Any, method: str) -> None:
    """Refuses None and an array without rows, of which Keras makes errors that do not say so."""
    shape = getattr(x, "shape", None)
    if x is None or (shape is not None and len(shape) > 0 and shape[0] == 0):
        received = "None" if shape is None else f"shape {tuple(shape)}"
        raise ArgumentError("x", "at least one example", received, owner=method)


def _first_leaf(x: Any) -> Any:
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return x


class TakesAnyData(keras.Model):
    """A model whose `fit`, `evaluate`, `predict`, `.._on_batch` and call take x, and y where there is a target, in any form."""

    def _smallest_input(self) -> Any:
        """A batch of one example, with which `export` calls a model that was only trained; None: it must have been called."""
        return None

    # The names of the columns of the first data frame trained on; None where there was none.
    _columns: tuple[str, ...] | None = None

    # Whether the columns of a target have the names of those of x.
    _targets_are_named = False

    @property
    def _column_names(self) -> tuple[str, ...] | None:
        return self._columns

    def build_ahead(self, x: Any) -> None:
        """Makes the variables that x tells the shapes of; TensorFlow traces a function twice where the first trace makes any."""

    def canonical(self, x: Any) -> Any:
        """X in the form that Keras's `fit` takes: see `canonical` of this module. A subclass may check it here.

        The columns of a data frame are put in the order of those of the frame that the model was trained on.
        """
        if isinstance(x, keras.utils.PyDataset):
            return _Batches(x, self._item)
        if isinstance(x, Iterator):
            return (self._item(item) for item in x)
        names = names_of_columns(x)
        return canonical(x if names is None else self._in_order(x, tuple(names)))

    def _item(self, item: Any) -> tuple[Any, ...]:
        """A batch of a generator or a dataset as Keras takes it: x alone becomes (x,)."""
        x, y, weights = keras.utils.unpack_x_y_sample_weight(item)
        x, y, weights = self._batch(x, y, weights)
        return (x,) if y is None else (x, y) if weights is None else (x, y, weights)

    def _in_order(self, frame: Any, names: tuple[str, ...]) -> Any:
        known = self._column_names
        return frame if known in (None, names) else aligned_columns(frame, known, "x", type(self).__name__)

    def _learn_columns(self, names: tuple[str, ...]) -> None:
        """Takes the names of the columns of a data frame to train on, where none are known."""
        if self._column_names is None:
            object.__setattr__(self, "_columns", names)  # Keras would make it a part of checkpoints

    def get_config(self) -> dict[str, Any]:
        """See `keras.Model.get_config`; with the names of the columns that the model was trained on."""
        return {**super().get_config(), **({"columns": list(self._columns)} if self._columns else {})}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """See `keras.Model.from_config`."""
        model = super().from_config({name: config[name] for name in config if name != "columns"}, custom_objects)
        if config.get("columns"):
            model._learn_columns(tuple(config["columns"]))
        return model

    def to_tensors(self, x: Any) -> Any:
        """One batch in the form in which the methods that are compiled take it: tensors or arrays."""
        return to_tensors(self.canonical(x))

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(x if isinstance(x, tf.Tensor) else self.to_tensors(x), *args, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """See `keras.Model.train_on_batch`; x as in `fit`."""
        return super().train_on_batch(*self._batch(x, y, sample_weight), **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """See `keras.Model.test_on_batch`; x as in `fit`."""
        return super().test_on_batch(*self._batch(x, y, sample_weight), **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """See `keras.Model.predict_on_batch`; x as in `fit`."""
        return super().predict_on_batch(self.to_tensors(x))

    def _batch(self, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        names = names_of_columns(x)
        if names is not None:
            self._learn_columns(tuple(names))
        x, weights = self.to_tensors(x), _weights(sample_weight)
        self.build_ahead(x)
        if y is None:
            return x, None if weights is None else x, weights
        return x, to_tensors(self._canonical_target(y, x, type(self).__name__)), weights

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """See `keras.Model.fit`. The names of a data frame's columns are those of later ones, too, in whatever order."""
        names = names_of_columns(kwargs.get("x", args[0] if args else None))
        if names is not None:
            self._learn_columns(tuple(names))
        arguments = self._arguments(super().fit, args, kwargs)
        return super().fit(**{**arguments, "callbacks": with_latent_numbers(arguments.get("callbacks"))})

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """See `keras.Model.evaluate`."""
        return super().evaluate(**self._arguments(super().evaluate, args, kwargs))

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """See `keras.Model.predict`."""
        return super().predict(**self._arguments(super().predict, args, kwargs))

    def export(self, *args: Any, **kwargs: Any) -> None:
        """See `keras.Model.export`; `tf_vmf.serving.export` writes more than `predict`."""
        example = self._smallest_input()
        if example is not None:
            self(example)  # Keras refuses a model that was only trained: `train_step` does not call it
        super().export(*args, **kwargs)

    def _arguments(self, method: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name: x in canonical form, and something for y where Keras would drop weights without one."""
        arguments = inspect.signature(method).bind(*args, **kwargs).arguments
        arguments |= arguments.pop("kwargs", {})  # `evaluate` has private ones
        owner = f"{type(self).__name__}.{method.__name__}"
        if arguments.get("class_weight") is not None:
            received = repr(arguments["class_weight"])
            remedy = "There are no classes; give `sample_weight`, one number per example."
            raise ArgumentError("class_weight", "None", received, remedy, owner=owner)
        arguments["x"] = self.canonical(arguments.get("x"))
        check_not_empty(arguments["x"], owner)
        self.build_ahead(arguments["x"])
        if arguments.get("sample_weight") is not None:
            arguments["sample_weight"] = _weights(arguments["sample_weight"])
        if arguments.get("y") is not None:
            arguments["y"] = self._canonical_target(arguments["y"], arguments["x"], owner)
        elif arguments.get("sample_weight") is not None:
            arguments["y"] = arguments["x"]  # Keras would drop the weights
        validation = arguments.get("validation_data")
        if isinstance(validation, (tuple, list)):
            x, *rest = validation
            x = self.canonical(x)
            if rest and rest[0] is not None:
                rest[0] = self._canonical_target(rest[0], x, owner)
            elif len(rest) == 2:
                rest[0] = x
            arguments["validation_data"] = (x, *rest[:1], *map(_weights, rest[1:]))
        elif validation is not None:
            arguments["validation_data"] = self.canonical(validation)
        return arguments

    def _canonical_target(self, y: Any, x: Any, owner: str) -> Any:
        """Y as `canonical` does it for x; an ArgumentError where it is no target but, for instance, labels."""
        shape, expected = getattr(y, "shape", np.shape(y)), getattr(x, "shape", None)
        if expected is not None and len(shape) < 2 <= len(expected):
            received = f"shape {tuple(shape)} beside x of shape {tuple(expected)}"
            wanted, remedy = (
                "None, or what is to be reconstructed from x, of the rank of x",
                "Labels are no targets: leave them out.",
            )
            raise ArgumentError("y", wanted, received, remedy, owner=owner)
        names = names_of_columns(y)
        if names is not None and not self._targets_are_named and set(names) != set(self._column_names or ()):
            return canonical(y)  # columns with names of their own, in the order of those of x
        return self.canonical(y)


def _weights(sample_weight: Any) -> Any:
    """Weights as Keras takes them: of a list or a column an array."""
    if sample_weight is None or tf.is_tensor(sample_weight):
        return sample_weight
    return np.asarray(without_mask(sample_weight), np.float32)
