"""Judges with spreads of their own: the penalised REML likelihood of the model, maximised without any of our code's shortcuts.

Writes spread_scores.csv and spread_results.csv. python3 spread.py; versions in README.

Given spreads s, the scores are normal with mean m and covariance
    V = Sv Zj Zj' + D (Sa Za Za' + Se I) D,   D = diag(s of each score's judge).
The REML likelihood of (Sa, Sv, Se, s) times the prior  prod_j exp(10 (log w_j - w_j^2 / 2)),  w = 1/s,  is maximised by BFGS from several starts.
"""
import csv
import numpy as np
from scipy.optimize import minimize

rng = np.random.default_rng(20260302)
APPLICATIONS, JUDGES, EACH, PRIOR = 40, 8, 4, 10.0
quality = rng.normal(0, 9, APPLICATIONS)
harshness = rng.normal(0, 8, JUDGES)
spread = np.exp(rng.uniform(np.log(0.5), np.log(1.6), JUDGES))
rows = []
for a in range(APPLICATIONS):
    for j in sorted(rng.choice(JUDGES, EACH, replace=False)):
        y = 60 - harshness[j] + spread[j] * (quality[a] + rng.normal(0, 5))
        rows.append((a, j, float(np.clip(np.round(y), 0, 100))))
a, j, y = (np.array(column) for column in zip(*rows))
Za, Zj, one = np.eye(APPLICATIONS)[a], np.eye(JUDGES)[j], np.ones((len(y), 1))


def parts(p):
    va, vj, ve = np.exp(2 * p[:3])
    s = np.exp(p[3:])
    D = s[j]
    return va, vj, ve, s, vj * Zj @ Zj.T + D[:, None] * (va * Za @ Za.T + ve * np.eye(len(y))) * D[None, :]


def loss(p):
    *_, s, V = parts(p)
    L = np.linalg.cholesky(V)
    X, r = np.linalg.solve(L, one), np.linalg.solve(L, y)
    xx = (X.T @ X).item()
    m = (X[:, 0] @ r) / xx
    e = r - X[:, 0] * m
    w = 1 / s
    return np.log(np.diag(L)).sum() + 0.5 * np.log(xx) + 0.5 * e @ e - PRIOR * (np.log(w) - w * w / 2).sum()


best = None
for start in range(4):
    p = np.concatenate([np.log([9, 8, 5]), np.zeros(JUDGES)]) + 0.2 * start * rng.normal(size=JUDGES + 3)
    for _ in range(3):  # again from where it stopped: numerical gradients end a little early
        f = minimize(loss, p, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
        p = f.x
    if best is None or f.fun < best.fun:
        best = f
va, vj, ve, s, V = parts(best.x)
Vi = np.linalg.inv(V)
m = ((one.T @ Vi @ y) / (one.T @ Vi @ one)).item()
e = Vi @ (y - m)
u = va * (Za.T * s[j]) @ e
v = vj * Zj.T @ e
with open("spread_scores.csv", "w", newline="") as f:
    csv.writer(f, lineterminator="\n").writerows([("application", "judge", "value"), *((int(x), int(z), w) for x, z, w in rows)])
with open("spread_results.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(("what", "index", "value"))
    for what, value in [("mean", m), ("application", va), ("judge", vj), ("residual", ve)]:
        out.writerow((what, 0, f"{value:.10g}"))
    for what, values in [("adjusted", m + u), ("harshness", -v), ("spread", s)]:
        out.writerows((what, at, f"{value:.10g}") for at, value in enumerate(values))
print(best.fun, np.sqrt([va, vj, ve]), s)
