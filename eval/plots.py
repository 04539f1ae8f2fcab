"""Pictures for reports, as SVG by hand: they open offline, can be searched, and follow light and dark.

Colours are classes, whose meaning the report's template knows. Every text is escaped here. `say` gives the reader's
word for a name; names that are data stand for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

Say = Callable[[str], str]
WIDTH = 560
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40  # margins of the curves


def confusion(counts: Sequence[Sequence[int]], rows: Sequence[str], columns: Sequence[str], say: Say) -> str:
    """A table of counts, each cell as strong as its share of its row; `rows` are the truth."""
    size, left, top = 46, 96, 34
    parts = [_text(left + (at + 0.5) * size, top - 10, say(name), "middle") for at, name in enumerate(columns)]
    for down, (name, row) in enumerate(zip(rows, counts, strict=True)):
        y = top + down * size
        parts.append(_text(left - 8, y + size / 2 + 4, say(name), "end"))
        for across, count in enumerate(row):
            x, share = left + across * size, count / (sum(row) or 1)
            parts.append(f'<rect class="one" x="{x}" y="{y}" width="{size - 2}" height="{size - 2}"'
                         f' fill-opacity="{0.06 + 0.7 * share:.2f}"/>')  # fmt: skip
            parts.append(_text(x + size / 2 - 1, y + size / 2 + 4, str(count), "middle"))
    return _svg(left + size * len(columns) + 8, top + size * len(rows) + 6, parts)


def bars(
    rows: Sequence[tuple[tuple[str, ...], float | None, float | None, float | None]],
    lowest: float,
    highest: float,
    say: Say,
) -> str:
    """Horizontal bars of (names, value, low, high), the interval as a line; a missing value says so."""
    left, height, parts = 190, 24, []
    scale = (WIDTH - left - 60) / ((highest - lowest) or 1)
    zero = left + (max(lowest, 0) - lowest) * scale if lowest > 0 else left - lowest * scale
    for down, (names, value, low, high) in enumerate(rows):
        y = down * height + 4
        parts.append(_text(left - 8, y + 13, " ".join(map(say, names)), "end"))
        if value is None:
            parts.append(_text(left + 4, y + 13, say("not_measured"), "start"))
            continue
        end = left + (min(max(value, lowest), highest) - lowest) * scale
        parts.append(f'<rect class="one" x="{min(zero, end):.1f}" y="{y}" width="{abs(end - zero):.1f}" height="16"/>')
        if low is not None and high is not None:
            ends = [left + (min(max(each, lowest), highest) - lowest) * scale for each in (low, high)]
            parts.append(f'<path class="axis" d="M{ends[0]:.1f} {y + 8}H{ends[1]:.1f}"/>')
        parts.append(_text(WIDTH - 4, y + 13, f"{value:.3g}", "end"))
    return _svg(WIDTH, len(rows) * height + 8, parts)


def curves(
    series: Mapping[str, Sequence[tuple[float, float]]],
    xs: tuple[float, float],
    ys: tuple[float, float],
    labels: tuple[str, str],
    say: Say,
    diagonal: bool = False,
) -> str:
    """Lines through points (x, y) within the ranges; `labels` name the axes. `diagonal` draws x = y."""
    height = 280

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - xs[0]) / ((xs[1] - xs[0]) or 1)
        up = (y - ys[0]) / ((ys[1] - ys[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT - 110), height - BOTTOM - up * (height - TOP - BOTTOM)

    right, top = place(xs[1], ys[1])
    parts = [f'<path class="axis" d="M{LEFT} {top:.1f}V{height - BOTTOM}H{right:.1f}"/>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = xs[0] + share * (xs[1] - xs[0]), ys[0] + share * (ys[1] - ys[0])
        parts.append(_text(LEFT - 6, place(x, y)[1] + 4, f"{y:.3g}", "end"))
        parts.append(_text(place(x, y)[0], height - BOTTOM + 16, f"{x:.3g}", "middle"))
    parts.append(_text((LEFT + right) / 2, height - 6, say(labels[0]), "middle"))
    parts.append(_text(LEFT + 6, top + 4, say(labels[1]), "start"))
    if diagonal:
        (x0, y0), (x1, y1) = place(xs[0], ys[0]), place(xs[1], ys[1])
        parts.append(f'<path class="grid" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>')
    for number, (name, points) in enumerate(series.items()):
        style = f"line c{number % 6}"
        where = [place(x, y) for x, y in points]
        parts.append(f'<path class="{style}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in where)}"/>' if where else "")
        parts += [f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in where]
        y = TOP + 18 * number + 8
        parts.append(f'<path class="{style}" d="M{right + 10:.1f} {y}h14"/>')
        parts.append(_text(right + 28, y + 4, say(name), "start"))
    return _svg(WIDTH, height, parts)


def histogram(values: Sequence[float], lowest: float, highest: float, label: str, say: Say, bins: int = 10) -> str:
    """How often values fall into equal parts of the range."""
    height, step = 200, ((highest - lowest) or 1) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int((value - lowest) / step)))] += 1
    wide, most = (WIDTH - LEFT - RIGHT) / bins, max([*counts, 1])
    parts = [f'<path class="axis" d="M{LEFT} {height - BOTTOM}H{WIDTH - RIGHT}"/>']
    for at, count in enumerate(counts):
        tall = count / most * (height - BOTTOM - 24)
        x, y = LEFT + at * wide, height - BOTTOM - tall
        parts.append(f'<rect class="one" x="{x + 1:.1f}" y="{y:.1f}" width="{wide - 2:.1f}" height="{tall:.1f}"/>')
        if count:
            parts.append(_text(x + wide / 2, y - 4, str(count), "middle"))
        parts.append(_text(x, height - BOTTOM + 16, f"{lowest + at * step:.3g}", "middle"))
    parts.append(_text(WIDTH - RIGHT, height - BOTTOM + 16, f"{highest:.3g}", "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 6, say(label), "middle"))
    return _svg(WIDTH, height, parts)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="width:{width:.0f}px" role="img">{"".join(parts)}</svg>'
    )
