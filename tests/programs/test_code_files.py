"""Files for the Embedding Projector, read back by pandas."""

import numpy as np
import pytest

from tf_vmf.programs.tables import CodeFiles, folder_of_codes

pandas = pytest.importorskip("pandas")


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def written(folder, codes, known, texts, **arguments):
    files = CodeFiles()
    for row, (code, tokens, text) in enumerate(zip(codes, known, texts, strict=True)):
        files.add(code, row, tokens, text, label=f"l{row % 2}")
    files.write(folder, **arguments)
    tables = [pandas.read_csv(folder / f"{name}.tsv", sep="\t", quoting=3) for name in ("metadata", "coordinates")]
    return pandas.read_csv(folder / "codes.tsv", sep="\t", header=None).to_numpy(), *tables


def test_lines_of_the_files_belong_together_and_texts_without_known_words_have_none(rng, tmp_path):
    codes = unit(rng.normal(size=(4, 5)))
    texts = ["one\ttab\nand a line", 'a "quote', "unknown", "x" * 300]
    found, metadata, coordinates = written(tmp_path, codes, [3, 1, 0, 2], texts, spherical=True)
    np.testing.assert_allclose(found, codes[[0, 1, 3]], atol=1e-5)
    assert list(metadata.columns) == ["row", "known_tokens", "label", "text"]
    assert metadata["row"].tolist() == [0, 1, 3]
    assert metadata["label"].tolist() == ["l0", "l1", "l1"]
    assert metadata["text"].tolist() == ["one tab and a line", 'a "quote', "x" * 100]
    assert coordinates.shape == (3, 2)
    assert list(coordinates.columns) == ["x", "y"]


def test_few_codes_lie_at_their_principal_components(rng, tmp_path):
    codes = rng.normal(size=(20, 4)) * [3.0, 2.0, 1.0, 0.5]
    _, _, coordinates = written(tmp_path, codes, [1] * 20, ["t"] * 20, spherical=False)
    centred = codes - codes.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(coordinates), np.abs(left * scale)[:, :2], rtol=1e-3, atol=1e-4)


def test_codes_in_the_plane_stay_where_they_are_and_many_keep_their_neighbours(rng, tmp_path):
    (tmp_path / "plane").mkdir()
    circle = unit(rng.normal(size=(120, 2)))
    _, _, coordinates = written(tmp_path / "plane", circle, [1] * 120, ["t"] * 120, spherical=True)
    np.testing.assert_allclose(coordinates, circle, atol=1e-5)
    group = np.arange(120) % 3
    codes = unit(np.eye(3)[group] + 0.1 * rng.normal(size=(120, 3)))  # on the sphere in three dimensions
    _, _, coordinates = written(tmp_path, codes, [1] * 120, ["t"] * 120, spherical=True)
    points = coordinates.to_numpy()
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=-1) + np.diag(np.full(120, np.inf))
    assert (group[distances.argmin(axis=1)] == group).all()


def test_no_code_and_a_folder_that_is_there_are_refused(tmp_path):
    with pytest.raises(ValueError, match="`export_codes`"):
        CodeFiles().write(tmp_path, spherical=True)
    with pytest.raises(FileExistsError), folder_of_codes(str(tmp_path)):
        pass
    with folder_of_codes(None) as folder:
        assert folder is None
