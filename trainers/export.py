"""Exports a trained model as a SavedModel with named endpoints and a model card.

    python -m trainers.export --model=runs/20ng --output=exports/20ng/1

TensorFlow Serving, `tf.saved_model.load` and `saved_model_cli` read the folder --output; this package is not needed there.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags, logging

from flags import export as export_flags
from tf_vmf import models, serving


def main(argv: Sequence[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}. Every option is a flag: --name=value.")
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)  # TensorFlow logs every file that it writes
    model, vectorizer = models.load(export_flags.MODEL.value)
    metrics_file = Path(export_flags.MODEL.value) / "metrics.json"
    metrics = json.loads(metrics_file.read_text(encoding="utf-8")) if metrics_file.is_file() else None
    path = serving.export(
        model,
        export_flags.OUTPUT.value,
        vectorizer,
        metrics=metrics,
        allow_unknown=export_flags.ALLOW_UNKNOWN.value,
    )
    print(f"{path}: {', '.join(serving.endpoints(model, vectorizer))}")


if __name__ == "__main__":
    app.run(main)
