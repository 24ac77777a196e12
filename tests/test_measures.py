"""What reports say of the numbers of samples."""

import pytest

from tf_vmf.measures import importance_samples


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ({}, "several"),
        ({"importance_samples": 500}, "500"),
        ({"importance_samples": {"test": 100, "valid": 100}}, "100"),
        ({"importance_samples": {"test": 100, "valid": 10}}, "100 (test), 10 (valid)"),
    ],
)
def test_the_number_of_samples_reads_as_words(recorded, said):
    assert importance_samples({"protocol": recorded}) == said
