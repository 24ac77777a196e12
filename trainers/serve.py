"""Serves an export over HTTP, with the REST interface of TensorFlow Serving.

    python -m trainers.serve --export_dir=exports/20ng/1 --port=8501
    curl -d '{"instances": ["The orbit of the moon"]}' http://localhost:8501/v1/models/model:predict

/docs describes the interface (OpenAPI), /health tells whether the service is up. SIGTERM ends it after the requests at hand.
"""

from tf_vmf.configs import ServeConfig
from trainers import program


def main(config: ServeConfig) -> None:
    from tf_vmf import serving

    served = serving.Served(
        config.export_dir, serving.Limits(body_bytes=config.max_body_bytes, examples=config.max_batch)
    )
    application = serving.make_app(served, config.model_name)
    import uvicorn

    uvicorn.run(application, host=config.host, port=config.port, log_level="warning")


if __name__ == "__main__":
    program.run(main, "serve", __doc__, ServeConfig)
