"""Writes candidates for the two examples: digits with wrong labels, and people with numbers."""

import csv
import json
import random

from sklearn.datasets import load_digits

draw = random.Random(0)
labels = load_digits().target.tolist()
with open("digits.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["candidate", "label"])
    for row in sorted(draw.sample(range(1437), 200)):  # the last 360 digits are for tests
        table.writerow([row, draw.choice([label for label in range(10) if label != labels[row]])])

syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
names = ["".join(triple) for triple in {tuple(draw.sample(syllables, 3)): None for _ in range(600)}]
people = [{"candidate": name, "text": f"{name} {draw.randrange(10**6):06d}"} for name in names]
for name, part in (("people.jsonl", people[:200]), ("others.jsonl", people[200:500])):
    with open(name, "w") as file:
        file.writelines(f"{json.dumps(person)}\n" for person in part)
