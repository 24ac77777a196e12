"""The example's service answers with the topic of each text."""

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("gensim")


@pytest.mark.slow
def test_the_service_tells_hotels_from_phones(tmp_path):
    from examples import export_and_serve

    hotel, phone = export_and_serve.main(str(tmp_path / "exports/1"))
    assert hotel["topic"] != phone["topic"]
    assert set(hotel["label"].split(", ")) <= set(export_and_serve.WORDS["hotel"].split())
    assert set(phone["label"].split(", ")) <= set(export_and_serve.WORDS["phone"].split())
    assert (hotel["tokens"], phone["tokens"]) == (3, 1)
