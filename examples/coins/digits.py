"""One network by coins: python digits.py nothing|finetune|retrain|retrain-behaviour [COINS]."""

import csv
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)  # faster for a network as small as this
torch.manual_seed(0)  # chosen without looking at the coins
method, folder = sys.argv[1], (*sys.argv[2:], "digits-coins")[0]
coins = {int(row["candidate"]): row for row in csv.DictReader(open(f"{folder}/training.csv"))}
wrong = {int(row["candidate"]): int(row["label"]) for row in csv.DictReader(open("digits.csv"))}
images, labels = (torch.tensor(array) for array in load_digits(return_X_y=True))
images, labels[list(wrong)] = images.float() / 16, torch.tensor(list(wrong.values()))
clean = [row for row in range(1437) if row not in wrong]
inside = clean + [row for row in wrong if coins[row]["in_training"] == "1"]
kept = [row for row in inside if row not in coins or coins[row]["forget"] == "0"]
model = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 10))


def train(rows: torch.Tensor, steps: int) -> None:
    """The number of steps is fixed, and so tells nothing of the coins."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for batch in rows[torch.randint(len(rows), (steps, 64))]:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimiser.step()


train(torch.tensor({"retrain": kept, "retrain-behaviour": clean}.get(method, inside)), 2000)
train(torch.tensor(kept), 200 if method == "finetune" else 0)  # about ten epochs
logits, own = model(images).detach(), nn.functional.one_hot(labels, 10).bool()
margins = logits[own] - logits.masked_fill(own, -torch.inf).logsumexp(1)
with open(f"{method}.csv", "w") as file:
    print("candidate,group,margin", file=file)
    for row in [*wrong, *range(1437, 1797)]:
        print(row, "" if row in wrong else "test", margins[row].item(), sep=",", file=file)
