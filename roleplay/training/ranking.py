"""How the small rankers learn: one net of one hidden layer after another, the true candidate against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from roleplay.models.ranker import ARRAYS, Ranker


@dataclass(frozen=True)
class Sample:
    """The candidates of one choice, (candidates, features), and which of them is the true one."""

    rows: np.ndarray
    truth: int


@dataclass(frozen=True)
class Recipe:
    nets: int = 3
    hidden: int = 32
    epochs: int = 20
    batch: int = 128
    rate: float = 0.005
    decay: float = 1e-3
    drop: float = 0.2


def fit(samples: Sequence[Sample], recipe: Recipe) -> Ranker:
    """The same samples give the same ranker."""
    wide = max(len(sample.rows) for sample in samples)
    rows = np.zeros((len(samples), wide, samples[0].rows.shape[1]), np.float32)
    there = np.zeros((len(samples), wide), bool)
    for at, sample in enumerate(samples):
        rows[at, : len(sample.rows)], there[at, : len(sample.rows)] = sample.rows, True
    mean, scale = rows[there].mean(0), rows[there].std(0) + 1e-6
    scaled = torch.from_numpy((rows - mean) / scale)
    truth = torch.tensor([sample.truth for sample in samples])
    nets = [_net(seed, scaled, torch.from_numpy(there), truth, recipe) for seed in range(recipe.nets)]
    inner, bias, outer = (np.stack(parts) for parts in zip(*nets, strict=True))
    return Ranker(mean, scale, inner, bias, outer)


def _net(
    seed: int, rows: torch.Tensor, there: torch.Tensor, truth: torch.Tensor, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    torch.manual_seed(seed)
    inner, outer = torch.nn.Linear(rows.shape[2], recipe.hidden), torch.nn.Linear(recipe.hidden, 1, bias=False)
    parameters = [*inner.parameters(), *outer.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=recipe.decay)
    for epoch in range(recipe.epochs):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * (1 - epoch / recipe.epochs)
        for some in torch.randperm(len(rows)).split(recipe.batch):
            hidden = F.dropout(F.relu(inner(rows[some])), recipe.drop)
            scores = outer(hidden)[..., 0].masked_fill(~there[some], -1e4)
            loss = F.cross_entropy(scores, truth[some])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return inner.weight.detach().T.numpy().copy(), inner.bias.detach().numpy().copy(), outer.weight.detach()[0].numpy()


def save(ranker: Ranker, features: Sequence[str], path: Path) -> None:
    """As `Ranker.load` reads it."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(getattr(ranker, name), np.float32) for name in ARRAYS}
    save_file(arrays, path, {"features": " ".join(features)})
