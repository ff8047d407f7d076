import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident
from time import sleep

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from seginst_core.cli import main
from seginst_core.errors import DataError, ModelError
from seginst_core.events import Reporter
from seginst_core.images import read_image
from seginst_core.models.card import read_card
from seginst_core.models.config import NESTED_UNETS
from seginst_core.pipelines.crops import crop_window, crops_of, resample_mask
from seginst_core.pipelines.load import load_pipeline
from seginst_core.training import loop
from seginst_core.training.batches.detector import detector_batch
from seginst_core.training.batches.masks import mask_batch
from seginst_core.training.loop import Budget, fit
from seginst_core.training.plan import TrainConfig
from seginst_core.training.recipe import DEFAULTS, Recipe
from seginst_core.training.run import train
from seginst_core.training.scenes import load_scenes
from seginst_core.types import Box, Mask


def write_discs(folder, *, n_images=4, seed=0, side_px=160, names=("disc",)):
    """Bright discs on dark noise, one colour a category: a task a small network learns quickly."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for k in range(n_images):
        pixels = rng.integers(20, 60, (side_px, side_px, 3)).astype(np.uint8)
        # One in each quarter, so that none covers another.
        for quarter in range(0 if k == n_images - 1 else 4):
            label = int(rng.integers(len(names)))
            canvas = np.zeros((side_px, side_px), np.uint8)
            corner = np.array(divmod(quarter, 2)) * side_px // 2
            centre = [int(v) for v in corner + rng.integers(24, side_px // 2 - 24, 2)]
            cv2.circle(canvas, centre, int(rng.integers(12, 22)), 1, -1)
            pixels[canvas > 0] = (240, 220, 40) if label == 0 else (40, 90, 250)
            rle = coco_mask.encode(np.asfortranarray(canvas))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": k + 1,
                    "category_id": label * 5 + 3,
                    "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
                    "area": float(canvas.sum()),
                    "bbox": [float(v) for v in coco_mask.toBbox(rle)],
                    "iscrowd": 0,
                }
            )
        cv2.imwrite(str(folder / "images" / f"{k}.png"), pixels[..., ::-1])
        images.append({"id": k + 1, "file_name": f"{k}.png", "width": side_px, "height": side_px})
    categories = [{"id": i * 5 + 3, "name": name} for i, name in enumerate(names)]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "train.json").write_text(json.dumps(coco))
    return folder / "train.json", folder / "images"


def config_for(folder, **changes):
    data, images = write_discs(folder)
    plain = {
        "train": data,
        "images": images,
        "out": folder / "model",
        "pipeline": "two-stage",
        "preset": "tiny",
        "iterations": 2,
        "device": "cpu",
    }
    return TrainConfig(**{**plain, **changes})


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["two-stage", "end-to-end"])
def test_a_model_learns_and_its_card_says_so(tmp_path, pipeline):
    base = config_for(tmp_path, pipeline=pipeline, iterations=100)
    card = train(TrainConfig(**{**as_dict(base), "val": base.train}))
    assert card.scores["segm_AP50"] > 0.5
    assert read_card(base.out) == card
    pipeline_loaded = load_pipeline(base.out, "cpu")
    image = cv2.imread(str(base.images / "0.png"))[..., ::-1].copy()
    found = pipeline_loaded.predict(image, score=0.05)
    assert found
    for instance in found:
        mask, reach = instance.mask, instance.box
        if pipeline == "two-stage":
            reach = crop_window(reach, card.mask.margin)
        assert mask.x0 >= int(reach.x0)
        assert mask.y0 >= int(reach.y0)
        assert mask.x1 <= reach.x1 + 1
        assert mask.y1 <= reach.y1 + 1
        assert instance.category_id == 3
        assert instance.origin.model == card.id


def as_dict(config):
    return {name: getattr(config, name) for name in TrainConfig.__slots__}


def test_stage_mask_keeps_the_detector_to_the_bit(tmp_path):
    first = config_for(tmp_path / "a")
    train(first)
    second = TrainConfig(
        **{
            **as_dict(first),
            "start": first.out,
            "out": tmp_path / "b",
            "stage": "mask",
            "seed": 1,
        }
    )
    old, new = read_card(first.out), train(second)
    assert old.files["detector.safetensors"] == new.files["detector.safetensors"]
    assert old.files["mask.safetensors"] != new.files["mask.safetensors"]
    assert new.training["started_from_id"] == old.id


@pytest.mark.parametrize("n_loaders", [1, 3])
def test_batches_come_in_their_order_however_many_threads_draw_them(monkeypatch, n_loaders):
    monkeypatch.setattr(loop, "LOADERS", {"cpu": n_loaders})
    monkeypatch.setattr(loop, "TURN_SECONDS", {"cpu": 1e-4})
    before = sys.getswitchinterval()
    network = torch.nn.Linear(1, 1)
    seen, turns, threads = [], [], set()

    def batch_at(rng):
        threads.add(get_ident())
        sleep(0.01)
        return int(rng.integers(1 << 40))

    def losses(number):
        seen.append(number)
        turns.append(sys.getswitchinterval())
        return {"square": network(torch.ones(1, 1)).pow(2).mean()}

    fit(
        network,
        losses,
        batch_at,
        budget=Budget(iterations=9),
        learning_rate=1e-3,
        recipe=DEFAULTS,
        seed=4,
        part="line",
        reporter=Reporter(),
    )
    assert seen == [int(loop.batch_rng(4, "line", k, 0).integers(1 << 40)) for k in range(9)]
    assert len(threads) == n_loaders
    assert max(turns) == pytest.approx(1e-4)
    assert sys.getswitchinterval() == before


def test_several_threads_may_ask_for_images_at_once(tmp_path, monkeypatch):
    data, images = write_discs(tmp_path)
    scenes = load_scenes(data, images, Reporter())
    wanted = [scenes.image(k).copy() for k in range(len(scenes.scenes))]
    monkeypatch.setattr("seginst_core.training.scenes.CACHE_BYTES", 2 * wanted[0].nbytes)
    numbers = np.random.default_rng(0).integers(0, len(wanted), 400).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(scenes.image, numbers))
    for number, image in zip(numbers, found, strict=True):
        assert np.array_equal(image, wanted[number])
    assert scenes._cached_bytes == sum(image.nbytes for image in scenes._cache.values())


def test_an_image_that_two_threads_read_at_once_is_kept_once(tmp_path, monkeypatch):
    data, images = write_discs(tmp_path)
    scenes = load_scenes(data, images, Reporter())
    both = Barrier(2)

    def slowly(path):
        both.wait(10)
        return read_image(path)

    monkeypatch.setattr("seginst_core.training.scenes.read_image", slowly)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(scenes.image, [0, 0])
    assert one is other
    assert scenes._cached_bytes == one.nbytes


def test_a_model_is_trained_in_batches_of_ones_own(tmp_path, monkeypatch):
    sizes = []

    def noted(*args, batch, **others):
        sizes.append(batch)
        return detector_batch(*args, batch=batch, **others)

    monkeypatch.setattr("seginst_core.training.run.detector_batch", noted)
    card = train(config_for(tmp_path, pipeline="end-to-end", batch=3))
    assert set(sizes) == {3}
    assert card.training["batch"] == 3


def test_the_command_line_says_how_large_a_batch_is_and_where_it_begins(
    tmp_path, monkeypatch, capsys
):
    data, images = write_discs(tmp_path)
    words = ["train", "--data", str(data), "--images", str(images), "--pipeline", "end-to-end"]
    words += ["--preset", "tiny", "--iterations", "1", "--device", "cpu"]

    def end_of(name, *more):
        out = ["--out", str(tmp_path / name)]
        monkeypatch.setattr("sys.argv", ["seginst", *words, *out, *more])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    code, said = end_of("three", "--batch", "3", "--resume")
    assert code == 0
    assert f"no checkpoint in {tmp_path / 'three'}, so training begins from the start" in said
    assert read_card(tmp_path / "three").training["batch"] == 3
    assert end_of("plain")[0] == 0
    assert "batch" not in read_card(tmp_path / "plain").training
    code, said = end_of("none", "--batch", "0")
    assert code == 2
    assert "--batch" in said
    assert not (tmp_path / "none").exists()


def test_a_loss_that_is_no_number_is_one_sentence():
    network = torch.nn.Linear(1, 1)
    with pytest.raises(ModelError, match="no longer a number"):
        fit(
            network,
            lambda x: {"bad": network(x).sum() * float("nan")},
            lambda rng: torch.ones(1, 1),
            budget=Budget(iterations=2),
            learning_rate=1.0,
            recipe=DEFAULTS,
            seed=0,
            part="line",
            reporter=Reporter(),
        )


@pytest.mark.parametrize("copy_paste", [0.0, 1.0])
def test_detector_batches_show_objects_where_their_boxes_say(tmp_path, copy_paste):
    data, images = write_discs(tmp_path, names=("sun", "sea"))
    scenes = load_scenes(data, images, Reporter())
    rng = np.random.default_rng(0)
    recipe = Recipe(copy_paste=copy_paste)
    n_objects = 0
    for _ in range(6):
        for sample in detector_batch(
            scenes, rng, crop_px=96, batch=2, input_scale=1.0, recipe=recipe
        ):
            assert max(sample.image.shape[:2]) <= 96
            assert len(sample.boxes) == len(sample.labels) == len(sample.masks)
            for box, label, mask in zip(sample.boxes, sample.labels, sample.masks, strict=True):
                x0, y0, x1, y1 = (round(float(v)) for v in box)
                assert 0 <= x0 < x1 <= sample.image.shape[1]
                assert 0 <= y0 < y1 <= sample.image.shape[0]
                part = sample.image[y0:y1, x0:x1].astype(np.int32)
                inside = cv2.resize(mask.numpy(), (x1 - x0, y1 - y0)) > 0
                red, blue = part[inside][:, 0].mean(), part[inside][:, 2].mean()
                assert (red > blue) == (int(label) == 0)
                n_objects += 1
    assert n_objects > 5


def test_mask_batches_agree_with_the_crops_of_prediction(tmp_path):
    data, images = write_discs(tmp_path)
    scenes = load_scenes(data, images, Reporter())
    crops, targets = mask_batch(
        scenes, np.random.default_rng(0), batch=8, config=NESTED_UNETS["tiny"], recipe=DEFAULTS
    )
    bright = crops[:, 0] > 0
    agree = (bright == (targets[:, 0] > 0)).float().mean()
    assert agree > 0.9
    assert crops.shape == (8, 4, 48, 48)


def test_a_crop_and_its_mask_are_sampled_alike():
    image = np.zeros((60, 80, 3), np.uint8)
    bits = np.zeros((20, 24), bool)
    bits[4:16, 3:20] = True
    image[30:50, 40:64][bits] = 255
    config = NESTED_UNETS["tiny"]
    for box in (Box(43, 34, 60, 46), Box(40.5, 31.2, 63, 49), Box(-5, 20, 78, 58)):
        crop = crops_of(image, [box], config)[0, 0].numpy()
        target = resample_mask(Mask(40, 30, bits), crop_window(box, config.margin), config.crop_px)
        middle = (crop.max() + crop.min()) / 2
        assert ((crop > middle) == (target > 0)).mean() > 0.99


def test_bad_data_is_one_sentence(tmp_path):
    config = config_for(tmp_path)
    with pytest.raises(DataError, match="one of epochs"):
        train(TrainConfig(**{**as_dict(config), "epochs": 3}))
    with pytest.raises(DataError, match="no images folder"):
        train(TrainConfig(**{**as_dict(config), "images": tmp_path / "absent"}))
    coco = json.loads(config.train.read_text())
    (tmp_path / "none.json").write_text(json.dumps({**coco, "annotations": []}))
    with pytest.raises(DataError, match="nothing to learn"):
        train(TrainConfig(**{**as_dict(config), "train": tmp_path / "none.json"}))
    with pytest.raises(DataError, match="stages"):
        train(TrainConfig(**{**as_dict(config), "pipeline": "end-to-end", "stage": "mask"}))
    with pytest.raises(DataError, match="that an encoder is for"):
        train(TrainConfig(**{**as_dict(config), "pipeline": "end-to-end", "encoder": "resnet18"}))


def test_what_a_later_part_lacks_is_said_before_the_first_is_trained(tmp_path):
    config = config_for(tmp_path)
    train(config)
    (config.out / "mask.safetensors").write_bytes(b"")
    further = {**as_dict(config), "start": config.out, "out": tmp_path / "further"}
    coco = json.loads(config.train.read_text())
    boxes = [{**item, "segmentation": []} for item in coco["annotations"]]
    boxes_only = tmp_path / "boxes.json"
    boxes_only.write_text(json.dumps({**coco, "annotations": boxes}))
    events = []
    for changed, words in (
        (further, "not the one its model card names"),
        ({**further, "stage": "detector"}, "not the one its model card names"),
        ({**as_dict(config), "train": boxes_only, "out": tmp_path / "new"}, "only boxes"),
    ):
        with pytest.raises((DataError, ModelError), match=words):
            train(TrainConfig(**changed), Reporter(events.append))
        assert not changed["out"].exists()
    assert not [event for event in events if event["event"] in ("progress", "loss")]


def test_an_image_of_another_size_than_stated_is_not_learned_from(tmp_path):
    data, images = write_discs(tmp_path)
    coco = json.loads(data.read_text())
    cut = cv2.imread(str(images / "1.png"))[:120]
    cv2.imwrite(str(images / "1.png"), cut)
    events = []
    scenes = load_scenes(data, images, Reporter(events.append))
    assert [scene.ref.path for scene in scenes.scenes] == ["0.png", "2.png", "3.png"]
    (said,) = [event["text"] for event in events]
    assert said.startswith("1.png has 160 x 120 pixels, not 160 x 160 as stated. It is left out")
    wide = [{**row, "width": 200} for row in coco["images"]]
    boxes = [{**row, "segmentation": []} for row in coco["annotations"]]
    data.write_text(json.dumps({**coco, "images": wide, "annotations": boxes}))
    with pytest.raises(DataError, match="can be learned from"):
        load_scenes(data, images, Reporter())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="CUDA was asked for"):
        train(config_for(tmp_path, device="cuda"))


def test_a_device_that_cannot_be_used_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="has no device meta"):
        train(config_for(tmp_path, device="meta"))
