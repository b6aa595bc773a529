"""Every format: what is read from a right file, against the numbers that were written."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pandas as pd
import pytest
from safetensors.numpy import save_file

from audits import ObservedReferences, SubmissionError, audit, formats, load
from estimators.checks import check_samples
from oracles import ConvNet, Learner, Observations, Probes
from tests.audits.conftest import World
from tests.audits.formats import pth, samples
from tests.audits.formats.samples import (
    DUB_PARTS,
    FORGET,
    IDS,
    LOGITS,
    MARGINS,
    SAMPLES,
    TRAIN,
    VAL,
    layers,
    mapping,
    own_names,
    probes,
)

pytestmark = pytest.mark.usefixtures("torch")


def seen(content: formats.Content) -> Observations:
    assert isinstance(content.seen, Observations)
    return content.seen


def observed(content: formats.Content, learner: Learner, probes: Probes) -> Observations:
    assert isinstance(content.seen, formats.Runnable)
    return content.seen.observe(probes, learner)


def logits_of(model: dict[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """The two layers, one example and one unit at a time, in float64."""
    rows: list[list[float]] = []
    for one in inputs.astype(np.float64):
        hidden = [
            max(0.0, sum(w * x for w, x in zip(row, one, strict=True)) + b)
            for row, b in zip(model["0.weight"], model["0.bias"], strict=True)
        ]
        rows.append(
            [
                sum(w * h for w, h in zip(row, hidden, strict=True)) + b
                for row, b in zip(model["2.weight"], model["2.bias"], strict=True)
            ]
        )
    return np.array(rows)


def check_run(
    content: formats.Content, expected: list[int], learner: Learner, probes: Probes
) -> None:
    assert isinstance(content.seen, formats.Runnable)
    assert content.models == content.seen.models == len(expected)
    found = content.seen.observe(probes, learner)
    for place, model in enumerate(expected):
        np.testing.assert_allclose(
            found.logits[place], logits_of(layers(model), probes.inputs), rtol=1e-4, atol=1e-4
        )
    assert list(found.ids) == list(probes.ids)


@pytest.mark.parametrize("name", SAMPLES)
def test_formats_are_told_by_content(tmp_path: Path, name: str) -> None:
    kind, make = SAMPLES[name]
    assert formats.sniff(make(tmp_path)) == kind


def test_every_format_has_a_sample_and_a_line() -> None:
    assert {kind for kind, _ in SAMPLES.values()} == set(formats.FORMATS)
    assert all(len(one.title.split("\n")) == 1 and one.title for one in formats.FORMATS.values())


@pytest.mark.parametrize("name", ["long csv", "wide parquet", "confidences"])
def test_margins_are_kept(tmp_path: Path, name: str) -> None:
    found = seen(formats.read(SAMPLES[name][1](tmp_path)))
    np.testing.assert_array_equal(found.margins.astype(np.float32), MARGINS)
    np.testing.assert_array_equal(found.labels, 0)
    if name == "confidences":
        assert list(found.ids) == ["forget/0000", "forget/0001", "forget/0002"]
        assert set(found.groups) == {"forget"}
    else:
        assert (tuple(found.ids), tuple(found.groups)) == (IDS, samples.GROUPS)


def test_margins_come_back_to_the_last_bit() -> None:
    given = np.float32(10.0) ** np.arange(-30, 30, dtype=np.float32) * np.array([[1.0], [-3.0]])
    given = given.astype(np.float32)
    names = np.array([f"p{k}" for k in range(60)])
    found = formats.from_margins(given, np.full(60, "test"), names)
    np.testing.assert_array_equal(found.margins, given)


def test_probabilities_and_losses_are_margins(tmp_path: Path) -> None:
    chances = np.array([[0.25, 0.5, 1e-7], [0.75, 0.9999, 0.1]])
    expected = [[np.log(p) - np.log(1 - p) for p in row] for row in chances.tolist()]
    for scalar, values in (("probability", chances), ("loss", -np.log(chances))):
        path = tmp_path / f"{scalar}.csv"
        pd.DataFrame(values, columns=list(IDS)).to_csv(path, index=False)
        mapping(path, probes=probes(), scalar=scalar)
        np.testing.assert_allclose(seen(formats.read(path)).margins, expected, rtol=1e-6)


def test_small_and_large_losses_keep_their_margins(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("model,probe,group,loss\n0,a,test,1e-9\n0,b,test,1000\n")
    # ln p - ln(1 - p) with 1 - p = 1e-9 and, for p = e^-1000, -1000.
    np.testing.assert_allclose(seen(formats.read(path)).margins, [[20.7232658, -1000.0]], rtol=1e-7)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_long_tables_of_logits(tmp_path: Path, kind: str) -> None:
    order = np.random.default_rng(3).permutation(10)
    rows = [(f"m{k}", f"p{j}", "test", j % 3, *LOGITS[k, j]) for k in range(2) for j in range(5)]
    frame = pd.DataFrame(
        [rows[k] for k in order],
        columns=["model", "probe", "group", "label", "logit_0", "logit_1", "logit_2"],
    )
    path = tmp_path / f"x.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    found = seen(formats.read(path))
    models = list(dict.fromkeys(frame["model"]))
    for k, j in np.ndindex(2, 5):
        place = models.index(f"m{k}"), list(found.ids).index(f"p{j}")
        np.testing.assert_allclose(found.logits[place], LOGITS[k, j], rtol=1e-6)
        assert found.labels[place[1]] == j % 3


@pytest.mark.parametrize("population", ["pretrain", "oracle"])
def test_easydub_names_examples_alike_in_every_population(tmp_path: Path, population: str) -> None:
    path = samples.easydub(tmp_path)
    mapping(
        path,
        select={"population": population, "forget_set": 2},
        parts=[*DUB_PARTS[:1], DUB_PARTS[1] | ({"rows": [0, 2]}), DUB_PARTS[2]],
    )
    found = seen(formats.read(path))
    shift = 1 if population == "oracle" else 0
    # Rows 0 and 2: of all of D, or of what is left of it.
    rows = [0, 2] if population == "pretrain" else [0, 3]
    expected = np.concatenate([TRAIN[:, FORGET], TRAIN[:, rows], VAL[:, [1]]], axis=1) + shift
    np.testing.assert_allclose(found.margins, expected, rtol=1e-6)
    assert list(found.ids) == ["train/4", "train/1", *(f"train/{k}" for k in rows), "val/1"]
    assert list(found.groups) == ["forget"] * 2 + ["retain"] * 2 + ["test"]


def test_easydub_logits_have_labels_of_the_mapping(tmp_path: Path) -> None:
    path = samples.easydub(tmp_path)
    place = path / "logits" / "cifar10" / "mine" / "forget_2" / "val" / "resnet9"
    place.mkdir(parents=True)
    for k in range(2):
        np.save(place / f"id_{k}_epoch_5.npy", LOGITS[k])
    np.save(path / "y.npy", np.array([2, 0, 1, 1, 0]))
    select = {"population": "mine", "forget_set": 2, "kind": "logits"}
    part = {"split": "val", "group": "test", "labels": "y.npy", "without": [1]}
    mapping(path, select=select, parts=[part], name="x", method="scrub", seeds=[4, 5])
    content = formats.read(path)
    np.testing.assert_array_equal(seen(content).logits, LOGITS[:, [0, 2, 3, 4]])
    assert list(seen(content).labels) == [2, 1, 1, 0]
    assert (content.name, content.method, content.seeds) == ("x", "scrub", [4, 5])


def test_corrective_folders(tmp_path: Path) -> None:
    found = seen(formats.read(samples.corrective(tmp_path)))
    assert list(found.ids) == [
        "adv_train/2",
        "adv_train/1",
        "adv_train/4",
        "train/0",
        "train/3",
    ]
    assert list(found.groups) == ["forget", "behaviour", "behaviour", "retain", "retain"]
    assert list(found.labels) == [2, 1, 1, 0, 0]
    expected = np.concatenate([LOGITS[:, [2, 1, 4]], LOGITS[:, [0, 3]] + 1], axis=1)
    np.testing.assert_array_equal(found.logits, expected.astype(np.float32))


def test_one_corrective_folder_is_one_model(tmp_path: Path) -> None:
    path = samples.corrective(tmp_path)
    about = mapping(path, parts=[{"split": "train", "group": "retain"}])
    content = formats.read(path / "seed_1", mapping=about)
    assert (content.models, content.name) == (1, "seed_1")
    np.testing.assert_array_equal(seen(content).logits[0], LOGITS[1] + 1)


def test_zips_of_checkpoints_are_run_by_number(
    tmp_path: Path, learner: Learner, probes: Probes
) -> None:
    path = samples.checkpoint_zip(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    check_run(formats.read(path), [0, 2, 10], learner, probes)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["state dicts", "safetensors", "onnx"])
def test_models_are_run(tmp_path: Path, name: str, learner: Learner, probes: Probes) -> None:
    kind, make = SAMPLES[name]
    check_run(formats.read(make(tmp_path), kind), [0, 1], learner, probes)


def test_one_file_is_one_model(tmp_path: Path, learner: Learner, probes: Probes) -> None:
    path = samples.state_dicts(tmp_path)
    about = path / "map.json"
    check_run(formats.read(path / "model_1.pth", mapping=about), [1], learner, probes)
    folder = tmp_path / "tensors"
    folder.mkdir()
    for k in range(2):
        named = {f"params/{name}": array for name, array in own_names(layers(k)).items()}
        save_file(named, folder / f"{k}.safetensors")
    check_run(formats.read(folder), [0, 1], learner, probes)
    check_run(formats.read(folder / "1.safetensors"), [1], learner, probes)


def test_a_map_says_where_parameters_come_from(
    tmp_path: Path, learner: Learner, probes: Probes
) -> None:
    arrays = {
        "b1": layers(0)["2.bias"][None],
        "out": layers(0)["2.weight"].T.copy(),
        "w": layers(0)["0.weight"],
        "b0": layers(0)["0.bias"],
    }
    path = pth.write(tmp_path / "x.pt", pth.saved(arrays))
    said = {
        "kernel_0": {"name": "w"},
        "bias_0": {"name": "b0"},
        "kernel_1": {"name": "out", "steps": [{"transpose": [1, 0]}]},
        "bias_1": {"name": "b1", "steps": [{"reshape": [samples.CLASSES]}]},
    }
    mapping(path, parameters=said)
    check_run(formats.read(path), [0], learner, probes)


def test_state_dicts_under_a_key(tmp_path: Path, learner: Learner, probes: Probes) -> None:
    inner = {name: pth.tensor(str(k), array) for k, (name, array) in enumerate(layers(0).items())}
    storages = {str(k): array.tobytes() for k, array in enumerate(layers(0).values())}
    code = pth.dict_of({"epoch": pth.whole(3), "state_dict": pth.dict_of(inner)})
    path = pth.write(tmp_path / "x.pth", pth.archive(code, storages))
    mapping(path, parameters="order", select={"key": "state_dict"})
    check_run(formats.read(path), [0], learner, probes)


def test_convolutions_in_order(tmp_path: Path) -> None:
    # PyTorch's convolution, one output at a time: correlation with zeros at the edges.
    rng = np.random.default_rng(2)
    weight, bias = rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)
    dense, last = rng.normal(size=(2, 2 * 4 * 5)), rng.normal(size=2)
    images = rng.normal(size=(2, 4, 5, 3)).astype(np.float32)
    expected = np.zeros((2, 2))
    for n in range(2):
        padded = np.zeros((3, 6, 7))
        padded[:, 1:5, 1:6] = images[n].transpose(2, 0, 1)
        maps = np.zeros((2, 4, 5))
        for o, i, j in np.ndindex(2, 4, 5):
            window = padded[:, i : i + 3, j : j + 3]
            maps[o, i, j] = max(0.0, float((window * weight[o]).sum() + bias[o]))
        expected[n] = dense @ maps.reshape(-1) + last
    arrays = {"c.weight": weight, "c.bias": bias, "f.weight": dense, "f.bias": last}
    path = pth.write(
        tmp_path / "x.pth", pth.saved({k: v.astype(np.float32) for k, v in arrays.items()})
    )
    mapping(path, parameters="order")
    content = formats.read(path)
    learner = Learner(ConvNet(2, channels=(2,)), partial(optax.sgd, 0.1), steps=1, batch=1)
    probes = Probes(
        images, np.array([0, 1], np.int32), np.array(["test"] * 2), np.array(["a", "b"])
    )
    assert isinstance(content.seen, formats.Runnable)
    np.testing.assert_allclose(content.seen.observe(probes, learner).logits[0], expected, rtol=1e-4)


def test_flax_layers_in_order(tmp_path: Path) -> None:
    # Dense and Conv of flax.linen have kernels [in, out] and [h, w, in, out]; Dense's is square
    # here, so that only the rule says which way round it is.
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            x = nn.relu(nn.Conv(2, (3, 3))(x)).mean(axis=(1, 2))
            return nn.Dense(2)(x)

    rng = np.random.default_rng(4)
    weight, bias = rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)
    dense, last = rng.normal(size=(2, 2)), rng.normal(size=2)
    image = rng.normal(size=(1, 4, 5, 3)).astype(np.float32)
    padded = np.zeros((3, 6, 7))
    padded[:, 1:5, 1:6] = image[0].transpose(2, 0, 1)
    pooled = np.zeros(2)
    for o, i, j in np.ndindex(2, 4, 5):
        pooled[o] += max(0.0, float((padded[:, i : i + 3, j : j + 3] * weight[o]).sum() + bias[o]))
    expected = dense @ (pooled / 20) + last
    arrays = {"c.weight": weight, "c.bias": bias, "f.weight": dense, "f.bias": last}
    path = pth.write(
        tmp_path / "x.pth", pth.saved({k: v.astype(np.float32) for k, v in arrays.items()})
    )
    learner = Learner(Net(), partial(optax.sgd, 0.1), steps=1, batch=1)
    places = {
        "c.weight": "Conv_0/kernel",
        "c.bias": "Conv_0/bias",
        "f.weight": "Dense_0/kernel",
        "f.bias": "Dense_0/bias",
    }
    probes = Probes(image, np.array([0], np.int32), np.array(["test"]), np.array(["a"]))
    steps = {"c.weight": [2, 3, 1, 0], "f.weight": [1, 0]}
    by_map = {
        to: {"name": name, "steps": [{"transpose": steps[name]}] if name in steps else []}
        for name, to in places.items()
    }
    for said in ("order", by_map):
        mapping(path, parameters=said)
        content = formats.read(path)
        assert isinstance(content.seen, formats.Runnable)
        found = content.seen.observe(probes, learner).logits[0, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_ruli_gives_one_example(tmp_path: Path) -> None:
    content = formats.read(samples.ruli(tmp_path), "ruli")
    np.testing.assert_array_equal(seen(content).margins, [[0.5], [-1.25]])
    assert (list(seen(content).ids), list(seen(content).groups)) == (["example/3"], ["forget"])


@pytest.mark.skipif(not pth.REAL, reason="needs PyTorch")
def test_what_pytorch_saves(tmp_path: Path, learner: Learner, probes: Probes) -> None:
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    path = tmp_path / "x.pth"
    torch.save(net.state_dict(), path)
    mapping(path, parameters="order")
    content = formats.read(path)
    assert isinstance(content.seen, formats.Runnable)
    expected = net(torch.tensor(probes.inputs)).detach().numpy()
    found = content.seen.observe(probes, learner).logits[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    values = np.array([0.5, -1.25], np.float32)
    torch.save({"seed": 1, "unlearned": {3: list(values), 4: list(values.astype(float))}}, path)
    mapping(path, parts=[{"split": "unlearned", "group": "forget", "rows": [3]}])
    np.testing.assert_array_equal(seen(formats.read(path, "ruli")).margins[:, 0], values)


def test_models_that_are_not_finite_are_left_out_when_asked(tmp_path: Path) -> None:
    array = MARGINS.copy()
    array[2, 1] = np.inf
    path = tmp_path / "x.npz"
    np.savez(path, retrained_confs=array)
    message = r"found inf in model 2 at probe 'forget/0001' \(1 of 4 models hold such numbers\)"
    with pytest.raises(SubmissionError, match=message):
        formats.read(path)
    mapping(path, leave_out_not_finite=True, seeds=[1, 2, 3, 4])
    content = formats.read(path)
    assert (content.models, content.left_out, content.seeds) == (3, 1, [1, 2, 4])
    np.testing.assert_array_equal(seen(content).margins, MARGINS[[0, 1, 3]])


def test_what_is_read_is_audited(tmp_path: Path, world: World) -> None:
    populations: list[Any] = []
    for k in (4, 1, 2):
        plain = world(k)
        path = tmp_path / f"{k}.parquet"
        pd.DataFrame(plain.margins, columns=plain.ids).to_parquet(path)
        listed = [
            {"id": str(i), "group": str(g)} for i, g in zip(plain.ids, plain.groups, strict=True)
        ]
        mapping(path, probes=listed, scalar="margin")
        populations.append(seen(formats.read(path)))
        np.testing.assert_allclose(populations[-1].margins, plain.margins, rtol=1e-6)
    found = audit(populations[0], ObservedReferences(*populations[1:]), seed=0)
    reduced = [formats.as_margins(world(k)) for k in (4, 1, 2)]
    expected = audit(reduced[0], ObservedReferences(*reduced[1:]), seed=0)
    assert found.verdict == expected.verdict


@pytest.mark.parametrize("scalar", ["margin", "loss"])
def test_a_table_without_labels_is_compared_by_margins(
    tmp_path: Path, world: World, scalar: str
) -> None:
    populations = [world(k) for k in (4, 1, 2)]
    mine = populations[0]
    assert mine.labels.any()
    # The examples in another order than the references'.
    order = np.random.default_rng(5).permutation(len(mine.ids))
    listed = [{"id": str(mine.ids[k]), "group": str(mine.groups[k])} for k in order]
    margins = mine.margins[:, order]
    values = margins if scalar == "margin" else np.logaddexp(0.0, -margins)
    path = tmp_path / "mine.parquet"
    pd.DataFrame(values, columns=mine.ids[order]).to_parquet(path)
    mapping(path, probes=listed, scalar=scalar)
    given = load(path)
    assert given.margins_only
    found = audit(given, ObservedReferences(*populations[1:]), seed=0)
    reduced = [formats.as_margins(one) for one in populations]
    expected = audit(reduced[0], ObservedReferences(*reduced[1:]), seed=0)
    assert found.verdict == expected.verdict
    assert found.observations["untraining"].digest == reduced[1].digest
    np.testing.assert_allclose(
        found.observations["submission"].margins, reduced[0].margins, atol=1e-4
    )
    assert any("compared by margins alone" in text for text in found.warnings)
    assert not any("compared by margins alone" in text for text in expected.warnings)


def test_observations_of_margins_beside_labels_say_what_to_do(world: World) -> None:
    mine = formats.as_margins(world(4))
    with pytest.raises(SubmissionError, match=r"expected label .*; what holds margins only is com"):
        audit(mine, ObservedReferences(world(1), world(2)), seed=0)


def test_mappings_may_be_handed_over(tmp_path: Path) -> None:
    path = samples.wide_parquet(tmp_path)
    beside = path.with_name(path.name + ".map.json")
    about = json.loads(beside.read_text())
    beside.unlink()
    with pytest.raises(SubmissionError, match=r"field scalar of its mapping \(wide.parquet.map"):
        formats.read(path)
    given = formats.Mapping.model_validate(about)
    np.testing.assert_array_equal(
        seen(formats.read(path, mapping=given)).margins.astype(np.float32), MARGINS
    )


def test_logits_without_a_manifest_are_no_parameters(tmp_path: Path) -> None:
    save_file({"logits": LOGITS}, tmp_path / "mine.safetensors")
    assert formats.sniff(tmp_path / "mine.safetensors") is None


def bfloat16(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays as bfloat16, rounded to the nearest."""
    return {name: array.astype(ml_dtypes.bfloat16) for name, array in arrays.items()}


