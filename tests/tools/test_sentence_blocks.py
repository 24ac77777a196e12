"""Blocks hold the words of the sentences, in order."""

import sys

from tools import sentence_blocks


def test_blocks_hold_all_sentences_in_order_and_the_last_may_be_shorter(tmp_path, monkeypatch):
    (tmp_path / "ptb").mkdir()
    for split in sentence_blocks.SPLITS:
        (tmp_path / f"ptb/{split}.txt").write_text(f" {split} one \n two\n three <unk>\n four\n five\n")
    output = tmp_path / "blocks"
    arguments = ["sentence_blocks", f"--data_dir={tmp_path}", "--sentences=2", f"--output={output}"]
    monkeypatch.setattr(sys, "argv", arguments)
    sentence_blocks.main()
    assert (output / "train.txt").read_text() == "train one two\nthree <unk> four\nfive\n"
    assert sorted(file.name for file in output.iterdir()) == ["test.txt", "train.txt", "valid.txt"]
