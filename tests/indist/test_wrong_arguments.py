"""Wrong and swapped arguments end in one sentence that names the argument, as commands' do.

In a process of their own: the tests' checks of types would refuse them first.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

_PREPARE = """
import json, pathlib, sys
import numpy as np
from indist import audits, estimators, oracles

folder = pathlib.Path(sys.argv[1])
logits = np.random.default_rng(0).normal(size=(6, 2, 2)).astype(np.float32)
np.savez(folder / "u.npz", logits=logits)
probes = [{"id": k, "group": "forget", "label": 0} for k in "ab"]
about = {"format": "indist-observations", "version": 1, "probes": probes}
(folder / "u.json").write_text(json.dumps(about))
read = audits.load(folder / "u.npz")
seen = read.content
def part(count):
    return oracles.Observations(logits[:count], seen.labels, seen.groups, seen.ids)
world = oracles.scenarios.load("circles", seed=0)
refs = audits.ObservedReferences(seen, seen)
trained = oracles.train(world, "forget", stream="s", models=2, seed=0)
stored = folder / "stored"
oracles.train(world, "forget", stream="s", models=2, seed=0, directory=stored)
log = audits.llm.LLMLog("m", folder, "TOFU", {"loss": {"0": 1.0}}, {}, ("loss",))

class Tensor:
    # As PyTorch's: no astype, and no way to NumPy while it carries gradients.
    def __init__(self, values, carries=True):
        self.values, self.carries = np.asarray(values), carries
        self.dtype = f"torch.{self.values.dtype}"
    def detach(self):
        return Tensor(self.values, False)
    def cpu(self):
        return self
    def numpy(self):
        if self.carries:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.values
    def __array__(self, *_, **__):
        return self.numpy()

results = {}
for name, code in json.loads(sys.argv[2]).items():
    try:
        results[name] = "gives " + str(eval(code))
    except Exception as error:
        results[name] = f"{type(error).__name__}: {error}"