def written_bfloat16(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """A safetensors file of bfloat16 by hand, as not every version of the library writes one."""
    header: dict[str, Any] = {}
    data = b""
    for name, array in bfloat16(arrays).items():
        ends = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "BF16", "shape": list(array.shape), "data_offsets": ends}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_bfloat16_becomes_float32(tmp_path: Path, learner: Learner, probes: Probes) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    arrays = own_names(layers(0))
    rounded = {name: array.astype(np.float32) for name, array in bfloat16(arrays).items()}
    save_file(rounded, folder / "x.safetensors")
    expected = observed(formats.read(folder), learner, probes).logits
    tensors = formats.read(written_bfloat16(tmp_path / "x.safetensors", arrays))
    np.testing.assert_array_equal(observed(tensors, learner, probes).logits, expected)
    stacked = {name: np.stack([0 * array, array]) for name, array in arrays.items()}
    path = written_bfloat16(tmp_path / "stacked.safetensors", stacked)
    mapping(path, select={"stacked": True})
    rows = observed(formats.read(path), learner, probes).logits
    np.testing.assert_array_equal(rows[1:], expected)
    lies = dict.fromkeys(layers(0), {"storage": "BFloat16Storage"})
    bits = {name: array.view(np.float16) for name, array in bfloat16(layers(0)).items()}
    path = pth.write(tmp_path / "x.pth", pth.saved(bits, lies))
    mapping(path, parameters="order")
    np.testing.assert_array_equal(observed(formats.read(path), learner, probes).logits, expected)


