"""The configurations of the programs that do not train a single model."""

from __future__ import annotations

import dataclasses
from typing import Any

from tf_vmf.configs.corpus import DocumentTextConfig, SentenceTextConfig
from tf_vmf.configs.options import Config, ConfigError, option


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareConfig(DocumentTextConfig, SentenceTextConfig):
    """Preparation."""

    kind: str = option(dataclasses.MISSING, "What the text is read as.", choices=("documents", "sentences"))
    output: str = option(dataclasses.MISSING, "Folder to make.")
    examples_per_shard: int = option(16_384, "Examples per file; training holds up to two files in memory.", minimum=1)

    def check(self) -> None:
        super().check()
        if not self.train_files:
            raise ConfigError("train_files", "expected text to prepare: named corpora fit in memory. Received: none.")

    def loader_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `tf_vmf.data.prepare_documents` or `prepare_sentences`."""
        text = DocumentTextConfig if self.kind == "documents" else SentenceTextConfig
        return {**text.loader_arguments(self), "examples_per_shard": self.examples_per_shard}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig(Config):
    """Export."""

    model: str = option(dataclasses.MISSING, "Folder of a finished run, a .keras file or an export.")
    output: str = option(dataclasses.MISSING, "Folder to make, for instance exports/1.")
    allow_unknown: bool = option(
        True, "Sentences that the export writes may hold <unk>; --noallow_unknown keeps it out."
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServeConfig(Config):
    """Service."""

    export_dir: str = option(dataclasses.MISSING, "Folder of an export.")
    model_name: str = option("model", "Name of the model in URLs.")
    host: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = option(8501, "Port to listen on; 0 for any that is free.", minimum=0, maximum=65535)
    max_batch: int = option(1024, "Rows that one request may have.", minimum=1)
    max_body_bytes: int = option(4 * 2**20, "Largest request.", minimum=1)
