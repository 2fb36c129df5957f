"""Measures greedy answers on the held-out prompts, and the loss on unseen dialogues.

The first model is what the others are compared with.

The model is a checkpoint, or a GGUF file of any type: its weights are read back to floats, so
that what is compared is the loss by quantization alone.
"""
import argparse
import json
import random
import re

import gguf
import torch
import torch.nn.functional as F

import corpus
from export import load
from model import Config, Gemma4, rms
from tokenizer import Tokenizer


def from_gguf(path):
    """Returns the model of a GGUF file written by export.py, or quantized from such a file."""
    reader = gguf.GGUFReader(path)
    def value(key):
        return reader.fields["gemma4." + key].contents()
    sliding = value("attention.sliding_window_pattern")
    tensors = {t.name.removesuffix(".weight"): torch.tensor(
        gguf.dequantize(t.data, t.tensor_type).reshape([int(n) for n in reversed(t.shape)]))
        for t in reader.tensors}
    model = Gemma4(Config(
        vocab=tensors["token_embd"].shape[0], width=value("embedding_length"),
        ffn=value("feed_forward_length")[0], heads=value("attention.head_count"),
        kv_heads=value("attention.head_count_kv"), head_full=value("attention.key_length"),
        head_sliding=value("attention.key_length_swa"), window=value("attention.sliding_window"),
        pattern="".join("S" if s else "G" for s in sliding),
        shared=value("attention.shared_kv_layers"),
        per_layer=value("embedding_length_per_layer_input")))
    del tensors["rope_freqs"]
    model.load_state_dict({k: v.float() for k, v in tensors.items()})
    return model.eval()


def unshown(answer):
    """Whether an arithmetic answer is of a pair that training shows nowhere. Answers work in steps
    whose second operand is round or has one digit, so such held-out pairs occur within answers to
    other questions; all other held-out pairs occur nowhere."""
    match = re.match(r"\d+ (?:plus|minus) (\d+)[: ]", answer)
    return bool(match) and int(match[1]) > 10 and int(match[1]) % 10 != 0


def prompt_ids(tok, question):
    return (tok.encode("<bos><|turn>user\n", True) + tok.encode(question)
            + tok.encode("<turn|>\n<|turn>model\n", True))


@torch.no_grad()
def answers(model, tok, questions, limit=300, batch=64):
    """Greedy answers. Prompts of one length are run together, so that none needs padding."""
    end, out = tok.ids["<turn|>"], {}
    ids = {q: prompt_ids(tok, q) for q in questions}
    for n in sorted({len(i) for i in ids.values()}):
        group = [q for q in questions if len(ids[q]) == n]
        for at in range(0, len(group), batch):
            part = group[at:at + batch]
            cache = Cache(model, len(part), n + limit)
            logits = cache.run(torch.tensor([ids[q] for q in part]))
            texts, alive = [[] for _ in part], set(range(len(part)))
            for _ in range(limit):
                chosen = logits.argmax(-1)
                for i in list(alive):
                    if chosen[i] == end:
                        alive.discard(i)
                    else:
                        texts[i].append(int(chosen[i]))
                if not alive:
                    break
                logits = cache.run(chosen[:, None])
            for q, t in zip(part, texts):
                out[q] = tok.decode(t)
    return out


class Cache:
    """Runs a model step by step, keeping keys and values."""

    def __init__(self, model, batch, length):
        self.m, c = model, model.config
        self.at, self.kv = 0, {}
        for i in range(c.layers):
            if c.owner(i) == i:
                shape = (batch, c.kv_heads, length, c.head(i))
                self.kv[i] = (torch.zeros(shape), torch.zeros(shape))
        self.length = length

    def run(self, ids):
        """Logits after the last of the given tokens, [batch, vocabulary]."""
        m, c = self.m, self.m.config
        batch, n = ids.shape
        x = F.embedding(ids, m.token_embd) * c.width ** 0.5
        ple = F.linear(x, m.per_layer_model_proj) * c.width ** -0.5
        ple = rms(ple.view(batch, n, c.layers, c.per_layer), m.per_layer_proj_norm, c.eps)
        own = F.embedding(ids, m.per_layer_token_embd).view(ple.shape) * c.per_layer ** 0.5
        ple = (ple + own) * 2 ** -0.5
        end = self.at + n
        t, s = torch.arange(self.at, end)[:, None], torch.arange(end)[None, :]
        visible = {"G": s <= t, "S": (s <= t) & (s > t - c.window)}
        for i, layer in enumerate(m.blk):
            cos, sin = (r[self.at:end] for r in m.rope(i, end))
            x = layer(x, ple[:, :, i], Stored(self, i, end), visible[c.pattern[i]], (cos, sin))
        self.at = end
        return m.logits(rms(x[:, -1], m.output_norm, c.eps))


