"""Drawing requests and their SVG answers: the same request always gives the same picture."""

SVG = "http://www.w3.org/2000/svg"
COLOURS = "red blue green yellow orange purple pink black brown gray gold cyan".split()
SHAPES = "circle square triangle rectangle oval diamond".split()
RADII = {"small": 8, "": 15, "big": 22}
RELATIONS = {
    "above": ((50, 25), (50, 75)), "below": ((50, 75), (50, 25)),
    "left of": ((25, 50), (75, 50)), "right of": ((75, 50), (25, 50)),
}
SYNONYMS = {
    "above": ["above", "over", "on top of"], "below": ["below", "under", "beneath"],
    "left of": ["to the left of", "left of"], "right of": ["to the right of", "right of"],
    "inside": ["inside", "in"],
}
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
WORDINGS = ["Draw {x}.", "Draw {x}.", "Please draw {x}.", "Can you draw {x}?", "Draw me {x}.",
            "Make a picture of {x}.", "Show me {x}.", "I want a drawing of {x}.",
            "Could you draw {x}?", "Paint {x}.", "Make an SVG of {x}."]


def circle(x, y, r, fill):
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"/>'


def ellipse(x, y, rx, ry, fill):
    return f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="{fill}"/>'


def rect(x, y, w, h, fill):
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{fill}"/>'


def polygon(points, fill):
    text = " ".join(f"{x},{y}" for x, y in points)
    return f'<polygon points="{text}" fill="{fill}"/>'


def line(x1, y1, x2, y2, stroke):
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="3"/>'


def ring(x, y, r, stroke):
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="none" stroke="{stroke}" stroke-width="3"/>'


def shape(kind, x, y, r, fill):
    if kind == "circle":
        return circle(x, y, r, fill)
    if kind == "square":
        return rect(x - r, y - r, 2 * r, 2 * r, fill)
    if kind == "triangle":
        return polygon([(x, y - r), (x + r, y + r), (x - r, y + r)], fill)
    if kind == "rectangle":
        return rect(x - r, y - r // 2, 2 * r, r, fill)
    if kind == "oval":
        return ellipse(x, y, r, r // 2, fill)
    if kind == "diamond":
        return polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], fill)
    raise ValueError(kind)


def svg(parts):
    return "\n".join([f'<svg xmlns="{SVG}" viewBox="0 0 100 100">', *parts, "</svg>"])


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def name(size, colour, kind):
    return article(f"{size} {colour} {kind}".strip())


PELICAN = [ellipse(48, 45, 18, 12, "gray"), line(60, 38, 66, 22, "gray"), circle(67, 20, 6, "gray"),
           circle(68, 19, 1, "black"), polygon([(72, 18), (95, 22), (72, 28)], "orange")]
BICYCLE = [ring(25, 75, 15, "black"), ring(75, 75, 15, "black"), line(25, 75, 45, 55, "red"),
           line(45, 55, 65, 58, "red"), line(65, 58, 75, 75, "red"), line(25, 75, 50, 75, "red"),
           line(50, 75, 65, 58, "red")]
OBJECTS = {
    "house": lambda c: [rect(25, 45, 50, 40, c), polygon([(50, 15), (80, 45), (20, 45)], "brown"),
                        rect(44, 65, 12, 20, "black")],
    "tree": lambda c: [rect(45, 55, 10, 35, "brown"), circle(50, 40, 22, c)],
    "flower": lambda c: [rect(48, 50, 4, 40, "green"), circle(50, 25, 10, c), circle(35, 40, 10, c),
                         circle(65, 40, 10, c), circle(50, 40, 8, "yellow")],
    "car": lambda c: [rect(15, 50, 70, 20, c), rect(30, 35, 40, 15, c), circle(30, 72, 8, "black"),
                      circle(70, 72, 8, "black")],
    "boat": lambda c: [polygon([(15, 65), (85, 65), (70, 85), (30, 85)], c),
                       rect(48, 20, 4, 45, "brown"), polygon([(55, 20), (80, 55), (55, 55)], "gray")],
    "fish": lambda c: [ellipse(45, 50, 25, 15, c), polygon([(70, 50), (88, 35), (88, 65)], c),
                       circle(30, 46, 2, "black")],
    "balloon": lambda c: [ellipse(50, 35, 18, 22, c), line(50, 57, 50, 92, "black")],
    "mushroom": lambda c: [rect(43, 50, 14, 35, "gray"), ellipse(50, 45, 28, 16, c)],
    "rocket": lambda c: [rect(40, 30, 20, 45, c), polygon([(50, 8), (60, 30), (40, 30)], "red"),
                         polygon([(40, 75), (60, 75), (50, 92)], "orange")],
    "bird": lambda c: [ellipse(45, 50, 20, 13, c), circle(65, 38, 9, c), circle(67, 36, 1, "black"),
                       polygon([(73, 36), (83, 40), (73, 43)], "orange")],
}
DEFAULTS = {"house": "yellow", "tree": "green", "flower": "pink", "car": "red", "boat": "blue",
            "fish": "orange", "balloon": "red", "mushroom": "red", "rocket": "gray", "bird": "blue"}
