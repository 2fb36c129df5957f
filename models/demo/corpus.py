"""Generates the demo model's dialogues: arithmetic, facts, drawings, stories and small talk.

Everything that is measured has held-out prompts that training never shows:
  arithmetic       sums and differences: pairs of numbers never asked in training in any wording;
                   products and quotients: pairs of numbers in wordings never combined in training
  products         products of larger numbers, without steps: of these pairs that training does show,
                   for they are learnt by heart and others can only be guessed
  facts            facts in wordings in which training never asks for that fact
  facts-unseen     facts in wordings that training never uses at all
  drawings         pictures (shapes, colours, sizes, relation) that training never shows
Which prompts are held out follows from a hash of their content, so it never changes with the seed.
"""
import argparse
import hashlib
import json
import random

import drawings
import facts
import talk


def bucket(text):
    """A number in [0, 100) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 100


LIMIT = 50  # the largest operand of a sum or difference
PLUS = ["What is {a} plus {b}?", "What is {a} + {b}?", "{a} + {b}", "{a}+{b}", "{a} + {b} =",
        "How much is {a} plus {b}?", "Add {a} and {b}.", "Calculate {a} + {b}.",
        "What is the sum of {a} and {b}?", "What's {a} plus {b}?", "What does {a} plus {b} make?"]
MINUS = ["What is {a} minus {b}?", "What is {a} - {b}?", "{a} - {b}", "{a}-{b}", "{a} - {b} =",
         "How much is {a} minus {b}?", "Subtract {b} from {a}.", "Calculate {a} - {b}.",
         "Take {b} away from {a}.", "What's {a} minus {b}?", "What is {a} take away {b}?"]
TIMES = ["What is {a} times {b}?", "What is {a} * {b}?", "{a} * {b}", "{a} x {b}", "{a}*{b}",
         "How much is {a} times {b}?", "Multiply {a} by {b}.", "Calculate {a} * {b}.",
         "What's {a} times {b}?", "What is the product of {a} and {b}?"]
OVER = ["What is {a} divided by {b}?", "What is {a} / {b}?", "{a} / {b}", "{a}/{b}",
        "How much is {a} divided by {b}?", "Divide {a} by {b}.", "What's {a} divided by {b}?"]


def plus_answer(a, b):
    if a >= 10 and b >= 10:
        t, u = b - b % 10, b % 10
        if u:
            return f"{a} plus {b}: {a} plus {t} is {a + t}, and {a + t} plus {u} is {a + b}."
    return f"{a} plus {b} is {a + b}."


def minus_answer(a, b):
    if b >= 10 and b % 10:
        t, u = b - b % 10, b % 10
        return f"{a} minus {b}: {a} minus {t} is {a - t}, and {a - t} minus {u} is {a - b}."
    return f"{a} minus {b} is {a - b}."


def arithmetic(rng):
    """Returns (held out?, question, answer, thought)."""
    kind = rng.random()
    if kind < 0.76:
        a, b = rng.randint(0, LIMIT), rng.randint(0, LIMIT)
        if rng.random() < 0.25:
            b = rng.randint(0, 10)
        if rng.random() < 0.15:
            a = rng.randint(0, 10)
        if kind < 0.40:
            return (bucket(f"{a}+{b}") < 12, rng.choice(PLUS).format(a=a, b=b), plus_answer(a, b),
                    "This is a sum.")
        a, b = max(a, b), min(a, b)
        return (bucket(f"{a}-{b}") < 12, rng.choice(MINUS).format(a=a, b=b), minus_answer(a, b),
                "This is a difference.")
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    if kind < 0.90:
        w = rng.choice(TIMES)
        return (bucket(f"{a}*{b} {w}") < 15, w.format(a=a, b=b), f"{a} times {b} is {a * b}.",
                "This is a product.")
    b = max(b, 1)
    w = rng.choice(OVER)
    return (bucket(f"{a}/{b} {w}") < 15, w.format(a=a * b, b=b), f"{a * b} divided by {b} is {a}.",
            "This is a quotient.")


FACTOR = 39  # the largest second factor of a product that is learnt by heart


def product(rng):
    """Returns (held out?, question, answer, thought): a product of larger numbers, answered without
    steps. There are more of them than the model can learn well, so that it is seldom quite sure:
    what it loses first when its weights get fewer bits."""
    a, b = rng.randint(11, 99), rng.randint(3, FACTOR)
    return (bucket(f"{a}*{b}") < 12, rng.choice(TIMES).format(a=a, b=b), f"{a} times {b} is {a * b}.",
            "This is a product.")


RELATIONS = facts.relations()
FACTS = [(r, e) for r in RELATIONS for e in r[2]]


def fact(rng, unseen=False):
    """Returns (held out?, question, answer, thought); unseen: the wording kept from training."""
    (name, wordings, _, answer), entry = rng.choice(FACTS)
    w = wordings[-1] if unseen else rng.choice(wordings[:-1])
    q = w.format(**entry)
    return bucket(f"fact {q}") < 15, q, answer.format(**entry), "This is a question about a fact."


def drawing(rng):
    key, request, answer = drawings.drawing(rng)
    q = rng.choice(drawings.WORDINGS).format(x=request)
    held = not key.startswith(("fixed", "object")) and bucket(f"drawing {key}") < 10
    return held, q, answer, "This asks for a drawing."


GREETINGS = ["Hi! ", "Hello. ", "Please: ", "Tell me: ", "Quick question: ", "Hey, ", "OK, "]


def spoil(rng, q):
    """Writes a question less carefully, as people do."""
    r = rng.random()
    if r < 0.08:
        q = rng.choice(GREETINGS) + q
    elif r < 0.16:
        q = q[0].lower() + q[1:]
    r = rng.random()
    if r < 0.12 and q[-1] in "?.":
        q = q[:-1]
    elif r < 0.15:
        q = q + " Thanks!"
    return q


def exchange(rng):
    """Returns (category, question, answer, thought) of one training exchange."""
    while True:
        kind = rng.random()
        if kind < 0.26:
            category, (held, q, a, t) = "arithmetic", arithmetic(rng)
        elif kind < 0.42:
            category, (held, q, a, t) = "products", product(rng)
        elif kind < 0.67:
            category, (held, q, a, t) = "facts", fact(rng)
        elif kind < 0.84:
            category, (held, q, a, t) = "drawings", drawing(rng)
        elif kind < 0.88:
            category, (held, q, a, t) = "stories", (False, *talk.story(rng))
        else:
            category, (held, q, a, t) = "talk", (False, *talk.talk(rng))
        if not held:
            return category, spoil(rng, q), a, t


SYSTEMS = ["You are a helpful assistant.", "Answer briefly.", "You are a toy model.", "Be kind.",
           "You are Pelican's demo model.", "You are helpful."]


def conversation(rng):
    """Returns a list of (text, control, learn) segments: text, whether control tokens in it are
    read as such, and whether the model learns to write it."""
    think = rng.random() < 0.2
    out = [("<bos>", True, False)]
    system = rng.choice(SYSTEMS) if rng.random() < 0.12 else ""
    if think or system:
        out += [("<|turn>system\n" + ("<|think|>\n" if think else ""), True, False),
                (system, False, False), ("<turn|>\n", True, False)]
    turns = rng.choices([1, 2, 3, 5], [62, 20, 12, 6])[0]
    for i in range(turns):
        _, q, a, t = exchange(rng)
        out += [("<|turn>user\n", True, False), (q, False, False),
                ("<turn|>\n<|turn>model\n", True, False)]
        if think:
            if i < turns - 1:  # earlier thoughts are not shown again
                out += [(a, False, False), ("<turn|>\n", True, False)]
                continue
            out += [(f"<|channel>thought\n{t}\n<channel|>", True, True)]
        out += [(a, False, True), ("<turn|>", True, True), ("\n", True, False)]
    return out


def heldout(category, count, seed=7):
    """Returns up to count distinct held-out (question, answer) pairs of the category."""
    rng, seen = random.Random(f"{category} {seed}"), {}
    for _ in range(count * 400):
        if category == "arithmetic":
            held, q, a, _ = arithmetic(rng)
        elif category == "products":
            held, q, a, _ = product(rng)
            held = not held
        elif category == "facts":
            held, q, a, _ = fact(rng)
        elif category == "facts-unseen":
            _, q, a, _ = fact(rng, unseen=True)
            held = True
        else:
            held, q, a, _ = drawing(rng)
        if held:
            seen[q] = a
        if len(seen) == count:
            break
    return list(seen.items())


CATEGORIES = ["arithmetic", "products", "facts", "facts-unseen", "drawings"]


def main():
    p = argparse.ArgumentParser(description="Prints sample dialogues, or writes the held-out prompts.")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--samples", type=int, default=20)
    p.add_argument("--heldout", help="file to write the held-out prompts to, as JSON")
    p.add_argument("--count", type=int, default=200)
    args = p.parse_args()
    if args.heldout:
        rows = [dict(category=c, prompt=q, answer=a)
                for c in CATEGORIES for q, a in heldout(c, args.count)]
        with open(args.heldout, "w", encoding="utf-8") as f:
            f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n]\n")
        return
    rng = random.Random(args.seed)
    for _ in range(args.samples):
        print("".join(s[0] for s in conversation(rng)))


if __name__ == "__main__":
    main()