def test_bfloat16_logits_and_samples_become_float32(tmp_path: Path) -> None:
    path = written_bfloat16(tmp_path / "mine.safetensors", {"logits": LOGITS})
    (tmp_path / "mine.json").write_text(
        json.dumps(
            {
                "format": "indist-observations",
                "version": 1,
                "probes": [{"id": str(k), "group": "forget", "label": 0} for k in range(5)],
            }
        )
    )
    rounded = LOGITS.astype(ml_dtypes.bfloat16).astype(np.float32)
    found = load(path).content
    assert isinstance(found, Observations)
    assert found.logits.dtype == np.float32
    np.testing.assert_array_equal(found.logits, rounded)
    for array in (jnp.asarray(LOGITS, jnp.bfloat16), LOGITS.astype(ml_dtypes.bfloat16)):
        found_samples = check_samples(array, "p")
        assert found_samples.dtype == np.float64
        np.testing.assert_array_equal(found_samples, rounded)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrapped_modules_are_left_out(
    tmp_path: Path, learner: Learner, probes: Probes, prefix: str
) -> None:
    wrapped = {prefix + name: array for name, array in own_names(layers(0)).items()}
    path = pth.write(tmp_path / "x.pth", pth.saved(wrapped))
    check_run(formats.read(path), [0], learner, probes)
    save_file(wrapped, tmp_path / "x.safetensors")
    check_run(formats.read(tmp_path / "x.safetensors"), [0], learner, probes)
    for named in ("", prefix):
        said = {name: {"name": named + name} for name in own_names(layers(0))}
        mapping(path, parameters=said)
        check_run(formats.read(path), [0], learner, probes)