class Stored:
    """Stands for the layers' keys and values: appends what a layer writes, returns all."""

    def __init__(self, cache, layer, end):
        self.cache, self.end = cache, end

    def __setitem__(self, layer, pair):
        for store, new in zip(self.cache.kv[layer], pair):
            store[:, :, self.cache.at:self.end] = new

    def __getitem__(self, layer):
        return tuple(s[:, :, :self.end] for s in self.cache.kv[layer])


@torch.no_grad()
def unseen_loss(model, first, tok, dialogues=400, seed=987654321):
    """Over the answers' tokens of random dialogues with another seed than training's: the mean
    cross-entropy, the part that greedy choice gets right, the mean Kullback-Leibler divergence
    from the first model, and the part of tokens where the greedy choices of both differ."""
    rng, sums = random.Random(seed), torch.zeros(4)
    count = 0
    for _ in range(dialogues):
        ids, learn = [], []
        for text, control, learned in corpus.conversation(rng):
            part = tok.encode(text, control)
            ids += part
            learn += [learned] * len(part)
        chosen, goal = torch.tensor(learn[1:]), torch.tensor(ids[1:])
        goal = goal[chosen]
        p, q = (F.log_softmax(m(torch.tensor([ids[:-1]]))[0][chosen], -1) for m in (first, model))
        sums += torch.stack([F.nll_loss(q, goal, reduction="sum"),
                             (q.argmax(-1) == goal).sum(),
                             (p.exp() * (p - q)).sum(),
                             (q.argmax(-1) != p.argmax(-1)).sum()])
        count += len(goal)
    return (sums / count).tolist()


def main():
    p = argparse.ArgumentParser(description="Measures the demo model on held-out prompts.")
    p.add_argument("models", nargs="+", help="checkpoint (.pt) or GGUF files")
    p.add_argument("--tokenizer", default="tokenizer.json")
    p.add_argument("--heldout", default="heldout.json")
    p.add_argument("--per-category", type=int, default=10**9)
    p.add_argument("--errors", type=int, default=0, help="wrong answers to print per category")
    p.add_argument("--ask", action="append", default=[], help="only print the answer to this prompt")
    p.add_argument("--json", help="file to write the figures to")
    args = p.parse_args()
    tok = Tokenizer.load(args.tokenizer)
    with open(args.heldout, encoding="utf-8") as f:
        rows = json.load(f)
    table, first = [], None
    for path in args.models:
        model = load(path)[0] if path.endswith(".pt") else from_gguf(path)
        if args.ask:
            for q, a in answers(model, tok, args.ask).items():
                print(f"> {q}\n{a}\n")
            continue
        figures = dict(model=path.rsplit("/", 1)[-1])
        for category in corpus.CATEGORIES:
            part = [r for r in rows if r["category"] == category][:args.per_category]
            got = answers(model, tok, [r["prompt"] for r in part])
            wrong = [r for r in part if got[r["prompt"]] != r["answer"]]
            figures[category] = round(100 * (1 - len(wrong) / len(part)), 1)
            if category == "arithmetic":
                strict = [r for r in part if unshown(r["answer"])]
                missed = sum(unshown(r["answer"]) for r in wrong)
                figures["arithmetic-unshown"] = round(100 * (1 - missed / len(strict)), 1)
                figures["arithmetic-unshown-prompts"] = len(strict)
            for r in wrong[:args.errors]:
                print(f"{r['prompt']}\n  expected {r['answer']!r}\n  got      {got[r['prompt']]!r}")
        first = first or model
        loss, right, divergence, changed = unseen_loss(model, first, tok)
        figures.update(loss=round(loss, 5), tokens=round(100 * right, 2),
                       divergence=float(f"{divergence:.3g}"), changed=round(100 * changed, 3))
        print(figures, flush=True)
        table.append(figures)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(table, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
