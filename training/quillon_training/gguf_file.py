"""A GGUF file as it is written: whole, or not at all."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf

from quillon_training.errors import ExportError


@contextmanager
def written(path: Path, architecture: str) -> Iterator[gguf.GGUFWriter]:
    """A writer for what is to stand in a file; it is written where the block ends.

    Raises:
        ExportError: The disk is full, or does not take the file for another reason.
    """
    temporary = path.with_suffix(".part")
    writer = gguf.GGUFWriter(temporary, architecture)
    try:
        try:
            yield writer
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()
        temporary.replace(path)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise ExportError(
            f"{path} cannot be written: {error}",
            "Free some disk space." if full else "Mend what the error names, and export again.",
        ) from error
