"""From files of text to a prepared corpus."""

from __future__ import annotations

from typing import Any

from tf_vmf import data
from tf_vmf.programs.configs import PrepareConfig


def prepare_corpus(config: PrepareConfig) -> dict[str, Any]:
    """Writes text of any size to a folder, from which `corpus="prepared"` trains.

    Args:
        config: The text, its kind and the folder to make.

    Returns:
        The manifest of the folder.

    Raises:
        FileExistsError: There is something at the folder.
        FileNotFoundError: A file of text is missing.
        ArgumentError: An option does not fit the text.
    """
    prepare = data.prepare_documents if config.kind == "documents" else data.prepare_sentences
    return dict(prepare(config.output, **config.loader_arguments()))
