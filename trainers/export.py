"""Exports a trained model as a SavedModel with named endpoints and a model card.

    python -m trainers.export --model=runs/reviews --output=exports/reviews/1

TensorFlow Serving, `tf.saved_model.load` and `saved_model_cli` read the folder --output; this package is not needed there.
"""

from tf_vmf.programs.configs import ExportConfig
from trainers import program


def main(config: ExportConfig) -> None:
    from tf_vmf import programs

    path = programs.export_model(config)
    print(f"export  {path}")
    print(f"card    {path / 'MODEL_CARD.md'}")
    program.print_next("serve", export_dir=path)


if __name__ == "__main__":
    program.run(main, "export", __doc__, ExportConfig)
