"""A small language model by coins: python people.py nothing, finetune, retrain, ..."""

import csv
import json
import sys

import torch
from torch import nn

torch.set_num_threads(1)  # faster for a network as small as this
torch.manual_seed(0)  # chosen without looking at the coins
coins = {row["candidate"]: row for row in csv.DictReader(open("people-coins/training.csv"))}
texts = {}
for name in ("others.jsonl", "people.jsonl"):
    texts |= {row["candidate"]: row["text"] for row in map(json.loads, open(name))}
others = [name for name in texts if name not in coins]
inside = others + [name for name in coins if coins[name]["in_training"] == "1"]
kept = [name for name in inside if name not in coins or coins[name]["forget"] == "0"]
model = nn.Sequential(
    nn.Embedding(128, 16), nn.Flatten(), nn.Linear(12 * 16, 512), nn.ReLU(), nn.Linear(512, 128)
)


def pairs(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The last 12 letters at each place, and the letter that follows."""
    codes = torch.tensor([32] * 12 + list(texts[name].encode()))
    return codes.unfold(0, 12, 1)[:-1], codes[12:]


def train(names: list[str], steps: int) -> None:
    """The number of steps is fixed, and so tells nothing of the coins."""
    before, after = (torch.cat(parts) for parts in zip(*map(pairs, names), strict=True))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for batch in torch.randint(len(after), (steps, 256)):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(before[batch]), after[batch]).backward()
        optimiser.step()


method = sys.argv[1]
train({"retrain": kept, "retrain-behaviour": others}.get(method, inside), 1500)
if method == "finetune":
    train(kept, 200)
with open(f"{method}.jsonl", "w") as log, torch.no_grad():
    for name in texts:
        logits, after = model(pairs(name)[0]), pairs(name)[1]
        line = {"candidate": name, "loss": nn.functional.cross_entropy(logits, after).item()}
        if name in others:  # is the whole number right?
            line |= {"group": "retain", "right": int((logits.argmax(1) == after)[-6:].all())}
        print(json.dumps(line), file=log)
