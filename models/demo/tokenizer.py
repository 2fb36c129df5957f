"""Byte-pair tokenizer in Gemma 4's manner, with a small vocabulary trained on the demo corpus.

Text: spaces become U+2581, runs of newlines and runs of everything else are merged apart, the pair
of lowest rank first; characters without a token fall back to bytes. Control tokens keep the
identifiers that Gemma 4 gives them. Digits never merge, so that numbers are read digit by digit.
"""
import argparse
import collections
import json
import random
import re

NORMAL, CONTROL, USER, UNUSED, BYTE = 1, 3, 4, 5, 6
NAMED = {0: "<pad>", 1: "<eos>", 2: "<bos>", 3: "<unk>", 46: "<|tool>", 47: "<tool|>",
         48: "<|tool_call>", 49: "<tool_call|>", 50: "<|tool_response>", 51: "<tool_response|>",
         52: '<|"|>', 98: "<|think|>", 100: "<|channel>", 101: "<channel|>", 105: "<|turn>",
         106: "<turn|>"}
MEDIA = ["<start_of_image>", "<end_of_image>"]
USER_DEFINED = ["http://www.w3.org/2000/svg"]
SPACE = "\u2581"
# what training may merge: a word with its space, an attribute with its surroundings, punctuation
UNITS = re.compile(r'"▁[A-Za-z0-9-]+="|<[a-z]+▁[a-z0-9]+="|</[a-z]+>|▁?[^\W\d_]+|\d|[^\w▁]+|▁|.', re.S)


class Tokenizer:
    def __init__(self, tokens, types, merges):
        self.tokens, self.types, self.merges = tokens, types, [tuple(m) for m in merges]
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.ranks = {m: r for r, m in enumerate(self.merges)}
        self.byte0 = self.ids["<0x00>"]
        def split(kind):
            names = sorted((t for t, y in zip(tokens, types) if y in kind), key=len, reverse=True)
            return re.compile("(" + "|".join(re.escape(n) for n in names) + ")")
        self.control_split, self.user_split = split({CONTROL, USER}), split({USER})
        # neighbours inside some token: nowhere else can a merge cross
        self.joined = {t[i:i + 2] for t, y in zip(tokens, types) if y == NORMAL
                       for i in range(len(t) - 1)}
        self.cache = {}

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as f:
            d = json.load(f)
        return Tokenizer(d["tokens"], d["types"], d["merges"])

    def save(self, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump(dict(tokens=self.tokens, types=self.types, merges=self.merges), f,
                      ensure_ascii=False, indent=0)

    def encode(self, text, control=False):
        out = []
        for i, part in enumerate((self.control_split if control else self.user_split).split(text)):
            if i % 2:
                out.append(self.ids[part])
            elif part:
                for run in re.findall(r"\n+|[^\n]+", part.replace(" ", SPACE)):
                    if run[0] == "\n" and run in self.ids:
                        out.append(self.ids[run])
                        continue
                    start = 0
                    for j in range(1, len(run) + 1):
                        if j == len(run) or run[j - 1:j + 1] not in self.joined:
                            out.extend(self._chunk(run[start:j]))
                            start = j
        return out

    def _chunk(self, chunk):
        found = self.cache.get(chunk)
        if found is None:
            parts = list(chunk)
            while len(parts) > 1:
                ranked = [(self.ranks.get((a, b), 1 << 30), i)
                          for i, (a, b) in enumerate(zip(parts, parts[1:]))]
                rank, i = min(ranked)
                if rank == 1 << 30:
                    break
                parts[i:i + 2] = [parts[i] + parts[i + 1]]
            found = []
            for p in parts:
                if p in self.ids:
                    found.append(self.ids[p])
                else:
                    found.extend(self.byte0 + b for b in p.encode("utf-8"))
            self.cache[chunk] = found
        return found

    def decode(self, ids):
        data = bytearray()
        for i in ids:
            if self.types[i] == BYTE:
                data.append(i - self.byte0)
            else:
                data.extend(self.tokens[i].replace(SPACE, " ").encode("utf-8"))
        return data.decode("utf-8", errors="replace")


def train(texts, size):
    """Learns merges until the vocabulary has size tokens."""
    counts, chars = collections.Counter(), collections.Counter()
    user = re.compile("|".join(re.escape(u) for u in USER_DEFINED + list(NAMED.values())))
    for text in texts:
        for part in user.split(text):
            for run in re.findall(r"[^\n]+", part.replace(" ", SPACE)):
                for unit in UNITS.findall(run):
                    counts[unit] += 1
                    chars.update(unit)
    for c in range(33, 127):  # all of printable ASCII
        chars[chr(c)] += 1
    tokens = [NAMED.get(i, f"<unused{i}>") for i in range(107)] + MEDIA
    types = [CONTROL if i in NAMED or i > 106 else UNUSED for i in range(len(tokens))]
    tokens += USER_DEFINED
    types += [USER] * len(USER_DEFINED)
    tokens += [f"<0x{b:02X}>" for b in range(256)]
    types += [BYTE] * 256
    alphabet = ["\n", "\n\n"] + sorted(chars)
    merges = [("\n", "\n")]
    words = [(list(w), n) for w, n in counts.items()]
    learned = []
    seen = set()
    while len(tokens) + len(alphabet) + len(learned) < size:
        pairs = collections.Counter()
        for w, n in words:
            for p in zip(w, w[1:]):
                if not any(c.isdigit() for c in p[0] + p[1] if "=" not in p[0] + p[1]):
                    pairs[p] += n
        if not pairs:
            break
        best = max(pairs.items(), key=lambda kv: (kv[1], kv[0]))[0]
        merges.append(best)
        joined = best[0] + best[1]
        if joined not in seen:
            seen.add(joined)
            learned.append(joined)
        for w, _ in words:
            i = 0
            while i < len(w) - 1:
                if w[i] == best[0] and w[i + 1] == best[1]:
                    w[i:i + 2] = [joined]
                i += 1
    tokens += alphabet + learned
    types += [NORMAL] * (len(alphabet) + len(learned))
    return Tokenizer(tokens, types, merges)


def main():
    import corpus
    p = argparse.ArgumentParser(description="Trains the demo model's tokenizer.")
    p.add_argument("--out", default="tokenizer.json")
    p.add_argument("--size", type=int, default=1280)
    p.add_argument("--dialogues", type=int, default=15000)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    rng = random.Random(args.seed)
    texts = [s[0] for _ in range(args.dialogues) for s in corpus.conversation(rng)]
    tok = train(texts, args.size)
    tok.save(args.out)
    length = sum(len(tok.encode(t)) for t in texts[:5000])
    print(f"{len(tok.tokens)} tokens, {len(tok.merges)} merges, "
          f"{sum(map(len, texts[:5000])) / length:.2f} characters per token")


if __name__ == "__main__":
    main()
