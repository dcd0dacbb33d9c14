"""The loss curve of a run as a picture."""

from pathlib import Path

import msgspec

from quillon_training.errors import CheckpointError
from quillon_training.pretrain import LossRecord


def read_losses(path: Path) -> list[LossRecord]:
    """The records of a `loss.jsonl`; a last line cut off by a crash is left out."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}", "Name the folder of a run."
        ) from error
    return [msgspec.json.decode(line, type=LossRecord) for line in lines if line.endswith(b"\n")]


def draw_loss(records: list[LossRecord], path: Path) -> Path:
    """Draw loss (nats per token) and learning rate over tokens seen, as a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    tokens = [record.tokens / 1e6 for record in records]
    figure, axes = plt.subplots(figsize=(8, 4.5), constrained_layout=True)
    axes.plot(tokens, [record.loss for record in records], color="tab:blue", linewidth=1)
    axes.set_xlabel("tokens seen (millions)")
    axes.set_ylabel("training loss (nats per token)")
    axes.grid(alpha=0.3)
    rate = axes.twinx()
    rate.plot(tokens, [record.lr for record in records], color="tab:orange", linewidth=1, alpha=0.6)
    rate.set_ylabel("learning rate")
    rate.set_ylim(bottom=0)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path
