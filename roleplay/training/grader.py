"""Fit what stands on the encoder: `python -m roleplay.training.grader`, after `roleplay.training.reader`.

The linear model over pieces of text, the threshold of each move, and the small model that scores. All
are fitted on what the models before them say of replies that they have not seen, so that nobody learns
to trust a model for having learnt its own training rows by heart. What is shipped has learnt from every
scored reply; what is reported was said of replies by models that had not seen them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import fbeta_score
from sklearn.model_selection import GroupKFold

from roleplay.agreement import agreement
from roleplay.confidence import Doubt, Opinion, signs
from roleplay.dialogue import MOVES
from roleplay.graded import GradedReply
from roleplay.grading import ceiling, grader_features
from roleplay.models.encoder import BUNDLED, ReplyEncoder
from roleplay.models.fluency import table_of
from roleplay.models.ngrams import WIDTH, NgramModel, columns, rarity
from roleplay.models.reply_model import blend
from roleplay.models.scorer import Column, Scorer, Stranger, Trees, odd
from roleplay.reader import Reader
from roleplay.rubric import DIMENSIONS, Dimension
from roleplay.standards import load_standards
from roleplay.training.corpus import load_calls, load_replies, split_of
from roleplay.training.misfits import MARK, misfits
from roleplay.training.reader import HELD_BACK, LABELS, all_rows, heard, make_target

KNOWLEDGE = Path("knowledge_base")
LANGUAGES = ("zh-CN", "en")
CALLS_SHARE = 3  # one in so many turns of the calls is scored on, beside all replies written to be compared
FAULTS = frozenset({"rude", "blame", "dismiss", "argue", "overpromise", "disclose", "off_topic"})
TARGETS = (*DIMENSIONS, "fact_due")
FOLDS = 5  # of contexts and calls, each read by models that have seen the others
FITTING = ("fit.", "off.", "care.specific", "care.formula")  # features by which strangers are told, and nothing else
STRANGE_BY = (*FITTING, "told.", "claims.", "heard.", "care", "length", "no.", "yes.", "evidence")
SPARED = 0.01  # share of good replies that may be taken for strangers
FLAGGED = 0.2  # share of the scores, those most likely wrong, about which a trainer should be asked


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stands for the models where what they say is known already."""

    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    values: np.ndarray

    def outputs(self, heard: str, texts: Sequence[str], language: str) -> np.ndarray:
        return np.repeat(self.values[None], len(texts), axis=0)


def encoded_unseen(rows: Sequence[GradedReply]) -> np.ndarray:
    """What encoders say of rows that they have not seen: (rows, labels).

    Rows that came after the encoder was trained are unseen by the shipped one. Raises SystemExit when
    `roleplay.training.reader` has not been run here.
    """
    if not (HELD_BACK / "outputs.npy").is_file():
        raise SystemExit(f"{HELD_BACK} holds nothing: run roleplay.training.reader first")
    known = dict(
        zip(json.loads((HELD_BACK / "ids.json").read_text("utf-8")), np.load(HELD_BACK / "outputs.npy"), strict=True)
    )
    encoder = ReplyEncoder()
    return np.stack([
        known[row.id] if row.id in known else encoder.outputs(heard(row), [row.exchange.reply])[0] for row in rows
    ])  # fmt: skip


def text_matrix(rows: Sequence[GradedReply], rare: np.ndarray) -> csr_matrix:
    """The columns of `NgramModel` for every row: (rows, WIDTH)."""
    filled = [columns(row.exchange.reply, heard(row), rare) for row in rows]
    lines = np.repeat(np.arange(len(rows)), [len(one) for one in filled])
    places = np.concatenate([np.fromiter(one.keys(), np.int64, len(one)) for one in filled])
    values = np.concatenate([np.fromiter(one.values(), np.float32, len(one)) for one in filled])
    return csr_matrix((values, (lines, places)), shape=(len(rows), WIDTH))


def weight_of(rows: Sequence[GradedReply]) -> np.ndarray:
    """Replies written to be compared count three times a turn of a call: their scores were set side by side."""
    return np.array([3.0 if row.exchange.stage else 1.0 for row in rows])


