"""Assignments by OR-tools: the same drawn problems, solved by another hand. Writes assign.csv. python3 assign.py; versions in README.

Draws problems exactly as tests/drawn/mod.rs does (same numbers, same order of draws), builds one flow network over every possible pair, and writes the
cost in millionths and the number of places left empty.
"""
import csv
import math
import time
import numpy as np
from ortools.graph.python import min_cost_flow

MASK = (1 << 64) - 1
UNITS = 1e6


class Dice:
    def __init__(self, seed):
        self.state = seed

    def unit(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        bits = self.state
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
        return ((bits ^ (bits >> 31)) >> 11) / float(1 << 53)

    def below(self, end):
        return int(self.unit() * end)


def half_up(value):  # like Rust: halves away from zero; nothing here is below 0
    return math.floor(value + 0.5)


def draw(plan, seed):
    dice = Dice(seed)
    fields = [[] for _ in range(plan["fields"])]
    for person in range(plan["people"]):
        for _ in range(plan["breadth"]):
            own = fields[dice.below(plan["fields"])]
            if not own or own[-1] != person:
                own.append(person)
    pairs, forbidden = {}, set()
    for task in range(plan["tasks"]):
        for person in fields[dice.below(plan["fields"])]:
            fit = dice.unit()
            if plan["steps"]:
                fit = half_up(fit * plan["steps"]) / plan["steps"]
            pairs[task, person] = half_up(fit * UNITS)
        for _ in range(plan["conflicts"]):
            forbidden.add((task, dice.below(plan["people"])))
    return pairs, forbidden


def solve(plan, fairness, seed):
    pairs, forbidden = draw(plan, seed)
    tasks, people, needs = plan["tasks"], plan["people"], plan["needs"]
    if plan["unlisted"] != "":
        fit = half_up(float(plan["unlisted"]) * UNITS)
        for task in range(tasks):
            for person in range(people):
                pairs.setdefault((task, person), fit)
    possible = [(t, p, f) for (t, p), f in pairs.items() if (t, p) not in forbidden]
    sink, empty = tasks + people, 10 * people * int(UNITS)
    target = tasks * needs / people
    loads = [half_up(UNITS * fairness * (2 * nth - 1) / (2 * target)) for nth in range(1, plan["ceiling"] + 1)]
    tails = [t for t, _, _ in possible] + list(range(tasks)) + [tasks + p for p in range(people) for _ in loads]
    heads = [tasks + p for _, p, _ in possible] + [sink] * (tasks + people * len(loads))
    rooms = [1] * len(possible) + [needs] * tasks + [1] * (people * len(loads))
    costs = [-f for _, _, f in possible] + [empty] * tasks + loads * people
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(np.array(tails), np.array(heads), np.array(rooms), np.array(costs, dtype=np.int64))
    flow.set_nodes_supplies(np.arange(sink + 1), np.array([needs] * tasks + [0] * people + [-needs * tasks]))
    start = time.process_time()
    assert flow.solve() == flow.OPTIMAL
    took = time.process_time() - start
    left = int(flow.flows(arcs[len(possible):len(possible) + tasks]).sum())
    return flow.optimal_cost() - left * empty, left, took


def plan(tasks, people, needs, ceiling, fields, breadth, unlisted, steps, conflicts):
    return dict(tasks=tasks, people=people, needs=needs, ceiling=ceiling, fields=fields, breadth=breadth, unlisted=unlisted, steps=steps, conflicts=conflicts)


CASES = [
    (plan(40, 12, 2, 9, 3, 2, "", 0, 1), 1.0, 1),
    (plan(200, 40, 3, 18, 6, 2, "", 0, 2), 1.0, 2),
    (plan(200, 40, 3, 14, 6, 2, "", 0, 2), 0.5, 3),      # too few places
    (plan(200, 40, 3, 15, 6, 2, "0.1", 0, 2), 0.25, 4),  # ceilings exactly used up
    (plan(300, 50, 2, 20, 5, 2, "", 4, 3), 0.0, 5),      # load does not count, fits tie
    (plan(300, 50, 2, 20, 1, 0, "0.5", 0, 5), 2.0, 6),   # all equal
    (plan(1500, 150, 3, 40, 12, 2, "0.05", 0, 4), 1.0, 7),
    (plan(10000, 1000, 3, 40, 30, 3, "", 0, 5), 1.0, 1),  # the size of the issue
]

with open("assign.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow([*CASES[0][0], "fairness", "seed", "cost_units", "unfilled"])
    for p, fairness, seed in CASES:
        cost, left, took = solve(p, fairness, seed)
        out.writerow([*p.values(), fairness, seed, cost, left])
        print(p["tasks"], p["people"], cost, left, f"{took:.2f} s CPU in the solver")
