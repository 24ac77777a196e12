"""From a folder of text files to topics: a report, and how the topics compare with the names of the subfolders.

    python -m examples.topics_from_folder mail --num_topics=20 --output=mail_topics

Each file (.txt) is a text; the subfolder that it lies in, at any depth, is its class, if there is one. Classes are
compared with, not learned from.
"""

import argparse
from pathlib import Path
from typing import Any

import tf_vmf


def read_folder(folder: str | Path) -> tuple[list[str], list[str | None]]:
    """The texts of a folder's files, and the subfolder of each; None for a file in no subfolder."""
    files = sorted(Path(folder).rglob("*.txt"))
    if not files:
        raise FileNotFoundError(f"There is no .txt file in {folder}.")
    parts = [file.relative_to(folder).parts for file in files]
    return [file.read_text("utf-8") for file in files], [each[0] if len(each) > 1 else None for each in parts]


def main(folder: str, num_topics: int | None, output: str, **arguments: Any) -> tf_vmf.TopicModel:
    """Fits the topics and writes a report and the model; `arguments` are those of `TopicModel`."""
    texts, classes = read_folder(folder)
    model = tf_vmf.TopicModel(num_topics, random_state=0, **arguments).fit(texts)
    for label, words in zip(model.topic_labels(), model.topics(8), strict=True):
        print(f"{label}: {' '.join(words)}")
    shares = model.topics_per_class(classes)
    print(shares.pivot(index="label", columns="class", values="share").round(2))
    Path(output).mkdir(parents=True, exist_ok=True)
    model.report(Path(output) / "report.html", classes)
    model.save(Path(output) / "model")
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--num_topics", type=int, default=20)
    parser.add_argument("--output", default="topics")
    options = parser.parse_args()
    main(options.folder, options.num_topics, options.output, verbose=1)
