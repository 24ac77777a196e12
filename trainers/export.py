"""Exports a trained model as a SavedModel with named endpoints and a model card.

    python -m trainers.export --model=runs/reviews --output=exports/reviews/1

TensorFlow Serving, `tf.saved_model.load` and `saved_model_cli` read the folder --output; this package is not needed there.
"""

from pathlib import Path

from tf_vmf.programs.configs import ExportConfig
from trainers import program


def main(config: ExportConfig) -> None:
    from tf_vmf import models, serving
    from tf_vmf.files import read_json
    from tf_vmf.programs.topics import saved_topic_model
    from tf_vmf.text.files import TextFiles
    from tf_vmf.text.tables import Columns

    columns = Columns(config.text_column)
    examples = [text.text for text in TextFiles(list(config.examples), columns=columns)] if config.examples else None
    topics = saved_topic_model(config.model)
    if topics is not None:
        path = topics.export(config.output, examples=examples)
    else:
        file = Path(config.model) / "metrics.json"
        metrics = read_json(file, "The run's command writes it anew where it is missing.") if file.is_file() else None
        model, vectorizer = models.load(config.model)
        path = serving.export(
            model,
            config.output,
            vectorizer,
            metrics=metrics,
            allow_unknown=config.allow_unknown,
            examples=examples,
        )
    print(f"export  {path}")
    print(f"card    {path / 'MODEL_CARD.md'}")
    program.print_next("serve", export_dir=path)


if __name__ == "__main__":
    program.run(main, "export", __doc__, ExportConfig)
