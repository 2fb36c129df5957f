"""Compares a llama.cpp server that runs a GGUF of the demo model with the torch model: token ids
of the prompts, greedy answers, and accuracy on the held-out prompts.

    llama-server -m demo-F16.gguf --port 8099 &
    python compare.py demo-F16.gguf --url http://127.0.0.1:8099
"""
import argparse
import json
import urllib.request

import corpus
from evaluate import answers, from_gguf, prompt_ids
from tokenizer import Tokenizer


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def main():
    p = argparse.ArgumentParser(description="Compares llama.cpp with torch on held-out prompts.")
    p.add_argument("gguf")
    p.add_argument("--url", default="http://127.0.0.1:8099")
    p.add_argument("--tokenizer", default="tokenizer.json")
    p.add_argument("--heldout", default="heldout.json")
    p.add_argument("--per-category", type=int, default=50)
    args = p.parse_args()
    tok, model = Tokenizer.load(args.tokenizer), from_gguf(args.gguf)
    with open(args.heldout, encoding="utf-8") as f:
        rows = json.load(f)
    for category in corpus.CATEGORIES:
        part = [r for r in rows if r["category"] == category][:args.per_category]
        ours = answers(model, tok, [r["prompt"] for r in part])
        ids = same = right = 0
        for r in part:
            text = f"<bos><|turn>user\n{r['prompt']}<turn|>\n<|turn>model\n"
            theirs = post(args.url + "/tokenize", dict(content=text, parse_special=True))["tokens"]
            mine = prompt_ids(tok, r["prompt"])
            ids += theirs == mine
            if theirs != mine:
                print("ids", repr(text), theirs, mine)
            reply = post(args.url + "/completion", dict(
                prompt=mine, temperature=0, n_predict=300, cache_prompt=False))["content"]
            same += reply == ours[r["prompt"]]
            right += reply == r["answer"]
            if reply != ours[r["prompt"]]:
                print(f"{r['prompt']}\n  torch     {ours[r['prompt']]!r}\n  llama.cpp {reply!r}")
        n = len(part)
        print(f"{category}: {n} prompts, same ids {ids}, same answers {same}, "
              f"right in llama.cpp {right}", flush=True)


if __name__ == "__main__":
    main()