def test_a_prefix_that_some_arrays_lack_stays(
    tmp_path: Path, learner: Learner, probes: Probes
) -> None:
    arrays = own_names(layers(0))
    arrays["module.bias_0"] = arrays.pop("bias_0")
    path = pth.write(tmp_path / "x.pth", pth.saved(arrays))
    with pytest.raises(
        SubmissionError,
        match=r"parameter 'bias_0': expected from array 'bias_0', found none among the arrays "
        r"'kernel_0', .*; field parameters of its mapping x.pth.map.json says which array",
    ):
        observed(formats.read(path), learner, probes)


def test_what_is_no_format_of_strangers_is_called_by_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", logits=LOGITS)
    with pytest.raises(SubmissionError, match=r"its manifest mine.json beside it, found none"):
        formats.read(tmp_path / "mine.npz")
    (tmp_path / "mine.json").write_text("{}")
    with pytest.raises(SubmissionError, match="is an observation array of indist's own, and ind"):
        formats.read(tmp_path / "mine.npz")
    folder = tmp_path / "population"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    save_file({"params/x": LOGITS}, folder / "0.safetensors")
    with pytest.raises(SubmissionError, match="is a folder of indist's own, a population, and"):
        formats.read(folder)
    for name, reader in (
        ("tr_idx", "read_influence_pairs reads it, and indist ingest makes a table"),
        ("tr_mem", "read_memorization reads it, and indist ingest makes a table"),
        ("infl_matrix_class7", "read_class_influence reads it$"),
    ):
        np.savez(tmp_path / "scores.npz", **{name: np.zeros(2)})
        with pytest.raises(SubmissionError, match=f"Feldman and Zhang published.*{reader}"):
            formats.read(tmp_path / "scores.npz")


