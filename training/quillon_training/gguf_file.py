"""A GGUF file as it is written: whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf

from quillon_training.errors import ExportError


@contextmanager
def written(path: Path, architecture: str) -> Iterator[gguf.GGUFWriter]:
    """A writer for what is to stand in a file; it is written where the block ends.

    Raises:
        ExportError: The disk is full.
    """
    temporary = path.with_suffix(".part")
    writer = gguf.GGUFWriter(temporary, architecture)
    try:
        yield writer
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error}", "Free some disk space.") from error
    finally:
        writer.close()
    temporary.replace(path)
