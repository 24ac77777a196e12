"""Flags of the HTTP service."""

from absl import flags

EXPORT_DIR = flags.DEFINE_string("export_dir", None, "Folder of an export.", required=True)
MODEL_NAME = flags.DEFINE_string("model_name", "model", "Name of the model in URLs.")
HOST = flags.DEFINE_string("host", "127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
PORT = flags.DEFINE_integer("port", 8501, "Port to listen on.", 0, 65535)
MAX_BATCH = flags.DEFINE_integer("max_batch", 1024, "Rows that one request may have.", lower_bound=1)
MAX_BODY_BYTES = flags.DEFINE_integer("max_body_bytes", 4 * 2**20, "Largest request.", lower_bound=1)
