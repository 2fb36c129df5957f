"""Draws the loss curve of loss.csv as SVG: cross-entropy of the answers' tokens, log scale."""
import argparse
import csv
import math


def main():
    p = argparse.ArgumentParser(description="Draws the loss curve as SVG.")
    p.add_argument("csv")
    p.add_argument("out")
    args = p.parse_args()
    with open(args.csv) as f:
        rows = [(int(r["step"]), float(r["loss"])) for r in csv.DictReader(f)]
    last = rows[-1][0]
    low, high = -3, 1  # powers of ten

    def at(step, loss):
        y = 20 + 260 * (high - math.log10(min(max(loss, 10 ** low), 10 ** high))) / (high - low)
        return f"{60 + 520 * step / last:.1f},{y:.1f}"

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 320" font-family="sans-serif"'
             ' font-size="12">', '<rect width="600" height="320" fill="white"/>']
    for power in range(low, high + 1):
        y = float(at(0, 10 ** power).split(",")[1])
        parts.append(f'<line x1="60" y1="{y}" x2="580" y2="{y}" stroke="lightgray"/>')
        parts.append(f'<text x="52" y="{y + 4}" text-anchor="end">{10 ** power:g}</text>')
    for step in range(0, last + 1, 400):
        x = at(step, 1).split(",")[0]
        parts.append(f'<text x="{x}" y="300" text-anchor="middle">{step}</text>')
    parts.append('<polyline fill="none" stroke="steelblue" stroke-width="2" points="'
                 + " ".join(at(*r) for r in rows) + '"/>')
    parts += ['<text x="320" y="316" text-anchor="middle">steps</text>', "</svg>"]
    with open(args.out, "w") as f:
        f.write("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