def fit_ngrams(rows: Sequence[GradedReply], matrix: csr_matrix, rare: np.ndarray, chosen: np.ndarray) -> NgramModel:
    """Ridge regressions: scores in points, yes-or-no labels on -1/+1, stretched to log-odds."""
    target = make_target(rows)
    chinese = np.array([row.exchange.language == "zh-CN" for row in rows])
    weight = weight_of(rows)
    weights, bias = np.zeros((WIDTH, len(LABELS)), np.float32), np.zeros((2, len(LABELS)), np.float32)
    for place, spoken in enumerate((chinese, ~chinese)):
        lines = np.flatnonzero(chosen & spoken)
        for column, label in enumerate(LABELS):
            known = lines[target.known[lines, column] > 0]
            score = label.startswith("score:")
            wanted = 3 + 2 * target.values[known, column] if score else 2 * target.values[known, column] - 1
            ridge = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-3).fit(
                matrix[known], wanted, sample_weight=weight[known]
            )
            stretch = 1.0 if score else 4.0
            weights[:, column] += stretch * ridge.coef_
            bias[place, column] = stretch * ridge.intercept_
    return NgramModel(LABELS, weights, bias, rare)


def ngram_outputs(model: NgramModel, rows: Sequence[GradedReply], matrix: csr_matrix) -> np.ndarray:
    place = np.array([0 if row.exchange.language == "zh-CN" else 1 for row in rows])
    return matrix @ model.weights + model.bias[place]


def unseen_ngrams(rows: Sequence[GradedReply], matrix: csr_matrix, rare: np.ndarray) -> np.ndarray:
    """What linear models say of rows that they have not seen: (rows, labels). They learn nothing from misfits."""
    outputs = np.zeros((len(rows), len(LABELS)), np.float32)
    real = np.array([not row.id.startswith(MARK) for row in rows])
    for seen, unseen in GroupKFold(FOLDS).split(rows, groups=[row.group for row in rows]):
        chosen = np.zeros(len(rows), bool)
        chosen[seen] = True
        chosen &= real
        model = fit_ngrams(rows, matrix, rare, chosen)
        outputs[unseen] = ngram_outputs(model, [rows[i] for i in unseen], matrix[unseen])
    return outputs


def choose_thresholds(values: np.ndarray, rows: Sequence[GradedReply]) -> dict[str, float]:
    """For each move the probability from which it counts, on replies that the models have not seen.

    By F1; for faults by F0.5, for a fault that was not made costs the trainee points.
    """
    found = {}
    for column, move in enumerate(MOVES):
        truth = np.array([move in row.moves for row in rows])
        grid = np.arange(0.12, 0.8, 0.02)
        beta = 0.5 if move in FAULTS else 1.0
        scores = [fbeta_score(truth, values[:, column] >= level, beta=beta, zero_division=0) for level in grid]
        found[move] = round(float(grid[int(np.argmax(scores))]), 2)
    return found


def fit_column(
    table: np.ndarray, standard: np.ndarray, wanted: np.ndarray, weight: np.ndarray, groups: list[str]
) -> tuple[Column, list[Opinion]]:
    """Ridge and trees, then the linear map that gives unseen rows the raters' mean and spread.

    Beside the column what its like say of the rows when they have not seen them.
    """

    def both(lines: np.ndarray) -> tuple[Ridge, HistGradientBoostingRegressor]:
        ridge = Ridge(alpha=100.0).fit(standard[lines], wanted[lines], sample_weight=weight[lines])
        trees = HistGradientBoostingRegressor(
            max_iter=160, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=5, random_state=0
        )
        return ridge, trees.fit(table[lines], wanted[lines], sample_weight=weight[lines])

    ridge, trees = both(np.arange(len(wanted)))
    unseen = np.zeros((2, len(wanted)))
    for seen, rest in GroupKFold(FOLDS).split(table, groups=groups):
        part = both(seen)
        unseen[:, rest] = part[0].predict(standard[rest]), part[1].predict(table[rest])
    weight = np.where(weight > 1, 1.0, 0.0)  # the spread is that of replies whose scores were set side by side
    mean, spread = np.average(unseen.mean(0), weights=weight), _spread(unseen.mean(0), weight)
    slope = _spread(wanted, weight) / spread
    shift = np.average(wanted, weights=weight) - slope * mean
    column = Column(ridge.coef_, float(ridge.intercept_), plain_trees(trees), float(slope), float(shift))
    linear, grown = slope * unseen + shift
    parts = zip((linear + grown) / 2, linear, grown, odd(standard), strict=True)
    return column, [Opinion(*map(float, part)) for part in parts]