print(json.dumps(results))
"""

_REFERENCES = "TypeError: references: expected references, as oracles.references, .* found "
_SCENARIO = "TypeError: scenario: expected a scenario, as oracles.scenarios.load makes it, found "
_ORIGINAL = "TypeError: original: expected a population, .* found "
_TRAIN = "oracles.train(world, {}, stream='s', models=2, seed=0).excluded"
_SUBMISSION = "TypeError: submission: expected a Submission .* or Observations, found "
_OBSERVATIONS = "oracles.Observations({}, {}, seen.groups, seen.ids).margins.shape"

_TABLES = "np.full((4, 3), 0.5), np.full((4, 3), 0.25)"
_SCORES = f"estimators.scores.{{}}({_TABLES}, {{}}='unknown')"
_CHANCES = "np.full((4, 3, 2), 0.5), np.zeros(3, int), np.array(['forget', 'retain', 'test'])"


def _names(setting: str, *known: str) -> str:
    return f"ValueError: {setting}: expected one of {', '.join(known)}, found 'unknown'"


# A setting that is a name, given as a name that there is not: none is read as another in silence.
NAMES = {
    **{
        f"{name} density": (_SCORES.format(name, "density"), _names("density", "gaussian", "kde"))
        for name in ("ulira_log_ratios", "ulira_per_example", "ulira_value")
    },
    "ulira": (
        f"estimators.scores.ulira({_TABLES}, seed=0, density='unknown')",
        _names("density", "gaussian", "kde"),
    ),
    "negatives": (
        f"estimators.scores.ulira({_TABLES}, seed=0, negatives='unknown')",
        _names("negatives", "retrained", "unlearned elsewhere"),
    ),
    **{
        name: (_SCORES.format(name, "variant"), _names("variant", "plain", "renormalised"))
        for name in ("klom_per_example", "klom_value")
    },
    "klom": (
        f"estimators.scores.klom({_TABLES}, seed=0, variant='unknown')",
        _names("variant", "plain", "renormalised"),
    ),
    "lira_scores": (
        f"estimators.scores.lira_scores({_TABLES}, np.ones((4, 3), bool), variance='unknown')",
        _names("variance", "each", "shared"),
    ),
    "svc_attack": (
        f"estimators.scores.svc_attack({_CHANCES}, feature='unknown')",
        _names("feature", "confidence", "correctness", "entropy", "modified entropy", "softmax"),
    ),
    "truth_ratio": (
        "estimators.scores.truth_ratio(-np.ones((1, 1, 2)), -np.ones((1, 1)), mean='unknown')",
        _names("mean", "arithmetic", "geometric"),
    ),
    "separate": (
        "__import__('audits.verdict').verdict.separate('unknown')",
        _names("references", "match", "differ", "open"),
    ),
    "untraining": (
        "__import__('audits.verdict').verdict.verdict_of('unknown', 'match', 'separated')",
        _names("untraining", "match", "differ", "open"),
    ),
    "unlearning": (
        "__import__('audits.verdict').verdict.verdict_of('match', 'unknown', 'separated')",
        _names("unlearning", "match", "differ", "open"),
    ),
    "separation": (
        "__import__('audits.verdict').verdict.verdict_of('match', 'match', 'unknown')",
        _names("separation", "separated", "coincide", "unresolved"),
    ),
    "estimand": (
        "estimators.memorization(np.eye(4) > 0, np.eye(4) > 0, estimand='unknown')",
        "ValueError: estimand: expected 'subset' or 'loo', found 'unknown'",
    ),
    "exclusion": (
        "oracles.train(world, 'forget', stream='s', models=2, seed=0, exclusion='unknown')",
        _names("exclusion", "resampled", "masked"),
    ),
    "tolerance": ("audits.audit(part(2), refs, tolerance='unknown')", "TypeError: tolerance: "),
    "without": (
        "oracles.coins(world, seed=0).train('unknown', seed=0)",
        _names("without", "nothing", "forget", "behaviour"),
    ),
}

CASES = {
    **{f"a name of {name}": case for name, case in NAMES.items()},
    "coins of a text": (
        "oracles.draw_coins('abc')",
        "TypeError: candidates: expected names, found one text, 'abc'",
    ),
    "coins found by no truth": (
        "oracles.draw_coins(['a', 'b'], found=[0, 1])",
        "ValueError: found: expected true or false for each of 2, or a chance, found ",
    ),
    "coins of no settings": (
        "oracles.draw_coins(['a'], settings=5)",
        "TypeError: settings: expected names and JSON values, found 5",
    ),
    **{
        f"coins of wrong {setting}": (
            f"oracles.draw_coins(['a'], settings={settings})",
            f"ValueError: settings: {message}",
        )
        for setting, settings, message in (
            ("delta", {"delta": "x"}, r"delta: expected a number in \[0, 1\), found 'x'"),
            ("observables", {"observables": [1]}, "observables: expected a name, found 1"),
            ("clips", {"weights": {"clips": [1.0, "3"]}}, "weights: clips: expected real numbers"),
            ("shares", {"weights": {"main": "x"}}, "weights: main: expected a number in "),
            ("baseline", {"baseline": 5}, "baseline: expected 64 hexadecimal digits, found 5"),
        )
    },
    "coins of uneven clips": (
        "oracles.draw_coins(['a'], settings={'weights': {'clips': [1.0, [2.0]]}})",
        "ValueError: clips: expected rows of one length, found several lengths",
    ),
    "coins of a fraction as rank": (
        "oracles.draw_coins(['a'], settings={'ranks': [0.5]})",
        r"ValueError: ranks\[0\]: expected a whole number of at least 1, found 0.5",
    ),
    "coins of no scenario": ("oracles.coins(5)", _SCENARIO),
    "a design of a number": (
        "oracles.load_design(5)",
        "TypeError: directory: expected a path, found 5",
    ),
    "read references": (
        "audits.audit(part(2), audits.ObservedReferences(read, read)).verdict",
        "gives inconclusive",
    ),
    "references of arrays": (
        "audits.ObservedReferences(logits, logits)",
        "TypeError: untraining: expected observations, .* found ndarray",
    ),
    "references of nothing": (
        "audits.ObservedReferences(seen, None)",
        "TypeError: unlearning: expected observations, .* found None",
    ),
    "swapped": (
        "audits.audit(refs, seen)",
        "TypeError: submission, references: expected in this order, found them swapped",
    ),
    "one swapped": (
        "audits.audit_single(refs, part(1))",
        "TypeError: submission, references: expected in this order, found them swapped",
    ),
    "score swapped": (
        "audits.score(refs, seen, seed=0)",
        "TypeError: submission, references: expected in this order, found them swapped",
    ),
    "references as path": ("audits.audit(seen, 'refs')", _REFERENCES + "'refs'"),
    "references missing": ("audits.audit(seen, None)", _REFERENCES + "None"),
    "one reference": ("audits.audit(seen, seen)", _REFERENCES + "Observations"),
    "submission as path": ("audits.audit('u.npz', refs)", _SUBMISSION + "'u.npz'"),
    "submission as array": ("audits.audit_single(logits, refs)", _SUBMISSION + "ndarray"),
    "one model": (
        "audits.audit(part(1), refs)",
        "FileError: submission: expected at least 2 models, found 1; audit_single tests one",
    ),
    "references of one model": (
        "audits.audit(seen, audits.ObservedReferences(seen, part(1)))",
        "FileError: unlearning: expected at least 2 models, found 1",
    ),
    "epsilon": (
        "audits.audit(seen, refs, epsilon='1')",
        r"TypeError: epsilon: expected a number in \[0, 50\], found '1'",
    ),
    "tolerance": (
        "audits.audit(seen, refs, tolerance=None)",
        r"TypeError: tolerance: expected a number in \(0, 1\), found None",
    ),
    "claim": (
        "audits.audit(seen, refs, claim=(1.0, 1e-5))",
        "TypeError: claim: expected a Claim, .* found tuple",
    ),
    "certify": (
        "audits.certify(np.ones(3), np.ones(3), claim=(1.0, 1e-5))",
        "TypeError: claim: expected a Claim, .* found tuple",
    ),
    "certify method": (
        "audits.certify(np.ones(3), np.ones(3), epsilon=1, method=3)",
        "TypeError: method: expected a lower-bound method such as RankGrid.., found 3",
    ),
    "certify epsilons": (
        "audits.certify(np.ones(3), np.ones(3), epsilon=[1, 2])",
        r"TypeError: epsilon: expected a number in \[0, 50\], found \[1, 2\]",
    ),
    "certify epsilon as text": (
        "audits.certify(np.ones(3), np.ones(3), epsilon='1')",
        r"TypeError: epsilon: expected a number in \[0, 50\], found '1'",
    ),
    "certify delta as text": (
        "audits.certify(np.ones(3), np.ones(3), delta='0.1')",
        r"TypeError: delta: expected a number in \[0, 1\), found '0.1'",
    ),
    "certify observables": (
        "audits.certify(np.ones((3, 2)), np.ones((3, 2)), epsilon=1, observables='ab')",
        "TypeError: observables: expected a list of names, found 'ab'",
    ),
    "certify observables' names": (
        "audits.certify(np.ones((3, 2)), np.ones((3, 2)), epsilon=1, observables=(1, None))",
        "TypeError: observables: expected a list of names, found 1",
    ),
    "claim of an epsilon as text": (
        "audits.claim_of('gaussian', {'mu': 0.5}, epsilon='1')",
        r"TypeError: epsilon: expected a number of at least 0, found '1'",
    ),
    "claim of a delta as text": (
        "audits.claim_of('gaussian', {'mu': 0.5}, delta='0.1')",
        r"TypeError: delta: expected a number in \[0, 1\], found '0.1'",
    ),
    "bound epsilon as text": (
        "estimators.delta_lower_bound(np.ones(3), np.ones(3), epsilon='1')",
        r"TypeError: epsilon: expected numbers in \[0, 50\], .*, found '1'",
    ),
    "bound epsilon as a dictionary": (
        "estimators.delta_upper_bound(np.ones(3), np.ones(3), epsilon={1: 2})",
        r"TypeError: epsilon: expected numbers in \[0, 50\], .*, found \{1: 2\}",
    ),
    "bound epsilon ragged": (
        "estimators.hockey_stick(np.ones(3), np.ones(3), epsilon=[1, [2, 3]])",
        "ValueError: epsilon: expected rows of one length, found several lengths",
    ),
    "bound confidences": (
        "estimators.auc(np.ones(3), np.ones(3), confidence=[0.9])",
        r"TypeError: confidence: expected a number in \(0, 1\), found \[0.9\]",
    ),
    "audit epsilons": (
        "audits.audit(seen, refs, epsilon=[1.0])",
        r"TypeError: epsilon: expected a number in \[0, 50\], found \[1.0\]",
    ),
    "audit tolerances": (
        "audits.audit(seen, refs, tolerance=[.2])",
        r"TypeError: tolerance: expected a number in \(0, 1\), found \[0.2\]",
    ),
    "AUC of text": (
        "estimators.scores.membership_auc(['a'], [1.0])",
        "TypeError: forget: expected real numbers, found dtype <U1",
    ),
    "AUC of large integers": (
        "estimators.scores.membership_auc([1.0], [10**30])",
        "ValueError: holdout: expected numbers that float64 holds, .* found 10{30}",
    ),
    "AUC of a scalar": (
        "estimators.scores.membership_auc(1.0, [1.0])",
        r"ValueError: forget: expected a number for each text, found shape \(\)",
    ),
    "AUC counts": (
        "estimators.scores.membership_auc([1.0], [2.0], [[0.5]])",
        "TypeError: forget_counts: expected whole numbers, found dtype float64",
    ),
    "percentage of nothing": (
        "estimators.scores.sape(None, 0.5)",
        "TypeError: first: expected real numbers, found dtype object",
    ),
    "percentage of text": (
        "estimators.scores.sape(0.5, '0.5')",
        "TypeError: second: expected real numbers, found dtype <U3",
    ),
    "complex percentage": (
        "estimators.scores.sape(1j, 0.5)",
        "TypeError: first: expected real numbers, found dtype complex128",
    ),
    "indiscernible text": (
        "estimators.scores.indiscernibility('0.5')",
        "TypeError: attack: expected real numbers, found dtype <U3",
    ),
    "PrivLeak of text": (
        "estimators.scores.privleak_percent('0.5', 0.5)",
        "TypeError: own: expected real numbers, found dtype <U3",
    ),
    "PrivLeak of other shapes": (
        "estimators.scores.privleak_percent(np.ones(2), np.ones(3))",
        "ValueError: own and reference: expected the same shape, found ",
    ),
    "quality as text": (
        "estimators.scores.final_score('1', retain=([1], [1]), test=([1], [1]))",
        r"TypeError: quality: expected a number in \[0, 1\], found '1'",
    ),
    "large quality": (
        "estimators.scores.final_score(10**400, retain=([1], [1]), test=([1], [1]))",
        "ValueError: quality: expected numbers that float64 holds, .* an integer of 1329 bits",
    ),
    "no accuracies": (
        "estimators.scores.final_score(0.5, retain=None, test=([1], [1]))",
        "TypeError: retain: expected a pair, of the submission and of the reference, found None",
    ),
    "accuracies as text": (
        "estimators.scores.final_score(0.5, retain=([1], ['1']), test=([1], [1]))",
        "TypeError: retain: expected real numbers, found dtype <U1",
    ),
    "no attack": (
        "estimators.scores.tow_mia([[1.0]], [[1.0]], attack=[], groups=['forget'], seed=0)",
        "ValueError: attack: expected a pair, .*, found 0 parts",
    ),
    "attack as a dictionary": (
        "estimators.scores.tow_mia([[1.0]], [[1.0]], attack={1: 2}, groups=['forget'], seed=0)",
        "TypeError: attack: expected a pair, of the submission and of the reference, found dict",
    ),
    "attack out of range": (
        "estimators.scores.tow_mia([[1.]], [[1.]], attack=([2.], [1.]), groups=['forget'], seed=0)",
        r"ValueError: attack: expected numbers in \[0, 1\], found 2 to 2",
    ),
    "adaptive score of other lengths": (
        "estimators.scores.adaptive_unlearning_score([1, 1], [1, 1, 1], original=0.5)",
        "ValueError: test and forget: expected the same shape, found ",
    ),
    "adaptive score of text": (
        "estimators.scores.adaptive_unlearning_score([1], ['1'], original=0.5)",
        "TypeError: forget: expected real numbers, found dtype <U1",
    ),
    "adaptive score's originals": (
        "estimators.scores.adaptive_unlearning_score([1], [1], original=[0.5])",
        r"TypeError: original: expected a number in \[0, 1\], found \[0.5\]",
    ),
    "offline as a list": (
        "estimators.scores.rmia_scores(*[[[0.5]]] * 4, offline=[])",
        r"TypeError: offline: expected a number in \[0, 1\], found \[\]",
    ),
    "offline as a truth value": (
        "estimators.scores.rmia_scores(*[[[0.5]]] * 4, offline=True)",
        r"TypeError: offline: expected a number in \[0, 1\], found True",
    ),
    "rates": (
        "estimators.scores.tpr_per_model([[1.0, 2.0]], [0, 1], fpr=[])",
        r"TypeError: fpr: expected a number in \(0, 1\), found \[\]",
    ),
    "rates of U-LiRA": (
        "estimators.scores.ulira_value(np.ones((3, 1)), np.ones((3, 1)), fpr=[0.5])",
        r"TypeError: fpr: expected a number in \(0, 1\), found \[0.5\]",
    ),
    "compared under no name": (
        "estimators.scores.compared([1.0, 2.0], [1.0, 2.0], name=None)",
        "TypeError: name: expected a name, found None",
    ),
    "compared huge": (
        "estimators.scores.compared([1e308, 1e308], [1.0, 2.0], name='huge')",
        r"ValueError: submission: expected numbers in \[-1e150, 1e150\], found 1e\+308 to 1e\+308",
    ),
    "AUC counts of other texts": (
        "estimators.scores.membership_auc([1.0, 2.0], [2.0], [[1, 1, 1]])",
        r"ValueError: forget_counts: expected \[draws, 2\], found shape \(1, 3\)",
    ),
    "ids as numbers": (
        "oracles.Observations(logits, seen.labels, seen.groups, [1, 2])",
        "TypeError: probe ids: expected a name, found 1",
    ),
    "ids as bytes": (
        "oracles.Observations(logits, seen.labels, seen.groups, [b'a', b'b'])",
        "TypeError: probe ids: expected a name, found bytes",
    ),
    "ids that colour": (
        "oracles.Observations(logits, seen.labels, seen.groups, ['a', '\\x1b[31m'])",
        r"ValueError: probe ids: expected printable characters, found '\\x1b\[31m'",
    ),
    "long ids": (
        "oracles.Observations(logits, seen.labels, seen.groups, ['a', 5000 * 'b'])",
        "ValueError: probe ids: expected a name of 1 to 1000 characters, found 5000: 'b{60}'$",
    ),
    "empty ids": (
        "oracles.Probes(np.ones((1, 2)), np.zeros(1, int), np.array(['forget']), np.array(['']))",
        "ValueError: probe ids: expected a name of 1 to 1000 characters, found 0",
    ),
    "no stream": (
        "oracles.train(world, 'forget', stream='', models=2, seed=0)",
        "ValueError: stream: expected a name of 1 to 1000 characters, found 0: ''",
    ),
    "stream above": (
        "oracles.train(world, 'forget', stream='../x', models=2, seed=0)",
        "ValueError: stream: expected names, or several joined by /, found '../x'",
    ),
    "stream at the root": (
        "oracles.train(world, 'forget', stream='/x', models=2, seed=0)",
        "ValueError: stream: expected names, or several joined by /, found '/x'",
    ),
    "resume": (
        "oracles.train(world, 'forget', stream='s', models=2, seed=0, resume='no')",
        "TypeError: resume: expected True or False, found 'no'",
    ),
    "resume references": (
        "oracles.references(world, models=2, seed=0, resume='no')",
        "TypeError: resume: expected True or False, found 'no'",
    ),
    "resume runs": (
        "oracles.subset_runs(world, models=2, seed=0, resume='no')",
        "TypeError: resume: expected True or False, found 'no'",
    ),
    "resume unlearning": (
        "oracles.unlearn(world, trained, method='finetune', seed=0, resume='no')",
        "TypeError: resume: expected True or False, found 'no'",
    ),
    "references of parameters": (
        "audits.ObservedReferences(audits.load(stored), seen)",
        "FileError: .*stored: holds models, which have to be run: give the scenario .*, or hand in "
        "observations of untraining",
    ),
    "references of one's parameters observed": (
        "audits.ObservedReferences(audits.load(stored).observe(world.probes, "
        "learner=world.learner), seen).untraining.models",
        "gives 2",
    ),
    "mapping": (
        "audits.load(folder / 'u.npz', mapping=3)",
        "TypeError: mapping: expected a Mapping or the path of its JSON file, found 3",
    ),
    "load nothing": ("audits.load(None)", "TypeError: path: expected a path, found None"),
    "load several": ("audits.load(['u.npz'])", "TypeError: path: expected a path, found list"),
    "formats": ("audits.formats.read(3)", "TypeError: path: expected a path, found 3"),
    "sniff": ("audits.formats.sniff(None)", "TypeError: path: expected a path, found None"),
    "load all of one": ("audits.load_all(str(folder / 'u.npz'))", r"gives \[Submission\('u', 6"),
    "load log": ("audits.llm.load(None)", "TypeError: path: expected a path, found None"),
    "logs as path": (
        "audits.llm.compare('a.json', untraining=[log], seed=0)",
        "TypeError: submissions: expected a list of logs, .* found 'a.json'",
    ),
    "logs as paths": (
        "audits.llm.compare([log], untraining=['a.json'], seed=0)",
        "TypeError: untraining: expected a list of logs, .* found 'a.json'",
    ),
    "one log": (
        "audits.llm.compare(log, untraining=[log], seed=0)",
        "TypeError: submissions: expected a list of logs, .* found LLMLog",
    ),
    "train": ("oracles.train('circles', 'forget', stream='s', models=2, seed=0)", _SCENARIO),
    "train swapped": (
        "oracles.train('forget', world, stream='s', models=2, seed=0)",
        _SCENARIO + "'forget'",
    ),
    "stream": (
        "oracles.train(world, 'forget', stream=3, models=2, seed=0)",
        "TypeError: stream: expected a name, found 3",
    ),
    "excluded": (
        _TRAIN.format("'forgot'"),
        "ValueError: excluded: expected one of nothing, forget, .* did you mean .forget",
    ),
    "excluded none": (_TRAIN.format("None"), "ValueError: excluded: expected .* found None"),
    "excluded mask": (
        _TRAIN.format("np.zeros(5, bool)"),
        r"ValueError: excluded: expected .* training indices, found bool \[5\]",
    ),
    "excluded fraction": (
        _TRAIN.format("[0.5]"),
        r"ValueError: excluded: expected .* training indices, found float64 \[1\]",
    ),
    "exclusion": (
        "oracles.train(world, 'forget', stream='s', models=2, seed=0, exclusion='mask')",
        "ValueError: exclusion: expected one of resampled, masked, found 'mask'; did you mean .mas",
    ),
    "models": (
        "oracles.train(world, 'forget', stream='s', models=2.0, seed=0)",
        "ValueError: models: expected a whole number of at least 1, found 2.0",
    ),
    "engine": (
        "oracles.train(world, 'forget', stream='s', models=2, seed=0, engine=None)",
        "TypeError: engine: expected an engine or its name, found None",
    ),
    "references": ("oracles.references('circles', models=2, seed=0)", _SCENARIO + "'circles'"),
    "runs": ("oracles.subset_runs('circles', models=2, seed=0)", _SCENARIO + "'circles'"),
    "unlearn swapped": (
        "oracles.unlearn(trained, world, method='finetune', seed=0)",
        _SCENARIO + "Population",
    ),
    "unlearn references": (
        "oracles.unlearn(world, refs, method='finetune', seed=0)",
        _ORIGINAL + "ObservedReferences",
    ),
    "unlearn models": (
        "oracles.unlearn(world, trained, method='finetune', seed=0, models=True)",
        "ValueError: models: expected a whole number of at least 1, found True",
    ),
    "relearn": (
        "oracles.relearn_losses(refs, world.train, steps=2)",
        "TypeError: population: expected a population, .* found ObservedReferences",
    ),
    "scenario": (
        "oracles.scenarios.load(None, seed=0)",
        "TypeError: scenario: expected a name or the path of a .toml file, found None",
    ),
    "scenario as path": (
        "oracles.scenarios.load(folder / 'x.toml', seed=0)",
        "FileError: .*x.toml: expected a scenario file, found none",
    ),
    "stored references": (
        "oracles.load_references(None)",
        "TypeError: directory: expected a path or a URL, found None",
    ),
    "tensor": (_OBSERVATIONS.format("Tensor(logits)", "Tensor(seen.labels)"), r"gives \(6, 2\)"),
    "lists": (_OBSERVATIONS.format("logits.tolist()", "[0, 0]"), r"gives \(6, 2\)"),
    "sample": (
        "estimators.auc(Tensor(logits[:, 0, 0]), logits[:, 0, 0]).estimate",
        "gives 0.5",
    ),
    "logits": (
        _OBSERVATIONS.format("logits.astype(str)", "seen.labels"),
        "TypeError: logits: expected real numbers, found dtype <U",
    ),
    "complex logits": (
        _OBSERVATIONS.format("logits.astype(complex)", "seen.labels"),
        "TypeError: logits: expected real numbers, found dtype complex128",
    ),
    "labels": (
        _OBSERVATIONS.format("logits", "seen.labels.astype(float)"),
        "TypeError: labels: expected whole numbers, found dtype float64",
    ),
    "labels in a column": (
        _OBSERVATIONS.format("logits", "seen.labels[:, None]"),
        r"ValueError: labels: expected one a probe, found shape \(2, 1\)",
    ),
    "no forget set": (
        "world.with_forget([])",
        "ValueError: circles: forget set: expected at least one training example, found none",
    ),
    "forget set as list": ("world.with_forget(list(world.forget[:3])).sizes['forget']", "gives 3"),
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    codes = json.dumps({name: code for name, (code, _) in CASES.items()})
    folder = str(tmp_path_factory.mktemp("doors"))
    command = [sys.executable, "-W", "ignore", "-c", _PREPARE, folder, codes]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES)
def test_wrong_arguments_end_in_a_sentence(results: dict[str, str], case: str) -> None:
    assert re.match(CASES[case][1], results[case]), results[case]
    assert "\n" not in results[case]


def test_a_path_is_no_list_of_its_letters(tmp_path: Path) -> None:
    from audits import Limits
    from audits._reading import matching

    (tmp_path / "a").touch()
    assert matching(tmp_path / "a", "a file", Limits()) == (tmp_path / "a",)