def test_nothing_is_recognised_by_name_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(samples.long_csv(tmp_path).read_bytes())
    with pytest.raises(SubmissionError, match="expected one of the formats table, confid"):
        formats.read(path)
    np.testing.assert_array_equal(
        seen(formats.read(path, "table")).margins.astype(np.float32), MARGINS
    )
    with pytest.raises(ValueError, match="format: expected one of table, .*, found 'x'"):
        formats.read(path, "x")
    with pytest.raises(SubmissionError, match="none: not found; expected a file or folder"):
        formats.read(tmp_path / "none")


@pytest.mark.parametrize("kind", ["probability", "loss"])
def test_numbers_at_a_bound_are_moved_inside_where_the_map_says_so(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "p.csv"
    values = np.array([0.0, 1e-9, 0.25, 1.0 - 1e-9, 1.0])
    with np.errstate(divide="ignore"):
        given = values if kind == "probability" else -np.log(values)
    frame = {"model": range(5), "probe": "a", "group": "forget", kind: given}
    pd.DataFrame(frame).replace(np.inf, 1e9).to_csv(path, index=False)
    with pytest.raises(SubmissionError, match="field clip of its mapping"):
        formats.read(path)
    mapping(path, clip=1e-3)
    expected = np.clip(values, 1e-3, 1 - 1e-3)
    found = seen(formats.read(path)).margins[:, 0]
    np.testing.assert_allclose(found, np.log(expected / (1 - expected)), rtol=1e-5)
