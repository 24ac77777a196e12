"""Serves an export over HTTP, with the REST interface of TensorFlow Serving.

    python -m trainers.serve --export_dir=exports/20ng/1 --port=8501
    curl -d '{"instances": ["The orbit of the moon"]}' http://localhost:8501/v1/models/model:predict

/docs describes the interface (OpenAPI), /health tells whether the service is up. SIGTERM ends it after the requests at hand.
"""

from collections.abc import Sequence

from absl import app

from flags import serving as serving_flags
from tf_vmf import serving


def main(argv: Sequence[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}. Every option is a flag: --name=value.")
    limits = serving.Limits(body_bytes=serving_flags.MAX_BODY_BYTES.value, examples=serving_flags.MAX_BATCH.value)
    served = serving.Served(serving_flags.EXPORT_DIR.value, limits)
    application = serving.make_app(served, serving_flags.MODEL_NAME.value)
    import uvicorn

    uvicorn.run(application, host=serving_flags.HOST.value, port=serving_flags.PORT.value, log_level="warning")


if __name__ == "__main__":
    app.run(main)
