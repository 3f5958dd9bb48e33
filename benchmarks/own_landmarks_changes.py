"""What training changes in a drawn picture, anew in every pass: room, cloth, light, hair, hats, hands, lens, codec.

`benchmarks/own_landmarks_fit.py` uses it. All of it is in grey, in the patch that the network sees, by the layers that
`maskgen.people.varied.layered` gives.

Source: Tobin et al., Domain randomization for transferring deep neural networks from simulation to the real world,
2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from maskgen.faces.landmarkers.own_parts import CANVAS as SIDE

TEXTURES, CLOUDS, WIDE = 600, 300, 160  # what the store holds, and the sides
PLACES = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)  # y and x of the patch's pixels
DARK_JAW = (*range(3, 14),)  # the jaw's points that a beard follows
INNER = [60, 61, 62, 63, 64, 65, 66, 67]
# What `_marked` does: points, whether they enclose an area, width of the line in eye distances, how often, and how much
# darker it gets, lighter below 0.
MARKS = (
    ([36, 37, 38, 39, 40, 41], True, 0.1, 0.5, 0.1, 0.7),
    ([42, 43, 44, 45, 46, 47], True, 0.1, 0.5, 0.1, 0.7),
    ([36, 37, 38, 39], False, 0.05, 0.4, 0.2, 0.9),
    ([42, 43, 44, 45], False, 0.05, 0.4, 0.2, 0.9),
    ([17, 18, 19, 20, 21], False, 0.12, 0.4, -0.3, 0.7),
    ([22, 23, 24, 25, 26], False, 0.12, 0.4, -0.3, 0.7),
    ([31, 32, 33, 34, 35], False, 0.07, 0.5, 0.1, 0.7),
    ([29, 30], False, 0.16, 0.3, -0.5, -0.05),
    ([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59], True, 0.0, 0.5, -0.35, 0.5),
    (INNER, True, 0.02, 0.3, 0.1, 0.9),
    (INNER, True, 0.0, 0.35, -0.95, -0.3),
    ([60, 61, 62, 63, 64], False, 0.03, 0.3, 0.2, 0.8),
)


@dataclass(frozen=True, slots=True)
class Patch:
    """A face as it is cut: grey 0..1 (SIDE, SIDE), shares 0..1 of skin, clothes and hair, x and y of the normals,
    the 68 points in its pixels and which of them are seen."""

    grey: np.ndarray
    skin: np.ndarray
    cloth: np.ndarray
    hair: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, slots=True)
class Store:
    """Pictures of nothing, float32 (n, WIDE, WIDE): textures 0..1, and fields about 0 of deviation about 1."""

    textures: np.ndarray
    clouds: np.ndarray

    @classmethod
    def of(cls, rng: np.random.Generator) -> Store:
        """Draw them."""
        fields = [_clouds(rng, WIDE, rng.uniform(0.4, 1.1)) for _ in range(CLOUDS)]
        return cls(np.stack([_texture(rng) for _ in range(TEXTURES)]), np.stack(fields))

    def cloud(self, rng: np.random.Generator) -> np.ndarray:
        """A part of a field, (SIDE, SIDE)."""
        x, y = rng.integers(0, WIDE - SIDE, 2)
        return self.clouds[int(rng.integers(CLOUDS)), y : y + SIDE, x : x + SIDE]


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Clouds of a random roughness, over them shapes with hard edges, at times stripes."""
    out = 0.5 + _clouds(rng, WIDE, rng.uniform(0.4, 1.0)) * rng.uniform(0.02, 0.3)
    for _ in range(int(rng.integers(0, 16))):
        level, middle, size = float(rng.uniform(0, 1)), rng.uniform(0, WIDE, 2), rng.uniform(0.03, 0.5, 2) * WIDE
        box = (tuple(map(float, middle)), tuple(map(float, size)), float(rng.uniform(0, 180)))
        if rng.random() < 0.5:
            cv2.ellipse(out, box, level, -1, cv2.LINE_AA)
        else:
            cv2.fillConvexPoly(out, np.int32(cv2.boxPoints(box)), level, cv2.LINE_AA)
    if rng.random() < 0.3:
        y, x = np.mgrid[0:WIDE, 0:WIDE].astype(np.float32)
        angle, step = rng.uniform(0, np.pi), rng.uniform(3, 25)
        out += np.float32(rng.uniform(0.05, 0.3)) * np.sign(np.sin((x * np.cos(angle) + y * np.sin(angle)) / step * 6))
    if rng.random() < 0.6:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.5, 6)))
    return np.clip(out + rng.normal(0, 0.02) + _clouds(rng, WIDE, 0.9) * 0.03, 0, 1).astype(np.float32)


