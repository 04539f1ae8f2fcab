"""The small model that scores replies: fitted to features and raters' scores, with how sure it is of each.

`roleplay.training.grader` makes what it learns from and keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.linalg import solve
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from roleplay.agreement import agreement
from roleplay.confidence import Doubt, Opinion, signs
from roleplay.graded import GradedReply
from roleplay.models.scorer import EDGE, SHARES, Column, Examples, Scorer, Stranger, Trees, odd, squared_distances
from roleplay.rubric import DIMENSIONS, Dimension
from roleplay.training.misfits import MARK

LANGUAGES = ("zh-CN", "en")
TARGETS = (*DIMENSIONS, "fact_due")
FOLDS = 5  # of contexts and calls, each read by models that have seen the others
FITTING = ("fit.", "off.", "care.specific", "care.formula")  # features by which strangers are told, and nothing else
STRANGE_BY = (*FITTING, "told.", "claims.", "heard.", "care", "length", "no.", "yes.", "evidence")
SPARED = 0.01  # share of good replies that may be taken for strangers
FLAGGED = 0.2  # share of the scores, those most likely wrong, about which a trainer should be asked


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
    fitted, doubts, examples = {}, {}, {}
    for language in LANGUAGES:
        real = [i for i, row in enumerate(rows) if row.exchange.language == language and not row.id.startswith(MARK)]
        examples[language] = make_examples(standard[real])
        for target in TARGETS:
            name = f"{language} {target}"
            wanted = {place: value for place, i in enumerate(real) if (value := _wanted(rows[i], target)) is not None}
            places = np.array(list(wanted))
            lines = np.array(real)[places]
            scores, own = np.array(list(wanted.values()), float), [rows[i] for i in lines]
            likeness = examples[language].alike(standard[lines])[:, places]
            column, unseen = fit_column(table[lines], standard[lines], likeness, scores, own)
            shares = np.zeros(len(real), np.float32)
            shares[places] = column.shares
            fitted[name] = replace(column, shares=shares)
            if target in DIMENSIONS:
                side = [i for i, row in enumerate(own) if row.exchange.stage]  # their scores were set side by side
                said = [(unseen[i], found[lines[i]], tops[lines[i]][target]) for i in side]
                doubts[name] = judge_unseen(name, target, said, scores[side], [own[i].group for i in side])
    return Scorer(names, mean, scale, fitted, examples, doubts, strangers)


def judge_unseen(
    name: str,
    target: Dimension,
    said: Sequence[tuple[Opinion, Mapping[str, float], float]],
    wanted: np.ndarray,
    groups: Sequence[str],
) -> Doubt:
    """Prints how far scores agree with the raters', and learns when they do not.

    `said` holds of each reply what models think that have not seen it, its features, and its ceiling.
    """
    given = np.clip(np.floor([min(one.value, top) + 0.5 for one, _, top in said]), 1, 5)
    figures = agreement(wanted.tolist(), given.tolist())
    print(f"{name}: n {figures.n}, qwk {figures.qwk:.3f} ({figures.low:.2f} to {figures.high:.2f})", flush=True)
    seen = np.array([signs(o, o.value, top, f[f"estimate.{target}"], f["length"]) for o, f, top in said])
    gap = np.abs(given - wanted)
    return fit_doubt(name, seen, gap <= 0.5, gap <= 1.5, groups)


def make_examples(standard: np.ndarray) -> Examples:
    """Their features as they are kept; as wide as the middle one of their distances."""
    rows = np.clip(standard, -EDGE, EDGE).astype(np.float16).astype(np.float64)  # as exact as they are kept
    some = rows[:: max(1, len(rows) // 1000)]
    return Examples(rows, float(np.median(squared_distances(some, some))))


def fit_column(
    table: np.ndarray, standard: np.ndarray, likeness: np.ndarray, wanted: np.ndarray, rows: Sequence[GradedReply]
) -> tuple[Column, list[Opinion]]:
    """Ridge, trees and examples, then the linear map that gives unseen rows the raters' mean and spread.

    `likeness` is (rows, rows). Beside the column what its like say of the rows when they have not seen them.
    """
    weight, groups = weight_of(rows), [row.group for row in rows]

    def all_three(lines: np.ndarray) -> tuple[Ridge, HistGradientBoostingRegressor, np.ndarray, float]:
        ridge = Ridge(alpha=100.0).fit(standard[lines], wanted[lines], sample_weight=weight[lines])
        trees = HistGradientBoostingRegressor(
            max_iter=160, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=5, random_state=0
        ).fit(table[lines], wanted[lines], sample_weight=weight[lines])
        level = float(np.average(wanted[lines], weights=weight[lines]))
        own = likeness[np.ix_(lines, lines)] + np.diag(1 / weight[lines])
        return ridge, trees, solve(own, wanted[lines] - level, assume_a="pos"), level

    everything = np.arange(len(wanted))
    ridge, trees, shares, level = all_three(everything)
    unseen = np.zeros((3, len(wanted)))
    for seen, rest in GroupKFold(FOLDS).split(table, groups=groups):
        part, grown, near, middle = all_three(seen)
        unseen[:, rest] = (
            part.predict(standard[rest]), grown.predict(table[rest]), likeness[np.ix_(rest, seen)] @ near + middle
        )  # fmt: skip
    side = np.where(weight > 1, 1.0, 0.0)  # the spread is that of replies whose scores were set side by side
    mean = np.average(unseen, axis=0, weights=SHARES)
    slope = _spread(wanted, side) / _spread(mean, side)
    shift = np.average(wanted, weights=side) - slope * np.average(mean, weights=side)
    column = Column(ridge.coef_, float(ridge.intercept_), plain_trees(trees), shares, level, float(slope), float(shift))
    parts = zip(slope * mean + shift, *(slope * unseen[:2] + shift), odd(standard), strict=True)
    return column, [Opinion(*map(float, part)) for part in parts]


def fit_doubt(name: str, table: np.ndarray, right: np.ndarray, near: np.ndarray, groups: Sequence[str]) -> Doubt:
    """How likely a score is the raters' own, by its signs (rows, SIGNS); prints what becomes of those in doubt.

    `right` and `near` say whether a score of a reply that the models had not seen was the raters', or within a
    point of it.
    """
    whole, chance = fit_chance(table, right, groups, 1.0)
    bar = float(np.quantile(chance, FLAGGED))
    low = chance < bar
    print(
        f"{name}: exact {right.mean():.3f}, unsure (below {bar:.2f}) {right[low].mean():.3f}, else {right[~low].mean():.3f}; "
        f"within one {near[low].mean():.3f}, else {near[~low].mean():.3f}",
        flush=True,
    )
    return Doubt(tuple(map(float, whole.coef_[0])), float(whole.intercept_[0]), bar)


def fit_chance(
    table: np.ndarray, truth: np.ndarray, groups: Sequence[str], strength: float
) -> tuple[LogisticRegression, np.ndarray]:
    """A regression of yes or no on the rows of `table`, and what its like say of rows that they have not seen: (rows,)."""

    def model(lines: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=strength, max_iter=1000).fit(table[lines], truth[lines])

    chance = np.zeros(len(truth))
    for seen, rest in GroupKFold(FOLDS).split(table, groups=groups):
        chance[rest] = model(seen).predict_proba(table[rest])[:, 1]
    return model(np.arange(len(truth))), chance


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
    whole, chance = fit_chance(table, truth, groups, 0.05)
    bar = float(np.quantile(chance[good], 1 - SPARED))
    print(
        f"{language} strangers: {np.mean(chance[truth] >= bar):.2f} found, {np.mean(chance[~truth] >= bar):.3f} wrongly"
    )
    weights = np.zeros(len(names))
    weights[used] = whole.coef_[0]
    return Stranger(weights, float(whole.intercept_[0]), bar)


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


def _spread(values: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sqrt(np.average((values - np.average(values, weights=weight)) ** 2, weights=weight)))


def weight_of(rows: Sequence[GradedReply]) -> np.ndarray:
    """Replies written to be compared count three times a turn of a call: their scores were set side by side."""
    return np.array([3.0 if row.exchange.stage else 1.0 for row in rows])


def _wanted(row: GradedReply, target: str) -> float | None:
    if target == "fact_due":
        return float(row.scores.get("accuracy") is not None)
    return row.scores.get(target)  # type: ignore[call-overload]