FIXED = {
    "the sun": [circle(50, 50, 20, "yellow"), line(50, 25, 50, 10, "orange"),
                line(50, 75, 50, 90, "orange"), line(25, 50, 10, 50, "orange"),
                line(75, 50, 90, 50, "orange")],
    "a snowman": [circle(50, 75, 18, "gray"), circle(50, 48, 13, "gray"), circle(50, 27, 9, "gray"),
                  circle(47, 25, 1, "black"), circle(53, 25, 1, "black"),
                  polygon([(50, 27), (60, 29), (50, 31)], "orange")],
    "a happy face": [circle(50, 50, 35, "yellow"), circle(38, 40, 4, "black"),
                     circle(62, 40, 4, "black"), ellipse(50, 65, 14, 5, "red")],
    "a pelican": PELICAN,
    "a bicycle": BICYCLE,
    "a pelican riding a bicycle": BICYCLE + PELICAN,
}


def drawing(rng):
    """Returns (key, request, svg) of one random drawing; the key names the picture."""
    kind = rng.random()
    if kind < 0.62:
        s1, s2 = rng.choice(SHAPES), rng.choice(SHAPES)
        c1, c2 = rng.choice(COLOURS), rng.choice(COLOURS)
        rel = rng.choice([*RELATIONS, *RELATIONS, "inside"])
        if rel == "inside":
            words = f"{name('', c1, s1)} {rng.choice(SYNONYMS[rel])} {name('', c2, s2)}"
            return f"inside {c1} {s1} {c2} {s2}", words, svg(
                [shape(s2, 50, 50, 40, c2), shape(s1, 50, 50, 15, c1)])
        z1, z2 = (rng.choice(list(RADII)) if rng.random() < 0.5 else "" for _ in range(2))
        (x1, y1), (x2, y2) = RELATIONS[rel]
        words = f"{name(z1, c1, s1)} {rng.choice(SYNONYMS[rel])} {name(z2, c2, s2)}"
        return f"{rel} {z1} {c1} {s1} {z2} {c2} {s2}", words, svg(
            [shape(s1, x1, y1, RADII[z1], c1), shape(s2, x2, y2, RADII[z2], c2)])
    if kind < 0.78:
        s, c, z = rng.choice(SHAPES), rng.choice(COLOURS), rng.choice(list(RADII))
        return f"one {z} {c} {s}", name(z, c, s), svg([shape(s, 50, 50, RADII[z] + 10, c)])
    if kind < 0.85:
        n, s, c = rng.choice(list(NUMBERS)), rng.choice(SHAPES), rng.choice(COLOURS)
        xs = {2: (25, 75), 3: (20, 50, 80), 4: (14, 38, 62, 86), 5: (10, 30, 50, 70, 90)}[n]
        return f"row {n} {c} {s}", f"{NUMBERS[n]} {c} {s}s", svg(
            [shape(s, x, 50, 8, c) for x in xs])
    if kind < 0.95:
        o = rng.choice(list(OBJECTS))
        c = rng.choice(COLOURS) if rng.random() < 0.7 else ""
        return f"object {c} {o}", name("", c, o), svg(OBJECTS[o](c or DEFAULTS[o]))
    f = rng.choice(list(FIXED))
    return f"fixed {f}", f, svg(FIXED[f])
