"""Blocks of consecutive sentences of the Penn Treebank, a block per line: texts of several lengths from one source.

python -m tools.sentence_blocks --data_dir=DIR --sentences=4 --output=blocks
"""

import argparse
from pathlib import Path

from tf_vmf.files import write_text

SPLITS = ("train", "valid", "test")


def blocks(lines: list[str], sentences: int) -> list[str]:
    """Consecutive lines joined, so many at a time; the last block may be shorter."""
    return [" ".join(line.strip() for line in lines[i : i + sentences]) for i in range(0, len(lines), sentences)]


def main() -> None:
    """Reads the arguments, and writes a file per split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="the folder that holds ptb/{train,valid,test}.txt")
    parser.add_argument("--sentences", type=int, required=True, help="sentences per block")
    parser.add_argument("--output", type=Path, required=True, help="the folder of the blocks")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        lines = (options.data_dir / "ptb" / f"{split}.txt").read_text("utf-8").splitlines()
        write_text(options.output / f"{split}.txt", "\n".join(blocks(lines, options.sentences)) + "\n")


if __name__ == "__main__":
    main()
