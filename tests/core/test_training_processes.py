"""Several processes that train together, and training that was killed."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from seginst_core.events import Reporter
from seginst_core.models.card import read_card
from seginst_core.models.config import NESTED_UNETS
from seginst_core.models.losses import deep_mask_loss
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.weights import load_weights
from seginst_core.sample.write import write_sample
from seginst_core.training.batches.masks import mask_batch
from seginst_core.training.loop import Budget, batch_rng, fit
from seginst_core.training.recipe import DEFAULTS
from seginst_core.training.scenes import load_scenes

N_ITERATIONS = 4
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, n_images=3, seed=1, side_px=256)
    return folder


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(sample, out, *words):
    data = ["--data", str(sample / "instances_train.json"), "--images", str(sample / "images")]
    plain = ["--preset", "tiny", "--device", "cpu", "--out", str(out), "--json"]
    return ["-m", "seginst_core.cli", "train", *data, *plain, *words]


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, env=ONE_THREAD)
    return done, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def fit_unet(scenes, losses_of, batch_at):
    """Train the tiny nested U-Net as a run does; used by this process and by its children."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    unet = NestedUNet(4, NESTED_UNETS["tiny"].widths, "plain")
    average = fit(
        unet,
        lambda batch: losses_of(unet, batch),
        batch_at,
        budget=Budget(iterations=N_ITERATIONS),
        learning_rate=1e-3,
        recipe=DEFAULTS,
        seed=3,
        part="mask network",
        reporter=Reporter(),
    )
    return unet.state_dict(), average


def draw(scenes, rng):
    return mask_batch(scenes, rng, batch=2, config=NESTED_UNETS["tiny"], recipe=DEFAULTS)


CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import torch
from test_training_processes import deep_mask_loss, draw, fit_unet, load_scenes, Reporter
from seginst_core.training import distributed
folder = Path(sys.argv[2])
scenes = load_scenes(folder / "instances_train.json", folder / "images", Reporter())
with distributed.joined():
    assert distributed.n_processes() == 2
    state = fit_unet(
        scenes, lambda unet, b: deep_mask_loss(unet(b[0]), b[1]), lambda rng: draw(scenes, rng)
    )
    torch.save(state, sys.argv[3] + str(distributed.rank()))