def _clouds(rng: np.random.Generator, side: int, rough: float) -> np.ndarray:
    """A field about 0 of deviation about 1, each octave `rough` as strong as the coarser one, float32 (side, side)."""
    out, strength, total = np.zeros((side, side), np.float32), 1.0, 0.0
    for nodes in (3, 6, 12, 24, 48):
        field = rng.standard_normal((nodes, nodes), np.float32) * np.float32(strength)
        out += cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
        total += strength * strength
        strength *= rough
    return out / np.float32(np.sqrt(total))


def piece(store: Store, rng: np.random.Generator) -> np.ndarray:
    """A part of a texture at another size, contrast and level, (SIDE, SIDE)."""
    one = store.textures[int(rng.integers(TEXTURES))]
    side = int(rng.integers(40, WIDE))
    x, y = rng.integers(0, WIDE - side, 2)
    part = cv2.resize(one[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return (part - 0.5) * np.float32(rng.uniform(0.3, 1.3)) + np.float32(rng.uniform(0.1, 0.9))


def changed(patch: Patch, store: Store, rng: np.random.Generator, calm: bool = False) -> np.ndarray:
    """The face as another picture may show it, uint8 (SIDE, SIDE); calm ones have nothing before the face."""
    x = _coloured(patch, store, rng)
    x = _marked(x, patch, rng)
    x = _relit(x, patch, store, rng)
    for share, lay in ((0.25, _neck), (0.3, _second_chin), (0.3, _collar)):
        if rng.random() < share:
            x = lay(x, patch, store, rng)
    if calm:
        return photographed(x, store, rng, 0.3)
    for share, lay in ((0.15, _beard), (0.22, _hat), (0.2, _strands), (0.12, _glasses), (0.15, _hand), (0.25, _thing)):
        if rng.random() < share:
            x = lay(x, patch, store, rng)
    return photographed(x, store, rng)


def _coloured(patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Another room, other cloth, lighter or darker hair, a skin with more or less contrast and texture."""
    x = patch.grey
    if rng.random() < 0.5:  # contrast of what is on the skin, about its mean
        mean = (x * patch.skin).sum() / max(float(patch.skin.sum()), 1.0)
        x = x + patch.skin * (x - mean) * np.float32(rng.uniform(-0.4, 0.6))
    if rng.random() < 0.6:
        x = x * (1 + patch.skin * store.cloud(rng) * np.float32(rng.uniform(0, 0.12)))
    if rng.random() < 0.5:
        dark = np.float32(rng.uniform(0.1, 1.2)) * x + np.float32(rng.choice([0.0, rng.uniform(0, 0.5)]))
        x = x + patch.hair * (dark - x)
    if rng.random() < 0.4:
        x = x + patch.cloth * (piece(store, rng) * (0.4 + 0.6 * x) - x)
    if rng.random() < 0.8:
        room = np.clip(1 - patch.skin - patch.cloth - patch.hair, 0, 1)
        x = x + room * (piece(store, rng) - x)
    return x


def _relit(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Darker hollows, one more light from a side, and one broad uneven one."""
    if rng.random() < 0.6:
        x = x * _hollows(patch, rng)
    if rng.random() < 0.5:
        angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.8)
        toward = patch.normals @ np.float32([np.cos(angle), np.sin(angle)])
        x = x * np.maximum(1 + np.float32(strength) * toward, 0.1)
    if rng.random() < 0.3:
        x = x * (1 + np.float32(rng.uniform(0.05, 0.3)) * np.tanh(store.cloud(rng)))
    if rng.random() < 0.3:
        x = x * _slope(rng)
    return x


def _hollows(patch: Patch, rng: np.random.Generator) -> np.ndarray:
    """Less light from around where the surface is hollow, a little more where it stands out."""
    nx, ny = patch.normals[..., 0], patch.normals[..., 1]
    bend = np.gradient(nx, axis=1) + np.gradient(ny, axis=0)
    bend = cv2.GaussianBlur(bend * patch.skin, (0, 0), float(rng.uniform(0.8, 3.0)))
    return np.clip(1 + np.float32(rng.uniform(0.5, 5.0)) * np.minimum(bend, 0.06), 0.15, 1.3)


def _marked(x: np.ndarray, patch: Patch, rng: np.random.Generator) -> np.ndarray:
    """The face's features stronger, weaker or lighter than they were drawn, each by itself, where they are seen."""
    unit, p = float(np.linalg.norm(_axes(patch.points)[2])), patch.points
    for points, closed, wide, share, low, high in MARKS:
        if rng.random() >= share or not patch.seen[points].all():
            continue
        strength = np.float32(rng.uniform(low, high))
        cover = np.zeros((SIDE, SIDE), np.float32)
        line = p[points] + rng.normal(0, 0.012 * unit, 2)
        if closed:
            cover = _polygon(line)
        if wide > 0:
            thick = max(1, round(unit * wide * rng.uniform(0.5, 1.6)))
            cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], closed, 1.0, thick, cv2.LINE_AA, 3)
        cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.4, 0.06 * unit + 0.5)))
        x = x * (1 - strength * cover) if strength > 0 else x - strength * cover * (1 - x)
    return _under_chin(_folds(x, patch, unit, rng), patch, unit, rng)


