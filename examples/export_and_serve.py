"""From texts to an HTTP service: trains topics, exports them, asks the service a question.

    python -m examples.export_and_serve

The export needs neither this package nor scikit-learn to run. `python -m trainers.serve --export_dir=exports/reviews/1` starts the
same service for good; docs/SERVING.md has a recipe for a container.
"""

import json
import random
import threading
import urllib.request
from pathlib import Path
from typing import Any

import uvicorn

import tf_vmf

WORDS = {
    "hotel": "room bed breakfast staff lobby pool view shower towel reception",
    "phone": "battery screen camera charger app signal speaker update memory button",
}


def texts(number: int = 200, seed: int = 0) -> list[str]:
    """Made-up reviews of hotels and phones."""
    rng = random.Random(seed)
    return [" and the ".join(rng.sample(words.split(), 6)) for _ in range(number // 2) for words in WORDS.values()]


def export(path: str | Path) -> Path:
    """Trains two topics and exports them."""
    model = tf_vmf.TopicModel(num_topics=2, latent_dim=5, hidden_units=32, epochs=40, random_state=0).fit(texts())
    return model.export(path)


def ask(url: str, question: list[str]) -> list[dict[str, Any]]:
    """The topics of texts, from the service."""
    body = json.dumps({"signature_name": "topics_text", "instances": question}).encode()
    with urllib.request.urlopen(f"{url}/v1/models/model:predict", body) as answer:
        return json.load(answer)["predictions"]


def main(folder: str = "exports/reviews/1") -> list[dict[str, Any]]:
    app = tf_vmf.serving.make_app(tf_vmf.serving.Served(export(folder)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while thread.is_alive() and not server.started:
            thread.join(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        answers = ask(f"http://127.0.0.1:{port}", ["A room with a view of the pool", "The camera of this phone"])
    finally:
        server.should_exit = True
        thread.join()
    for answer in answers:
        print(answer)
    return answers


if __name__ == "__main__":
    main()
