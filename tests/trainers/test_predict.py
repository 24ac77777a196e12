"""The table of predictions, beside the model's own answers."""

import csv

import numpy as np
import pytest

import tf_vmf
from tf_vmf.programs.configs import DocumentConfig, PredictConfig, SentenceConfig
from trainers import predict

WORDS = ["star planet orbit moon", "flour butter sugar oven"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "train.txt"
    path.write_text("\n".join(" ".join(rng.choice(WORDS[i % 2].split(), 6)) for i in range(90)))
    return str(path)


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(text, tmp_path_factory):
    options = {"stop_words": "none", "latent_dim": 3, "encoder_units": (8,), "epochs": 1, "num_importance_samples": 1}
    workdir = tmp_path_factory.mktemp("runs") / "run"
    config = DocumentConfig(train_files=(text,), concentration=20.0, **options)
    tf_vmf.programs.train_documents(config, workdir, verbose=False)
    return workdir


def test_every_text_has_its_row_with_known_words_bound_and_code(run, text, tmp_path):
    (tmp_path / "new.csv").write_text('id,body\n1,"star moon, moon"\n2,unknown words\n3,\n')
    config = PredictConfig(
        model=run,
        input=(str(tmp_path / "new.csv"),),
        text_column="body",
        output=tmp_path / "codes.csv",
        export_codes=str(tmp_path / "projector"),
    )
    predict.main(config)
    rows = table(tmp_path / "codes.csv")
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert list(rows[0])[:3] == ["id", "body", "known_tokens"]
    assert [row["known_tokens"] for row in rows] == ["3", "0", "0"]
    model, vectorizer = tf_vmf.models.load(run)
    expected = model.encode(vectorizer(["star moon, moon", "unknown words", ""])).mean_direction.numpy()
    codes = np.array([[float(row[f"code_{i}"]) for i in range(3)] for row in rows])
    np.testing.assert_allclose(codes, expected, atol=1e-4)
    np.testing.assert_allclose(np.loadtxt(tmp_path / "projector/codes.tsv"), expected[0], atol=1e-4)  # of known words
    header, line = (tmp_path / "projector/metadata.tsv").read_text().splitlines()
    assert header.split("\t") == ["row", "known_tokens", "label", "text"]
    assert line.split("\t") == ["0", "3", "", "star moon, moon"]
    np.testing.assert_allclose([float(row["nll"]) for row in rows[1:]], 0.0, atol=1e-6)  # no token, no loss
    assert len({row["kl"] for row in rows}) == 1  # a fixed concentration

    for name in ("refined", "again"):
        predict.main(PredictConfig(model=run, input=(text,), output=tmp_path / name, refine_steps=40))
    rows = table(tmp_path / "refined")
    assert table(tmp_path / "again") == rows
    bounds = {
        name: np.mean([float(row[f"{name}nll"]) + float(row[f"{name}kl"]) for row in rows]) for name in ("", "refined_")
    }
    assert bounds["refined_"] < bounds[""] - 0.05
    assert len({row["refined_kl"] for row in rows}) == 1
    codes = np.array([[float(row[f"code_{i}"]) for i in range(3)] for row in rows])
    # The likelihood of a text at its code, by hand: refined codes are better ones.
    counts = vectorizer([row["text"] for row in rows]).numpy()
    encoded = model.encode(counts).mean_direction.numpy()
    at = [np.mean(np.sum(counts * model.decode(each.astype(np.float32)).numpy(), axis=1)) for each in (encoded, codes)]
    assert at[1] > at[0] + 0.05


def test_without_a_code_to_export_the_earlier_output_stays(run, tmp_path):
    (tmp_path / "new.txt").write_text("unknown words\n")
    (tmp_path / "codes.csv").write_text("earlier")
    with pytest.raises(ValueError, match=r"export_codes.*a word that the model knows"):
        predict.main(
            PredictConfig(
                model=run,
                input=(str(tmp_path / "new.txt"),),
                output=tmp_path / "codes.csv",
                export_codes=str(tmp_path / "projector"),
            )
        )
    assert (tmp_path / "codes.csv").read_text() == "earlier"
    assert not (tmp_path / "projector").exists()


@pytest.mark.slow
def test_a_conditional_model_needs_labels_that_it_knows(text, tmp_path):
    lines = "a b c\n" * 40
    for label in ("good", "bad"):
        (tmp_path / f"{label}.txt").write_text(lines)
    files = (f"good={tmp_path}/good.txt", f"bad={tmp_path}/bad.txt")
    options = {"epochs": 1, "embedding_dim": 3, "hidden_units": 3, "num_importance_samples": 1, "conditional": True}
    tf_vmf.programs.train_sentences(SentenceConfig(train_files=files, **options), tmp_path / "run", verbose=False)
    output = tmp_path / "codes.csv"
    predict.main(PredictConfig(model=tmp_path / "run", input=files[:1], output=output))
    assert len(table(output)) == 40
    with pytest.raises(ValueError, match=r"good\.txt, line 1: expected a label out of bad, good"):
        predict.main(PredictConfig(model=tmp_path / "run", input=(str(tmp_path / "good.txt"),), output=output))
    assert len(table(output)) == 40  # the earlier file is intact