def _folds(x: np.ndarray, patch: Patch, unit: float, rng: np.random.Generator) -> np.ndarray:
    """The folds from the nose's wings to beside the mouth, dark on one side and light on the other."""
    if rng.random() < 0.5:
        return x
    strength, p = float(rng.uniform(0.05, 0.5)), patch.points
    _, right, _ = _axes(p)
    for wing, corner, side in ((31, 48, -1), (35, 54, 1)):
        if patch.seen[[wing, corner]].all():
            out = right * side * rng.uniform(0.08, 0.2)
            line = np.stack(
                [p[wing] + 0.3 * out, (p[wing] + p[corner]) / 2 + out, p[corner] + out * rng.uniform(0.6, 1.4)]
            )
            cover = np.zeros((SIDE, SIDE), np.float32)
            cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], False, 1.0, 2, cv2.LINE_AA, 3)
            cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 2.0)))
            x = x * (1 - strength * cover) + 0.5 * strength * np.roll(cover, 3 * side, 1) * (1 - x)
    return x


def _under_chin(x: np.ndarray, patch: Patch, unit: float, rng: np.random.Generator) -> np.ndarray:
    """The neck in the shade of the jaw, or as light as the jaw."""
    if rng.random() < 0.5:
        return x
    p = patch.points
    _, _, up = _axes(p)
    low = p[3:14]
    neck = _polygon(np.concatenate([low, low[::-1] - up * rng.uniform(0.3, 1.2)])) * patch.skin
    neck = cv2.GaussianBlur(neck, (0, 0), float(rng.uniform(0.5, 3)))
    return x * (1 - np.float32(rng.uniform(-0.3, 0.75)) * neck)


def _slope(rng: np.random.Generator) -> np.ndarray:
    """The edge of a shadow, hard or soft."""
    x, y = (PLACES[axis] / np.float32(SIDE / 2) - 1 for axis in (1, 0))
    angle, hard = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 12)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(-0.6, 0.6)
    return (1 - rng.uniform(0.2, 0.75) / (1 + np.exp(-hard * across))).astype(np.float32)