def fit_doubt(name: str, table: np.ndarray, right: np.ndarray, near: np.ndarray, groups: list[str]) -> Doubt:
    """How likely a score is the raters' own, by its signs (rows, SIGNS); prints what becomes of those in doubt.

    `right` and `near` say whether a score of a reply that the models had not seen was the raters', or within a
    point of it.
    """

    def model(lines: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=1.0, max_iter=1000).fit(table[lines], right[lines])

    chance = np.zeros(len(right))
    for seen, rest in GroupKFold(FOLDS).split(table, groups=groups):
        chance[rest] = model(seen).predict_proba(table[rest])[:, 1]
    bar = float(np.quantile(chance, FLAGGED))
    low = chance < bar
    print(
        f"{name}: exact {right.mean():.3f}, unsure (below {bar:.2f}) {right[low].mean():.3f}, else {right[~low].mean():.3f}; "
        f"within one {near[low].mean():.3f}, else {near[~low].mean():.3f}",
        flush=True,
    )
    whole = model(np.arange(len(right)))
    return Doubt(tuple(map(float, whole.coef_[0])), float(whole.intercept_[0]), bar)


def _spread(values: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sqrt(np.average((values - np.average(values, weights=weight)) ** 2, weights=weight)))


def plain_trees(model: HistGradientBoostingRegressor) -> Trees:
    """The trees of scikit-learn's model as flat arrays."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    roots, count, depth = [], 0, 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        own = np.arange(len(nodes)) + count
        leaf = nodes["is_leaf"].astype(bool)
        roots.append(count)
        parts["feature"].append(np.where(leaf, 0, nodes["feature_idx"]).astype(np.int32))
        parts["threshold"].append(np.where(leaf, 0, nodes["num_threshold"]).astype(np.float64))
        parts["left"].append(np.where(leaf, own, nodes["left"].astype(np.int64) + count).astype(np.int32))
        parts["right"].append(np.where(leaf, own, nodes["right"].astype(np.int64) + count).astype(np.int32))
        parts["value"].append(np.where(leaf, nodes["value"], 0).astype(np.float64))
        count += len(nodes)
        depth = max(depth, int(nodes["depth"].max()))
    arrays = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    return Trees(float(model._baseline_prediction.ravel()[0]), np.array(roots, np.int32), depth=depth, **arrays)


def fit_scorer(
    rows: Sequence[GradedReply], found: Sequence[Mapping[str, float]], tops: Sequence[Mapping[Dimension, float]]
) -> Scorer:
    """The small model; prints how well its like agree with the raters on replies that they have not seen.

    `found` are the features of each row, `tops` the ceilings that the exact checks put on its scores.
    """
    names = sorted({name for one in found for name in one})
    table = np.array([[one.get(name, 0.0) for name in names] for one in found])
    mean, scale = table.mean(0), table.std(0) + 1e-6
    standard = (table - mean) / scale
    strangers = {language: fit_stranger(language, rows, names, standard) for language in LANGUAGES}
    apart = np.array([name.startswith(FITTING) for name in names])
    table, standard = np.where(apart, 0.0, table), np.where(apart, 0.0, standard)  # no score is learnt from these
    fitted, doubts = {}, {}
    for language in LANGUAGES:
        for target in TARGETS:
            lines = np.array([
                i for i, row in enumerate(rows)
                if not row.id.startswith(MARK) and _wanted(row, language, target) is not None
            ])  # fmt: skip
            wanted = np.array([_wanted(rows[i], language, target) for i in lines], float)
            weight, groups = weight_of([rows[i] for i in lines]), [rows[i].group for i in lines]
            name = f"{language} {target}"
            fitted[name], unseen = fit_column(table[lines], standard[lines], wanted, weight, groups)
            if target not in DIMENSIONS:
                continue
            side = np.flatnonzero(weight > 1)  # those whose scores were set side by side
            said = [(unseen[i], found[lines[i]], tops[lines[i]][target]) for i in side]
            given = np.clip(np.floor([min(one.value, top) + 0.5 for one, _, top in said]), 1, 5)
            report(name, wanted[side], given)
            seen = np.array([signs(o, o.value, top, f[f"estimate.{target}"], f["length"]) for o, f, top in said])
            gap = np.abs(given - wanted[side])
            doubts[name] = fit_doubt(name, seen, gap < 0.5, gap < 1.5, [groups[i] for i in side])
    return Scorer(names, mean, scale, fitted, doubts, strangers)


def fit_stranger(language: str, rows: Sequence[GradedReply], names: Sequence[str], standard: np.ndarray) -> Stranger:
    """What tells a reply of another call from one that fits; prints how many it finds on unseen contexts.

    The bar is where it takes for strangers SPARED of the replies whose empathy raters gave a 4 or 5.
    """
    lines = np.array([
        i for i, row in enumerate(rows)
        if row.exchange.language == language and row.exchange.stage and row.exchange.context
    ])  # fmt: skip
    used = np.array([name.startswith(STRANGE_BY) for name in names])
    table, groups = standard[lines][:, used], [rows[i].group for i in lines]
    truth = np.array([rows[i].id.startswith(MARK) for i in lines])
    good = np.array([(rows[i].scores.get("empathy") or 0) >= 4 for i in lines])

    def model(own: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=0.05, max_iter=1000).fit(table[own], truth[own])

    chance = np.zeros(len(lines))
    for seen, rest in GroupKFold(FOLDS).split(table, groups=groups):
        chance[rest] = model(seen).predict_proba(table[rest])[:, 1]
    bar = float(np.quantile(chance[good], 1 - SPARED))
    print(
        f"{language} strangers: {np.mean(chance[truth] >= bar):.2f} found, {np.mean(chance[~truth] >= bar):.3f} wrongly"
    )
    whole = model(np.arange(len(lines)))
    weights = np.zeros(len(names))
    weights[used] = whole.coef_[0]
    return Stranger(weights, float(whole.intercept_[0]), bar)


def _wanted(row: GradedReply, language: str, target: str) -> float | None:
    if row.exchange.language != language:
        return None
    if target == "fact_due":
        return float(row.scores.get("accuracy") is not None)
    return row.scores.get(target)  # type: ignore[call-overload]


def save_pairs(folder: Path) -> None:
    """Which pairs of Chinese characters occur in the texts that may be learnt from, and in the knowledge base."""
    calls = [call for call in load_calls() if split_of(call.id) == "train"]
    texts = [turn.text for call in calls for turn in call.turns] + [text for call in calls for text in call.evidence]
    texts += [row.exchange.reply for row in load_replies() if split_of(row.group) == "train"]
    texts += [path.read_text("utf-8") for path in sorted(KNOWLEDGE.glob("*.yaml"))]
    (folder / "pairs.bin").write_bytes(table_of(texts))


def report(name: str, truth: np.ndarray, said: np.ndarray) -> None:
    figures = agreement(truth.tolist(), said.tolist())
    print(f"{name}: n {figures.n}, qwk {figures.qwk:.3f} ({figures.low:.2f} to {figures.high:.2f})", flush=True)


def main(folder: Path = BUNDLED) -> None:
    """Fit and save everything; print how well it agrees with the raters on replies that were left out."""
    real = all_rows()
    rows = [*real, *misfits(real)]
    save_pairs(folder)
    rare = rarity((row.exchange.reply, heard(row)) for row in real)
    matrix = text_matrix(rows, rare)
    model = fit_ngrams(rows, matrix, rare, np.arange(len(rows)) < len(real))
    tensors = {"weights": model.weights.astype(np.float16), "bias": model.bias, "rare": rare}
    save_file(tensors, str(folder / "ngrams.safetensors"), {"labels": " ".join(LABELS)})
    values = blend(encoded_unseen(rows), unseen_ngrams(rows, matrix, rare), LABELS)
    thresholds = choose_thresholds(values[: len(real)], real)
    (folder / "thresholds.json").write_text(json.dumps(thresholds, indent=1) + "\n", "utf-8")
    standards = load_standards()
    used = [i for i, row in enumerate(rows) if row.exchange.stage or i % CALLS_SHARE == 0]
    rows, values = [rows[i] for i in used], values[used]
    found, tops = [], []
    for row, value in zip(rows, values, strict=True):
        reading = Reader(Recorded(LABELS, thresholds, value), None, standards).read(row.exchange)
        found.append(grader_features(row.exchange, reading, standards.rules))
        tops.append(ceiling(row.exchange, reading, standards.rules))
    fit_scorer(rows, found, tops).save(folder / "grader.safetensors")


if __name__ == "__main__":
    typer.run(main)
