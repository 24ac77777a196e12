"""From a CSV file to topics: a table of topics, a table of documents, a report, and the topics of a new text.

    python -m examples.topics_from_csv reviews.csv --text_column=review --num_topics=20 --output=reviews_topics

It writes topics.csv, documents.csv, report.html and the folder model, which `tf_vmf.TopicModel.load` reads.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tf_vmf


def main(csv: str, text_column: str, num_topics: int | None, output: str, **arguments: Any) -> tf_vmf.TopicModel:
    """Fits the topics and writes the files; `arguments` are those of `TopicModel`."""
    texts = pd.read_csv(csv)[text_column].fillna("").astype(str)
    model = tf_vmf.TopicModel(num_topics, random_state=0, **arguments).fit(texts)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    topics = model.topic_info()
    topics["words"] = topics["words"].str.join(" ")
    topics.to_csv(folder / "topics.csv", index=False)
    model.document_info(texts).to_csv(folder / "documents.csv", index_label="row")
    model.report(folder / "report.html")
    model.save(folder / "model")
    print(topics[["topic", "size", "c_npmi", "words"]].to_string(index=False))
    return model


def describe(model: tf_vmf.TopicModel, text: str, most: int = 3) -> str:
    """The topics of a text with their proportions, largest first."""
    proportions, labels = model.transform([text])[0], model.topic_labels()
    return "; ".join(f"{labels[k]} ({proportions[k]:.0%})" for k in np.argsort(-proportions)[:most])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv")
    parser.add_argument("--text_column", default="text")
    parser.add_argument("--num_topics", type=int, default=20)
    parser.add_argument("--output", default="topics")
    parser.add_argument("--verbose", type=int, default=1, help="0: silent, 1: a progress bar, 2: a line per epoch")
    options = parser.parse_args()
    fitted = main(options.csv, options.text_column, options.num_topics, options.output, verbose=options.verbose)
    print("A new text:", describe(fitted, " ".join(fitted.topics(5)[0])))