def _axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between the eyes, and the vectors of one eye distance to the face's right and up."""
    eyes, mouth = (points[36:42].mean(0) + points[42:48].mean(0)) / 2, points[48:60].mean(0)
    up = (eyes - mouth) * 0.93
    return eyes, np.array([-up[1], up[0]]), up


def _laid(x: np.ndarray, cover: np.ndarray, paint: np.ndarray, soft: float) -> np.ndarray:
    if soft > 0.2:
        cover = cv2.GaussianBlur(cover, (0, 0), soft)
    return x + cover * (paint - x)


def _polygon(corners: np.ndarray) -> np.ndarray:
    cover = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(cover, [np.round(corners * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
    return cover


def _beard(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A dark or light mat of hair from the jaw to the lips."""
    eyes, right, up = _axes(patch.points)
    p = patch.points
    low = p[list(DARK_JAW)] - up * rng.uniform(-0.05, 0.35)
    cover = _polygon(np.concatenate([low, p[[54, 53, 52, 51, 50, 49, 48]] + up * rng.uniform(0.02, 0.2)]))
    cover *= 1 - cv2.dilate(_polygon(p[48:60]), np.ones((2, 2)))
    grain = 1 + store.cloud(rng) * np.float32(rng.uniform(0.05, 0.4))
    return _laid(
        x, cover * np.float32(rng.uniform(0.4, 1)), grain * np.float32(rng.uniform(0.03, 0.6)), rng.uniform(0.3, 2)
    )


def _face(patch: Patch) -> np.ndarray:
    """The face from the brows to the jaw, 0..1."""
    return _polygon(np.concatenate([patch.points[:17], patch.points[26:16:-1]]))


def _neck(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A neck as wide as the jaw or wider, as light as the jaw or darker; of faces that look at the camera."""
    if not patch.seen[2:15].all():
        return x
    _, right, up = _axes(patch.points)
    chin, wide, more = patch.points[8], rng.uniform(0.6, 1.15, 2), rng.uniform(0, 0.5)
    top = [chin + right * side * one + up * rng.uniform(0.3, 0.9) for side, one in ((-1, wide[0]), (1, wide[1]))]
    low = [chin + right * side * (one + more) - up * 2.0 for side, one in ((1, wide[1]), (-1, wide[0]))]
    cover = np.clip(_polygon(np.stack([*top, *low])) - _face(patch), 0, 1)
    skin = float((x * patch.skin).sum() / max(float(patch.skin.sum()), 1.0))
    tone = np.float32(skin * rng.uniform(0.35, 1.1)) * (1 + np.float32(rng.uniform(0, 0.25)) * store.cloud(rng))
    return _laid(x, cover, tone, rng.uniform(0.3, 1.5))


def _second_chin(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A fold or a shadow's edge below the jaw, or above it across the chin."""
    _, right, up = _axes(patch.points)
    low, bow = rng.uniform(0.1, 0.5), rng.uniform(0, 0.25)
    line = patch.points[4:13] - np.outer(low + bow * np.sin(np.linspace(0, np.pi, 9)), up)
    if rng.random() < 0.25:  # between the lips and the chin
        share = rng.uniform(0.3, 0.7)
        line = share * patch.points[[5, 6, 7, 8, 9, 10, 11]] + (1 - share) * patch.points[[48, 59, 58, 57, 56, 55, 54]]
    cover = np.zeros_like(x)
    cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_AA, 3)
    cover = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 2.5)))
    return x * (1 - np.float32(rng.uniform(-0.3, 0.6)) * cover)


def _collar(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A collar, a scarf or a jacket, open to a point or round, from right below the chin or lower."""
    _, right, up = _axes(patch.points)
    t, wide = np.linspace(-1, 1, 9), rng.uniform(1.2, 2.5)
    deep, power = rng.uniform(0.03, 0.9), rng.choice([1.0, 2.0])
    rise = np.abs(t) ** power * rng.uniform(-0.1, 1.0)
    edge = patch.points[8] + np.outer(t * wide + rng.normal(0, 0.1), right) + np.outer(rise - deep, up)
    cover = _polygon(np.concatenate([edge, edge[::-1] - 3 * up]))
    cover = np.clip(cover - _face(patch), 0, 1)
    x = _laid(x, cover, piece(store, rng), rng.uniform(0, 1.0))
    if rng.random() < 0.5:
        rim, level = np.round(edge * 8).astype(np.int32), float(rng.uniform(0, 1))
        drawn = x.copy()
        cv2.polylines(drawn, [rim], False, level, int(rng.integers(1, 5)), cv2.LINE_AA, 3)
        x = x + (1 - _face(patch)) * (drawn - x)
    return x


def _hat(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A hat, a cap with a peak, a scarf or a hood: something from over the brows up, with its shadow below."""
    eyes, right, up = _axes(patch.points)
    brow = float(((patch.points[17:27] - eyes) @ up).max() / (up @ up))
    low, wide, bow = brow + rng.uniform(0.05, 0.8), rng.uniform(0.9, 1.9), rng.uniform(-0.3, 0.45)
    t = np.linspace(-1, 1, 13)
    shift = rng.normal(0, 0.15)
    edge = eyes + np.outer(t * wide + shift, right) + np.outer(low - bow * t * t, up)
    top = edge[::-1] + np.outer(np.full(13, 3.0), up) + np.outer(t * rng.uniform(-0.5, 0.5), right)
    cover = _polygon(np.concatenate([edge, top]))
    shadow = cv2.GaussianBlur(np.roll(cover, int(rng.integers(2, 9)), 0), (0, 0), 2.5)
    x = x * (1 - np.float32(rng.uniform(0, 0.6)) * shadow)
    x = _laid(x, cover, piece(store, rng), rng.uniform(0, 0.8))
    if rng.random() < 0.4:
        rim = np.round(edge * 8).astype(np.int32)
        cv2.polylines(x, [rim], False, float(rng.uniform(0, 1)), int(rng.integers(1, 6)), cv2.LINE_AA, 3)
    return x


def _strands(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Hair that falls over brow and cheeks."""
    eyes, right, up = _axes(patch.points)
    cover, tone = np.zeros_like(x), rng.uniform(0, 0.9)
    root = eyes + right * rng.uniform(-1, 1) + up * rng.uniform(0.9, 1.5)
    to = right * rng.uniform(-0.9, 0.9) - up * rng.uniform(0.4, 2.6)
    for _ in range(int(rng.integers(2, 26))):
        start, end = root + right * rng.normal(0, 0.2), root + to + right * rng.normal(0, 0.3)
        bend = (start + end) / 2 + right * rng.normal(0, 0.2)
        line = np.stack([start, (start + bend) / 2 + 0.2 * (bend - end) / 4, bend, end])
        cv2.polylines(cover, [np.round(line * 8).astype(np.int32)], False, 1.0, int(rng.integers(1, 3)), cv2.LINE_AA, 3)
    return _laid(
        x, cover * np.float32(rng.uniform(0.5, 1)), np.float32(tone) + 0.1 * store.cloud(rng), rng.uniform(0, 0.7)
    )


def _glasses(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Glasses of any form, dark ones among them, with a reflection."""
    _, right, up = _axes(patch.points)
    size, unit, drop = rng.uniform(0.28, 0.46), float(np.linalg.norm(up)), rng.uniform(-0.05, 0.12)
    across = max(float(np.linalg.norm(patch.points[36:42].mean(0) - patch.points[42:48].mean(0))) / unit, 0.2)
    tall, power = size * rng.uniform(0.55, 1.0), rng.uniform(0.4, 1.0)
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    form = np.stack([np.sign(f(turn)) * np.abs(f(turn)) ** power for f in (np.cos, np.sin)], 1) * [size * across, tall]
    dark, ink, x = rng.random() < 0.4, float(rng.choice([rng.uniform(0, 0.2), rng.uniform(0, 1)])), x.copy()
    for eye in (slice(36, 42), slice(42, 48)):
        rim = patch.points[eye].mean(0) + np.outer(form[:, 0], right) - np.outer(form[:, 1] + drop, up)
        if dark:
            x = _laid(
                x, _polygon(rim) * np.float32(rng.uniform(0.6, 1)), np.full_like(x, ink) + 0.1 * piece(store, rng), 0
            )
        elif rng.random() < 0.3:
            x = _laid(x, _polygon(rim) * np.float32(rng.uniform(0.1, 0.5)), piece(store, rng), 0)
        cv2.polylines(x, [np.round(rim * 8).astype(np.int32)], True, ink, int(rng.integers(1, 3)), cv2.LINE_AA, 3)
    return x


def _hand(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """Fingers or an arm from beyond the patch, as light as the skin or not."""
    eyes, right, up = _axes(patch.points)
    unit = float(np.linalg.norm(up))
    skin = float((x * patch.skin).sum() / max(float(patch.skin.sum()), 1.0))
    tip = eyes + right * rng.normal(0, 0.7) - up * rng.uniform(-0.8, 1.8)
    angle, y, z = rng.uniform(0, 2 * np.pi), *PLACES
    along, radius = np.array([np.cos(angle), np.sin(angle)]), unit * rng.uniform(0.09, 0.16)
    across, level = np.array([-along[1], along[0]]), skin * rng.uniform(0.7, 1.25)
    for finger in range(int(rng.integers(1, 5))):
        start = tip + across * 2.05 * radius * finger + along * rng.uniform(0, 0.25) * unit
        dx, dy = z - start[0], y - start[1]
        on = np.clip(dx * along[0] + dy * along[1], 0, unit * 2.5)
        away = np.hypot(dx - on * along[0], dy - on * along[1]) / radius
        paint = np.float32(level) * (0.5 + 0.5 * np.sqrt(np.clip(1 - away * away, 0, 1))).astype(np.float32)
        x = x + np.clip((1 - away) * radius + 0.5, 0, 1).astype(np.float32) * (paint - x)
    return x


def _thing(x: np.ndarray, patch: Patch, store: Store, rng: np.random.Generator) -> np.ndarray:
    """A rotated box or disc of any texture over a part."""
    cover = np.zeros_like(x)
    middle, size = rng.uniform(0, SIDE, 2), rng.uniform(0.08, 0.45, 2) * SIDE
    box = (tuple(map(float, middle)), tuple(map(float, size)), float(rng.uniform(0, 180)))
    if rng.random() < 0.5:
        cv2.ellipse(cover, box, 1.0, -1)
    else:
        cv2.fillConvexPoly(cover, np.int32(cv2.boxPoints(box)), 1.0)
    return _laid(x, cover, piece(store, rng), rng.uniform(0, 1.0))


def photographed(x: np.ndarray, store: Store, rng: np.random.Generator, often: float = 1.0) -> np.ndarray:
    """Other contrast, a lens out of focus, few pixels, noise, JPEG: each so `often`."""
    x = np.maximum(x, 0) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.7:
        x = (x - x.mean()) * np.float32(rng.uniform(0.5, 1.5)) + np.float32(rng.uniform(0.25, 0.75))
    if rng.random() < 0.3 * often:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.3, 2.0)))
    if rng.random() < 0.2 * often:
        side = int(rng.integers(24, 70))
        x = cv2.resize(cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.15 * often:  # sharpened, as many cameras do
        x = x + np.float32(rng.uniform(0.3, 1.5)) * (x - cv2.GaussianBlur(x, (0, 0), 1.2))
    noise = float(rng.choice([0.0, 0.05, 0.15])) * float(x.std()) * often
    if noise:
        x = x + rng.standard_normal(x.shape, np.float32) * np.float32(noise)
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.2 * often:
        out = cv2.imdecode(cv2.imencode(".jpg", out, [1, int(rng.integers(12, 80))])[1], 0)
    return out
