"""From the body of an HTTP request to what its JSON holds."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from tf_vmf.serving.limits import Limits, RequestError

_GZIP = 31  # zlib's window bits for the format gzip


async def read_body(request: Any, limits: Limits) -> bytes:
    """The bytes of the body, as they were sent.

    A body that is too large is read to its end and dropped, so that the client gets to read the answer.

    Raises:
        RequestError: It is too large, or does not arrive in time.
    """
    chunks, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limits.body_bytes:
                    chunks.append(chunk)
                elif size > 64 * limits.body_bytes:
                    break
    except TimeoutError as error:
        raise RequestError(f"Expected the whole request within {limits.body_seconds:g} seconds.", 408) from error
    if size > limits.body_bytes:
        raise _too_large(limits, size)
    return b"".join(chunks)


def decompressed(body: bytes, encoding: str, limits: Limits) -> bytes:
    """The body without the compression that the header Content-Encoding names.

    Raises:
        RequestError: The encoding is unknown, the data are damaged or too large.
    """
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise RequestError(f"Header Content-Encoding: expected gzip or identity. Received: {encoding!r}.", 415)
    decompressor = zlib.decompressobj(_GZIP)
    try:
        content = decompressor.decompress(body, limits.body_bytes + 1)
    except zlib.error as error:
        raise RequestError(f"Expected a body compressed by gzip: {error}.") from error
    if len(content) > limits.body_bytes:
        raise _too_large(limits, len(content))
    if not decompressor.eof or decompressor.unused_data:
        fault = "it ends too early" if not decompressor.eof else "something follows its end"
        raise RequestError(f"Expected a body compressed by gzip: {fault}.")
    return content


def parse_json(body: bytes) -> Any:
    """The content of a JSON body; NaN, Infinity and -Infinity are numbers, as in TensorFlow Serving.

    Raises:
        RequestError: It is not JSON in UTF-8.
    """
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RequestError(f"Expected JSON in UTF-8: {error}.") from error
    except RecursionError as error:
        raise RequestError("Expected JSON: it is nested too deep.") from error
    except ValueError as error:  # no JSON, or an integer of thousands of digits
        raise RequestError(f"Expected JSON: {error}.") from error


def _too_large(limits: Limits, size: int) -> RequestError:
    return RequestError(
        f"Expected a request of at most {limits.body_bytes:,} bytes. Received: {size:,} bytes or more.", 413
    )
