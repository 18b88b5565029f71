"""Kendall's tau-b by scipy. Writes kendall.csv: one line a pair of lists, values joined by blanks. python3 kendall.py; versions in README."""
import csv
import numpy as np
from scipy.stats import kendalltau

rng = np.random.default_rng(20260303)
with open("kendall.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(("x", "y", "tau_b"))
    for size, levels in [(2, 0), (3, 0), (10, 0), (50, 0), (200, 0), (10, 3), (50, 4), (200, 10), (200, 2), (120, 40)]:
        if levels:
            x = rng.integers(0, levels, size).astype(float)
            y = np.round(x + rng.normal(0, levels / 2, size))
        else:
            x = np.round(rng.normal(size=size), 6)
            y = np.round(x + rng.normal(size=size), 6)
        out.writerow((" ".join(map(repr, x.tolist())), " ".join(map(repr, y.tolist())), repr(float(kendalltau(x, y).statistic))))
