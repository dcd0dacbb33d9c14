"""The pipeline's error tree: every error says what to do next."""


class TrainingError(Exception):
    """A step cannot go on; `hint` is one sentence that tells a person what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class CorpusError(TrainingError):
    """No usable sources, or a corpus folder that is not one."""


class CheckpointError(TrainingError):
    """A checkpoint that is missing, damaged or of another model."""


class ExportError(TrainingError):
    """A model file that cannot be written, or that does not answer like its source."""
