"""Writes what a trained model says about new texts: known words, bounds in nats, codes and topics, one row per text.

python -m trainers.predict --model=runs/reviews --input=new.txt --output=new.csv
python -m trainers.predict --model=runs/reviews --input=new.csv --text_column=body --output=codes.csv
python -m trainers.predict --model=runs/reviews --input=new.txt --output=new.csv --export_codes=projector   # Embedding Projector
"""

from tf_vmf.programs.configs import PredictConfig
from trainers import program


def main(config: PredictConfig) -> None:
    from tf_vmf import programs

    print(f"{programs.predict_texts(config):,} texts: {config.output}")


if __name__ == "__main__":
    program.run(main, "predict", __doc__, PredictConfig)
