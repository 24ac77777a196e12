"""Serves an export over HTTP, with the REST interface of TensorFlow Serving.

    python -m trainers.serve --export_dir=exports/reviews/1 --port=8501
    curl -d '{"instances": ["The orbit of the moon"]}' http://localhost:8501/v1/models/model:predict

The service prints its addresses as soon as it listens. / is a page to try the model, /docs describes the interface, /health/live,
/health/ready and /metrics are for whoever runs it. SIGTERM ends it after the requests at hand.
"""

from functools import partial

from tf_vmf.programs.configs import ServeConfig
from trainers import program, terminal


def main(config: ServeConfig) -> None:
    from tf_vmf import programs

    programs.serve_export(config, while_loading=partial(terminal.quiet_start, debug=False))


if __name__ == "__main__":
    program.run(main, "serve", __doc__, ServeConfig)
