"""Drawn portraits: an SVG face from a persona's id, age and gender, with the mood on it.

The same persona always looks the same; no photograph, no file.
"""

from __future__ import annotations

import random

from markupsafe import Markup

from roleplay.dialogue import Feeling
from roleplay.persona import Persona

GROUNDS = ("#cfe8e3", "#d9e2f3", "#f3e3cf", "#e6dcef", "#dcebd2", "#f2dcdc", "#d4e7ef")
SKINS = ("#f2cfb0", "#eabf98", "#f6dcc3", "#dca97f", "#c68d63")
HAIRS = ("#2b2523", "#3d2c24", "#4a3527", "#1f2430")
GREYS = ("#8d8a88", "#b7b3af", "#6f6b69")
CLOTHES = ("#2f6f73", "#4a5d8f", "#8f4a4a", "#6b7a3a", "#7a5a8c", "#3f4a5a", "#b07a2f")
LONG = (
    '<path d="M22 52 Q20 20 50 19 Q80 20 78 52 L80 82 Q66 88 50 86 Q34 88 20 82 Z" fill="{hair}"/>',
    '<path d="M24 50 Q22 20 50 20 Q78 20 76 50 L77 66 Q66 74 50 72 Q34 74 23 66 Z" fill="{hair}"/>',
    '<circle cx="50" cy="17" r="10" fill="{hair}"/><path d="M25 48 Q24 21 50 21 Q76 21 75 48 Z" fill="{hair}"/>',
)
FRINGES = (
    '<path d="M28 45 Q30 25 52 26 Q72 26 72 45 Q60 38 54 31 Q44 41 28 45 Z" fill="{hair}"/>',
    '<path d="M28 43 Q32 24 50 25 Q68 24 72 43 Q61 34 50 34 Q39 34 28 43 Z" fill="{hair}"/>',
)
SHORT = (
    '<path d="M27 46 Q23 20 50 19 Q77 20 73 46 Q70 33 60 31 Q46 34 34 31 Q29 35 27 46 Z" fill="{hair}"/>',
    '<path d="M27 45 Q25 18 54 19 Q78 22 73 46 Q72 36 66 32 Q52 36 40 28 Q30 33 27 45 Z" fill="{hair}"/>',
    '<path d="M28 42 Q30 22 50 22 Q70 22 72 42 Q66 29 50 29 Q34 29 28 42 Z" fill="{hair}"/>',
)
GLASSES = (
    '<g fill="none" stroke="#444b55" stroke-width="1.6"><circle cx="41" cy="50" r="6.5"/>'
    '<circle cx="59" cy="50" r="6.5"/><path d="M47.5 50 h5"/></g>'
)


def portrait(persona: Persona, feeling: Feeling | None = None) -> Markup:
    """An SVG of 100 by 100 units; hidden from screen readers, since the name stands beside it."""
    rng = random.Random(persona.id)
    old = persona.who.age >= 58
    ground, skin, cloth = rng.choice(GROUNDS), rng.choice(SKINS), rng.choice(CLOTHES)
    hair = rng.choice(GREYS if old else HAIRS)
    female = persona.who.gender == "female"
    behind = rng.choice(LONG) if female else ""
    front = rng.choice(FRINGES if female else SHORT)
    glasses = GLASSES if rng.random() < (0.6 if old else 0.2) else ""
    lines = '<path d="M35 57 q-2 3 -1 6 M65 57 q2 3 1 6" stroke="#00000030" fill="none"/>' if old else ""
    return Markup(
        '<svg class="portrait" viewBox="0 0 100 100" aria-hidden="true" focusable="false">'
        f'<rect width="100" height="100" rx="50" fill="{ground}"/>'
        f"{behind.format(hair=hair)}"
        f'<path d="M14 100 Q16 76 40 73 L60 73 Q84 76 86 100 Z" fill="{cloth}"/>'
        f'<path d="M42 64 h16 v9 q-8 8 -16 0 Z" fill="{skin}" style="filter:brightness(.92)"/>'
        f'<ellipse cx="50" cy="50" rx="22" ry="25" fill="{skin}"/>'
        f"{front.format(hair=hair)}{_face(feeling or Feeling(0, 0, 2))}{glasses}{lines}</svg>"
    )


def _face(feeling: Feeling) -> str:
    """Eyes, brows and mouth: brows sink with anger and part with confusion, the mouth follows trust less anger."""
    slant = 1.1 * feeling.anger
    lift = 1.2 * feeling.confusion
    bend = 2.2 * (feeling.trust - 1.2) - 1.6 * feeling.anger
    bend = max(-6.0, min(6.0, bend))
    return (
        '<g fill="#2a2624"><circle cx="41" cy="51" r="2.3"/><circle cx="59" cy="51" r="2.3"/></g>'
        '<g fill="none" stroke="#2a2624" stroke-width="1.9" stroke-linecap="round">'
        f'<path d="M36 {44 - slant:.1f} L46 {44 + slant:.1f}"/>'
        f'<path d="M54 {44 + slant - lift:.1f} L64 {44 - slant - lift:.1f}"/>'
        f'<path d="M43 {64 - bend / 3:.1f} Q50 {64 + bend:.1f} 57 {64 - bend / 3:.1f}"/></g>'
        '<path d="M50 53 q-2 4 1 5" fill="none" stroke="#00000040" stroke-width="1.3"/>'
    )
