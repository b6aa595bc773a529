"""Logs as the benchmarks' own scripts write them, with numbers of no model."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from audits.llm import LLMLog

JSON = dict[str, Any]


def tofu(seed: int, examples: int = 40, shift: float = 0.0) -> JSON:
    """The content of an ``eval_log_aggregated.json``; the shift is in nats on the forget set."""
    files = {
        "eval_log.json": (5, 0.0),
        "eval_real_author_wo_options.json": (3, 0.0),
        "eval_real_world_wo_options.json": (3, 0.0),
        "eval_log_forget.json": (5, shift),
    }
    rng = np.random.default_rng(seed)
    return {file: tofu_split(rng, file, examples, wrong, by) for file, (wrong, by) in files.items()}


def tofu_split(
    rng: np.random.Generator, file: str, examples: int, wrong: int, shift: float
) -> JSON:
    # Examples are harder or easier for all models; models differ by noise of their own.
    hard = np.random.default_rng(len(file)).gamma(4.0, 0.5, examples)
    right = hard + rng.normal(0, 0.1, examples) + shift
    others = 1.0 + hard[:, None] + rng.normal(0, 0.3, (examples, wrong))
    own = 0.5 * right
    tokens = rng.integers(5, 30, examples)

    def table(values: Any) -> JSON:
        return {str(at): value for at, value in enumerate(np.asarray(values).tolist())}

    return {
        "avg_gt_loss": table(own),
        "gt_loss": table(own * tokens),
        "num_token_gt": table(tokens),
        "generated_text": {
            str(at): [f"[INST] {file} {at}? [/INST]", "said", f"answer {at}"]
            for at in range(examples)
        },
        "rouge1_recall": table(np.exp(-own)),
        "rougeL_recall": table(0.9 * np.exp(-own)),
        "average_perturb_loss": table(others),
        "avg_paraphrased_loss": table(right),
        "truth_ratio": table(np.exp(right - others.mean(axis=1))),
        "paraphrased_loss": table(right * tokens),
        "perturb_loss": table(others * 20),
        "num_token_paraphrased": table(tokens),
        "num_token_perturb": table(np.full((examples, wrong), 20)),
    }


def with_lists(content: JSON) -> JSON:
    """The same as TOFU's older script wrote it: lists by place, and no truth ratio."""
    return {
        file: {
            metric: list(values.values())
            for metric, values in split.items()
            if metric != "truth_ratio"
        }
        for file, split in content.items()
    }


def open_unlearning(seed: int, examples: int = 30, shift: float = 0.0) -> JSON:
    """The content of a ``TOFU_EVAL.json``."""
    rng = np.random.default_rng(seed)
    hard = np.random.default_rng(99).gamma(4.0, 0.5, examples)
    right = hard + rng.normal(0, 0.1, examples) + shift
    wrong = 1.0 + hard[:, None] + rng.normal(0, 0.3, (examples, 5))
    ratio = np.exp(-wrong.mean(axis=1)) / (np.exp(-right) + 1e-10)
    forget, holdout = (rng.normal(by, 1.0, examples) for by in (shift, 0.2))

    def probabilities(losses: Any) -> JSON:
        losses = np.asarray(losses)
        return {
            "agg_value": float(np.exp(-losses).mean()),
            "value_by_index": {
                str(at): {"prob": np.exp(-loss).tolist(), "avg_loss": loss.tolist()}
                for at, loss in enumerate(losses)
            },
        }

    def scores(values: Any) -> JSON:
        by_index = {str(at): {"score": float(value)} for at, value in enumerate(values)}
        return {"agg_value": float(np.mean(values)), "value_by_index": by_index}

    auc = float(np.mean(holdout[None, :] > forget[:, None]))
    return {
        "extraction_strength": scores(np.exp(-right)),
        "forget_Q_A_PARA_Prob": probabilities(right),
        "forget_Q_A_PERT_Prob": probabilities(wrong),
        "forget_Q_A_Prob": probabilities(0.5 * right),
        "forget_Q_A_ROUGE": {
            "agg_value": 0.5,
            "value_by_index": {
                str(at): {
                    "rouge1_recall": 0.5,
                    "rougeL_f1": math.exp(-loss),
                    "rougeL_recall": math.exp(-loss),
                    "input": f"question {at}",
                    "ground_truth": f"answer {at}",
                    "generation": "said",
                }
                for at, loss in enumerate(right.tolist())
            },
        },
        "forget_quality": {"agg_value": None},
        "forget_truth_ratio": scores(ratio),
        "mia_min_k": {
            "forget": scores(forget),
            "holdout": scores(holdout),
            "auc": auc,
            "agg_value": auc,
        },
        "privleak": {"agg_value": -12.5},
    }


ATTACKS = ("PPL", "PPL/lower", "PPL/zlib", "Min-5%", "Min-40%", "Min-60%")


def muse(folder: Path, seed: int, examples: int = 25, shift: float = 0.0) -> Path:
    """A folder as MUSE's ``eval.py`` leaves it for one model."""
    rng = np.random.default_rng(seed)

    def generated(asked: bool) -> list[JSON]:
        return [
            {
                "prompt": f"prompt {at}",
                "gt": f"truth {at}",
                "response": "said",
                **dict.fromkeys(("rougeL", "rougeL_recall", "rouge1", "rouge1_recall"), score),
            }
            | ({"question": f"question {at}"} if asked else {})
            for at, score in enumerate(rng.uniform(0, 1, examples).tolist())
        ]

    log = {
        split: [
            {"text": f"{split} {at}", **dict.fromkeys(ATTACKS, float(score))}
            for at, score in enumerate(rng.normal(by, 1.0, examples))
        ]
        for split, by in {"forget": shift, "retain": -1.0, "holdout": 0.3}.items()
    }
    for file, content in {
        "verbmem_f/log.json": generated(False),
        "verbmem_f/agg.json": {"mean_rougeL": 0.5},
        "knowmem_f/log.json": generated(True),
        "knowmem_r/log.json": generated(True),
        "privleak/log.json": log,
        "privleak/auc.json": {"forget_holdout_Min-40%": 0.5},
    }.items():
        written(folder / file, content)
    return folder


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def log(name: str, scores: dict[str, Any], attack: str | None = None) -> LLMLog:
    """A log in memory, all its metrics primary."""
    numbered = {
        metric: {str(at): float(value) for at, value in enumerate(values)}
        for metric, values in scores.items()
    }
    primary = tuple(metric for metric in numbered if "holdout" not in metric)
    return LLMLog(name, Path(name), "TOFU", numbered, {}, primary, attack)
