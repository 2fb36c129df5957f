"""Trains the demo model: packed dialogues, loss on answers only, AdamW, cosine schedule.

Everything counts in steps, never in time, so that the process may be paused or stopped at any
moment; --resume goes on from the last checkpoint with the same data that it would have seen.
Batches are made by processes beside this one, which is what keeps a fast device busy.
"""
import argparse
import csv
import math
import multiprocessing
import os
import random
import time

import torch
import torch.nn.functional as F

import corpus
from model import Config, Gemma4
from tokenizer import Tokenizer


class Packer:
    """Packs dialogues into rows of one length; each row restarts from the seed and its number."""

    def __init__(self, tokenizer, length, rows, seed):
        self.tok, self.length, self.rows, self.seed = tokenizer, length, rows, seed

    def batch(self, step):
        """Returns ids, targets (-1 where nothing is learned) and document numbers, [rows, length]."""
        rng = random.Random(self.seed * 1_000_003 + step)
        ids = torch.zeros(self.rows, self.length, dtype=torch.long)
        targets = torch.full((self.rows, self.length), -1)
        documents = torch.zeros(self.rows, self.length, dtype=torch.long)
        for row in range(self.rows):
            at, number, misses = 0, 1, 0
            while misses < 3:
                tokens, learn = [], []
                for text, control, learned in corpus.conversation(rng):
                    part = self.tok.encode(text, control)
                    tokens += part
                    learn += [learned] * len(part)
                n = len(tokens) - 1
                if at + n > self.length:
                    misses += 1
                    continue
                ids[row, at:at + n] = torch.tensor(tokens[:-1])
                targets[row, at:at + n] = torch.tensor(
                    [t if l else -1 for t, l in zip(tokens[1:], learn[1:])])
                documents[row, at:at + n] = number
                at, number = at + n, number + 1
        return ids, targets, documents


def make_ready(packer):
    """Starts a process that makes batches."""
    global shared_packer
    torch.set_num_threads(1)
    shared_packer = packer


def made_batch(step):
    # arrays travel between processes as bytes; tensors would use up file handles
    return [t.numpy() for t in shared_packer.batch(step)]


def main():
    p = argparse.ArgumentParser(description="Trains the demo model.")
    p.add_argument("--tokenizer", default="tokenizer.json")
    p.add_argument("--out", required=True, help="folder of the checkpoints and of loss.csv")
    p.add_argument("--steps", type=int, default=3000)
    p.add_argument("--stop", type=int, help="end early at this step, for trials")
    p.add_argument("--rows", type=int, default=8)
    p.add_argument("--length", type=int, default=384)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--warmup", type=int, default=100)
    p.add_argument("--floor", type=float, default=0.02, help="last rate, as a part of the first")
    p.add_argument("--decay", type=float, default=0.05)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--pattern", default="SSGSSG")
    p.add_argument("--shared", type=int, default=3)
    p.add_argument("--ffn", type=int, default=512)
    p.add_argument("--bf16", action="store_true", help="compute matrix products in bfloat16")
    p.add_argument("--compile", action="store_true", help="use torch.compile")
    p.add_argument("--device", default="cpu", help="cpu, or cuda for a GPU")
    p.add_argument("--packers", type=int, default=1, help="processes that make batches")
    p.add_argument("--resume", action="store_true")
    p.add_argument("--save-every", type=int, default=200)
    p.add_argument("--log-every", type=int, default=20)
    args = p.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(args.seed)
    tok = Tokenizer.load(args.tokenizer)
    config = Config(vocab=len(tok.tokens), pattern=args.pattern, shared=args.shared, ffn=args.ffn)
    model = Gemma4(config).to(args.device)
    print(f"{sum(x.numel() for x in model.parameters()) / 1e6:.2f} million weights", flush=True)
    matrices = [x for x in model.parameters() if x.ndim > 1]
    vectors = [x for x in model.parameters() if x.ndim < 2]
    optimizer = torch.optim.AdamW(
        [dict(params=matrices, weight_decay=args.decay), dict(params=vectors, weight_decay=0.0)],
        lr=args.rate, betas=(0.9, 0.98), eps=1e-9, fused=True)
    packer = Packer(tok, args.length, args.rows, args.seed)
    path, first, wall, cpu, seen = os.path.join(args.out, "checkpoint.pt"), 0, 0.0, 0.0, 0
    log = os.path.join(args.out, "loss.csv")
    if args.resume:
        state = torch.load(path, weights_only=True, map_location=args.device)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, wall, cpu, seen = (state[k] for k in ("step", "wall", "cpu", "tokens"))
        with open(log) as f:  # rows after the checkpoint will be written again
            rows = [r for r in csv.reader(f)]
        with open(log, "w", newline="") as f:
            csv.writer(f).writerows(rows[:1] + [r for r in rows[1:] if int(r[0]) <= first])
    else:
        with open(log, "w", newline="") as f:
            csv.writer(f).writerow(
                ["step", "tokens", "loss", "accuracy", "rate", "wall_s", "cpu_s"])
    hidden = torch.compile(model.hidden, dynamic=False) if args.compile else model.hidden
    wall0, cpu0 = time.monotonic() - wall, time.process_time() - cpu
    total, correct, count = 0.0, 0, 0

    def save(step):
        state = dict(model=model.state_dict(), optimizer=optimizer.state_dict(), step=step,
                     wall=time.monotonic() - wall0, cpu=time.process_time() - cpu0, tokens=seen,
                     config=model.describe())
        torch.save(state, path + ".new")
        os.replace(path + ".new", path)

    last = min(args.steps, args.stop or args.steps)
    makers = multiprocessing.get_context("spawn").Pool(args.packers, make_ready, [packer])
    batches = makers.imap(made_batch, range(first, last))
    for step, batch in zip(range(first, last), batches):
        progress = max(0, step - args.warmup) / max(1, args.steps - args.warmup)
        rate = args.rate * min(1, (step + 1) / args.warmup) * (
            args.floor + (1 - args.floor) * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids, targets, documents = (torch.from_numpy(a).to(args.device) for a in batch)
        chosen = targets.view(-1) >= 0
        goal = targets.view(-1)[chosen]
        with torch.autocast(args.device, torch.bfloat16, enabled=args.bf16):
            h = hidden(ids, documents).reshape(-1, config.width)
            logits = model.logits(h[chosen])
        loss = F.cross_entropy(logits, goal)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        # sums stay on the device: reading one back would wait for the step to end
        total = total + loss.detach() * len(goal)
        correct = correct + (logits.argmax(-1) == goal).sum()
        count += len(goal)
        seen += int((batch[2] > 0).sum())
        if (step + 1) % args.log_every == 0:
            row = [step + 1, seen, f"{float(total) / count:.5f}", f"{float(correct) / count:.5f}", f"{rate:.3e}",
                   f"{time.monotonic() - wall0:.0f}", f"{time.process_time() - cpu0:.0f}"]
            with open(log, "a", newline="") as f:
                csv.writer(f).writerow(row)
            print(*row, flush=True)
            total, correct, count = 0.0, 0, 0
        if (step + 1) % args.save_every == 0 or step + 1 == last:
            save(step + 1)


if __name__ == "__main__":
    main()