"""


def test_two_processes_take_the_steps_of_one_with_both_batches(tmp_path, sample):
    child = tmp_path / "child.py"
    child.write_text(CHILD)
    here = str(Path(__file__).parent)
    done, _ = run([*TORCHRUN, str(child), here, str(sample), str(tmp_path / "state")])
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / f"state{rank}", weights_only=True) for rank in range(2)]
    scenes = load_scenes(sample / "instances_train.json", sample / "images", Reporter())
    iterations = iter(range(N_ITERATIONS + 1))

    def both(rng):
        iteration = next(iterations)
        return [draw(scenes, batch_rng(3, "mask network", iteration, rank)) for rank in range(2)]

    def mean_losses(unet, batches):
        found = [deep_mask_loss(unet(crops), targets) for crops, targets in batches]
        return {name: sum(losses[name] for losses in found) / 2 for name in found[0]}

    alone = fit_unet(scenes, mean_losses, both)
    for kind in range(2):
        for name, value in alone[kind].items():
            assert torch.equal(ranks[0][kind][name], ranks[1][kind][name]), name
            # In one process batch normalisation sees the two batches one after the other.
            if "running" not in name and "num_batches" not in name:
                assert torch.allclose(ranks[0][kind][name], value, atol=2e-5), name


def test_torchrun_makes_one_model_and_one_process_speaks(tmp_path, sample):
    words = command(sample, tmp_path / "model", "--pipeline", "end-to-end", "--minutes", "0.03")
    done, events = run([*TORCHRUN, *words])
    assert done.returncode == 0, done.stderr
    assert sum(event["event"] == "done" for event in events) == 1
    card = read_card(tmp_path / "model")
    assert card.training["n_processes"] == 2
    assert "torchrun" in card.training["command"]
    assert load_weights(tmp_path / "model" / "detector.safetensors")


def test_a_failure_in_one_process_ends_all(tmp_path):
    child = tmp_path / "child.py"
    child.write_text(
        textwrap.dedent(
            """
            import sys
            from pathlib import Path
            import torch
            from seginst_core.errors import ModelError
            from seginst_core.events import Reporter
            from seginst_core.training import distributed
            from seginst_core.training.loop import Budget, fit
            from seginst_core.training.recipe import DEFAULTS
            net = torch.nn.Linear(1, 1)
            with distributed.joined():
                bad = distributed.rank() == 1
                try:
                    fit(net, lambda x: {"a": net(x).sum() * (float("nan") if bad else 1.0)},
                        lambda rng: torch.ones(1, 1), budget=Budget(seconds=60.0),
                        learning_rate=1.0, recipe=DEFAULTS, seed=0, part="line",
                        reporter=Reporter())
                except ModelError as error:
                    said = Path(sys.argv[1], str(distributed.rank()))
                    said.write_text(str(error))
            threads = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
            said.with_suffix(".threads").write_text("".join(threads))
            """
        )
    )
    done, _ = run([*TORCHRUN, str(child), str(tmp_path)])
    assert done.returncode == 0, done.stderr
    for rank in "01":
        assert "iteration 0: the loss is no longer a number" in (tmp_path / rank).read_text()
        # One that is left when the interpreter ends may abort the process. (Only Linux tells.)
        assert "gloo" not in (tmp_path / f"{rank}.threads").read_text()


# A checkpoint after every iteration, so that the kill can fall anywhere.
OFTEN = "from seginst_core.training import loop; loop.CHECKPOINT_SECONDS = 0.0; "
ENTRY = "import sys; from seginst_core.cli import main; sys.argv[0] = 'seginst'; main()"


def kill_in_training(words, *, after):
    """Start training and kill it as soon as a line of what it says holds ``after``."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=ONE_THREAD) as child:
        try:
            for line in child.stdout:
                if after in line:
                    child.send_signal(signal.SIGKILL)
                    break
        finally:
            child.kill()
    assert child.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_training_goes_on_to_the_same_weights(tmp_path, sample):
    def words(name, *more):
        plain = command(sample, tmp_path / name, "--pipeline", "end-to-end", "--iterations", "4")
        return [sys.executable, "-c", OFTEN + ENTRY, *plain[2:], *more]

    whole, _ = run(words("whole"))
    assert whole.returncode == 0, whole.stderr
    kill_in_training(words("broken"), after="iteration 2")
    assert not (tmp_path / "broken" / "model.toml").exists()
    done, events = run(words("broken", "--resume"))
    assert done.returncode == 0, done.stderr
    said = [event["text"] for event in events if event["event"] == "log"]
    assert any(text.startswith("Training goes on from iteration") for text in said)
    a, b = (load_weights(tmp_path / name / "detector.safetensors") for name in ("whole", "broken"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


CLOCK = """
import sys
from pathlib import Path
import torch
from seginst_core.events import Reporter
from seginst_core.training import loop
from seginst_core.training.recipe import DEFAULTS
loop.CHECKPOINT_SECONDS = 0.0
network = torch.nn.Linear(1, 1)
loop.fit(
    network, lambda x: {"loss": network(x).sum() ** 2}, lambda rng: torch.ones(1, 1),
    budget=loop.Budget(seconds=float(sys.argv[2])), learning_rate=1e-3, recipe=DEFAULTS, seed=0,
    part="line", reporter=Reporter(lambda event: print(dict(event), flush=True)),
    checkpoint=Path(sys.argv[1]),
)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_the_clock_of_killed_training_goes_on(tmp_path):
    path = tmp_path / "line.pt"
    kill_in_training([sys.executable, "-c", CLOCK, str(path), "600"], after="iteration 9")
    kept = torch.load(path, weights_only=True)
    assert kept["iteration"] >= 9
    assert 0 < kept["seconds"] < 600
    # Of this budget nothing is left: the killed run has spent it all.
    spent = [sys.executable, "-c", CLOCK, str(path), str(kept["seconds"])]
    done = subprocess.run(spent, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "progress" not in done.stdout
    assert torch.load(path, weights_only=True)["seconds"] == kept["seconds"]


def test_batches_of_processes_and_iterations_all_differ():
    keys = [(0, "a", 1, 0), (0, "a", 1, 1), (0, "a", 0, 1), (1, "a", 1, 0), (0, "b", 1, 0)]
    numbers = {float(batch_rng(*key).random()) for key in keys}
    assert len(numbers) == len(keys)
    again = batch_rng(0, "a", 1, 1).random()
    assert np.isclose(again, batch_rng(0, "a", 1, 1).random(), atol=0)
