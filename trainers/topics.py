"""Finds the topics of texts: tables of topics and documents, a report, and a model for new texts.

    python -m trainers.topics --corpus=wikipedia --output=topics/wikipedia             # offline
    python -m trainers.topics --train_files=reviews.csv --text_column=body --output=topics/reviews
    python -m trainers.topics --corpus=prepared --data_dir=prepared/counts --output=topics/counts   # text of any size
    python -m trainers.predict --model=topics/reviews --input=new.txt --output=new.csv

The folder --output then holds topics.csv, documents.csv, report.html and model/. --export_codes=FOLDER writes the codes of the
texts as codes.tsv and metadata.tsv, which https://projector.tensorflow.org loads, and coordinates.tsv in the plane.
"""

from pathlib import Path

from tf_vmf.programs.configs import TopicsConfig
from trainers import program


def main(config: TopicsConfig) -> None:
    from tf_vmf import programs

    model = programs.find_topics(config)
    for topic, words in enumerate(model.topics(min(8, len(model.vocabulary_)))):
        print(f"{topic}: {', '.join(words)}")
    folder = Path(config.output).resolve()
    print(f"\nreport  {(folder / 'report.html').as_uri()}")
    print(f"tables  {folder / 'topics.csv'}, {folder / 'documents.csv'}")
    if config.export_codes is not None:
        print(f"codes   {config.export_codes}")
    program.print_next("predict", model=config.output, input="NEW.txt", output="NEW.csv")


if __name__ == "__main__":
    program.run(main, "topics", __doc__, TopicsConfig)
