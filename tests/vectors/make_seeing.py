"""Write seeing.json: acuity, blur, sharp places, by plain loops.

`python tests/vectors/make_seeing.py` writes the file again.
"""

import json
import math
import random
from pathlib import Path

HERE = Path(__file__).parent
LEVELS = [0, 1, 2, 4, 8]


def law_case(eccentricity, scale):
    angle = (1 + eccentricity / 2.3) / 60
    sigma = scale * angle * math.sqrt(2 * math.log(64)) / math.pi
    level = 4.0
    for k in range(4):
        if LEVELS[k] <= sigma <= LEVELS[k + 1]:
            level = k + (sigma - LEVELS[k]) / (LEVELS[k + 1] - LEVELS[k])
            break
    return {
        "eccentricity": eccentricity,
        "scale": scale,
        "minimum_angle": angle,
        "blur_radius": sigma,
        "level": level,
    }


def sharp_case(width, height, count, degrees, seed):
    rng = random.Random(seed)
    places = [
        [round(rng.random(), 3), round(rng.random(), 3)] for _ in range(count)
    ]
    radius = 2.3 * (width / degrees)
    sharp = 0
    for row in range(height):
        for column in range(width):
            sharp += any(
                (column + 0.5 - x * width) ** 2 + (row + 0.5 - y * height) ** 2
                <= radius**2
                for x, y in places
            )
    boxes = []
    for _ in range(6):
        left, top = rng.randrange(width), rng.randrange(height)
        right = min(width, left + rng.randrange(1, width // 2))
        bottom = min(height, top + rng.randrange(1, height // 2))
        needed = None
        for number, (x, y) in enumerate(places, 1):
            dx = max(left - x * width, x * width - right, 0)
            dy = max(top - y * height, y * height - bottom, 0)
            if math.hypot(dx, dy) * degrees / width <= 1:
                needed = number
                break
        boxes.append({"box": [left, top, right, bottom], "needed": needed})
    return {
        "width": width,
        "height": height,
        "degrees": degrees,
        "places": places,
        "fraction": sharp / (width * height),
        "boxes": boxes,
    }


def blur_case(width, height, sigma, seed):
    """Blur rows, then columns; cut off at 3 σ; the edge continues."""
    rng = random.Random(seed)
    picture = [[rng.random() for _ in range(width)] for _ in range(height)]
    reach = math.ceil(3 * sigma)
    kernel = [
        math.exp(-(i**2) / (2 * sigma**2)) for i in range(-reach, reach + 1)
    ]
    kernel = [k / sum(kernel) for k in kernel]

    def inside(i, n):
        return max(0, min(n - 1, i))

    across = [
        [
            sum(
                kernel[i] * picture[y][inside(x + i - reach, width)]
                for i in range(len(kernel))
            )
            for x in range(width)
        ]
        for y in range(height)
    ]
    blurred = [
        [
            sum(
                kernel[i] * across[inside(y + i - reach, height)][x]
                for i in range(len(kernel))
            )
            for x in range(width)
        ]
        for y in range(height)
    ]
    return {"sigma": sigma, "picture": picture, "blurred": blurred}


def make():
    return {
        "tolerance": 1e-6,
        "law": [
            law_case(0.0, 25.6),
            law_case(2.3, 10.0),
            law_case(12.5, 25.6),
            law_case(7.7, 128.0),
            law_case(90.0, 40.0),
        ],
        "sharp": [
            sharp_case(64, 64, 1, 20.0, 0),
            sharp_case(90, 40, 5, 33.0, 1),
            sharp_case(41, 77, 15, 12.5, 2),
            sharp_case(50, 50, 3, 5.0, 3),
            sharp_case(120, 80, 9, 80.0, 4),
        ],
        "blur": [blur_case(9, 6, 0.7, 5), blur_case(5, 8, 2.0, 6)],
    }


if __name__ == "__main__":
    text = json.dumps(make(), indent=1) + "\n"
    (HERE / "seeing.json").write_text(text, "utf-8")
