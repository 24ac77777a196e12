"""A section of a user's own, defined in this file and registered by one line, in the reports of runs."""

import json
from dataclasses import dataclass

import pytest

from tf_vmf import programs, report
from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs import DocumentConfig
from tf_vmf.report import section


@pytest.fixture(autouse=True)
def sections_of_a_test_go_with_it(monkeypatch):
    monkeypatch.setattr(section, "_FURTHER", {kind: dict(known) for kind, known in section._FURTHER.items()})


WORDS = ["star planet orbit moon comet telescope", "flour butter sugar oven bread yeast"]


@dataclass(frozen=True)
class LongestDocument(report.ReportSection):
    """A section of one file, which knows the corpus of the run."""

    words: int

    @classmethod
    def find(cls, context):
        return cls(int(context.corpus.train.counts.sum(axis=1).max()))

    def render(self):
        return report.Section("Longest document", [report.Text(f"It has {self.words} words.")])


def test_it_reaches_the_report_and_the_findings_of_a_run(tmp_path, rng):
    report.register_section("document")(LongestDocument)  # the one line, as a decorator elsewhere
    lines = [" ".join(rng.choice(WORDS[i % 2].split(), 8 if i else 23)) for i in range(60)]
    (tmp_path / "documents.txt").write_text("\n".join(lines))
    config = DocumentConfig(
        train_files=(str(tmp_path / "documents.txt"),), stop_words="none", validation_size=0.1, test_size=0.1, latent_dim=3,
        encoder_units=(8,), decoder_units=(), epochs=1, batch_size=16, num_importance_samples=1,
    )  # fmt: skip
    run = programs.train_documents(config, tmp_path / "run", verbose=False)
    longest = max(len(line.split()) for line in lines if line in set(run_texts(config)))
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert f"It has {longest} words." in page
    assert page.index("Longest document</h2>") < page.index("Protocol</h2>")
    text = (tmp_path / "run" / "findings.json").read_text("utf-8")
    assert json.loads(text)["LongestDocument"] == {"words": longest}
    read = report.Findings.from_json(text, [LongestDocument])
    assert read.get(LongestDocument) == LongestDocument(longest)
    # The topics of the report are those of a TopicModel.
    assert "Tree of topics" in page
    assert run.metrics["test"]["examples"] == 6


def run_texts(config):
    """The training texts of a configuration."""
    from tf_vmf import data

    return data.load_bag_of_words(**config.loader_arguments()).train.texts


def test_there_are_reports_of_documents_and_of_sentences_alone():
    with pytest.raises(ArgumentError) as error:
        report.register_section("picture")
    assert (error.value.name, error.value.received) == ("kind", "'picture'")
