"""Categories, predictions, settings and ids of a project."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from seginst_core.errors import ImageError, ProjectError
from seginst_core.images import read_size
from seginst_core.project import Project, add
from seginst_core.types import PALETTE, Category, Prediction

from .project_folders import WIDTH, blob, box_only, draw, dump, make_folder

# Categories


def test_categories_get_the_palette_s_colours_in_turn(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        assert project.categories() == ()
        plane = project.add_category(" plane ")
        tree = project.add_category("Bäume", (1, 2, 3))
        third = project.add_category("third")
        assert plane == Category(1, "plane", PALETTE[0])
        assert tree == Category(2, "Bäume", (1, 2, 3))
        assert third.colour == PALETTE[1]
        for number in range(20):
            project.add_category(f"n{number}")
        colours = [c.colour for c in project.categories()]
        assert set(PALETTE) <= set(colours)
        kept = project.categories()
    with Project.open(folder) as project:
        assert project.categories() == kept


def test_names_of_categories_are_there_and_unique(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as project:
        plane, tree = project.add_category("plane"), project.add_category("Straße")
        for name in ("", "  ", "PLANE", "plane ", "STRASSE"):
            with pytest.raises(ProjectError):
                project.add_category(name)
        with pytest.raises(ProjectError, match="a category plane already"):
            project.update_category(replace(tree, name="Plane"))
        with pytest.raises(ProjectError, match="needs a name"):
            project.update_category(replace(tree, name=""))
        project.update_category(replace(plane, name="PLANE", colour=(9, 8, 7)))
        assert project.categories() == (Category(1, "PLANE", (9, 8, 7)), tree)
        for attempt in (
            lambda: project.update_category(Category(9, "x")),
            lambda: project.remove_category(9),
        ):
            with pytest.raises(ProjectError, match="Category 9 is not in this project"):
                attempt()


def test_a_used_category_stays_and_a_removed_one_can_come_back(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as project:
        project.add_category("plane")
        project.add_category("tree", (1, 1, 1))
        document = project.document(1)
        draw(project, document, 3)
        with pytest.raises(
            ProjectError, match=r"The category plane cannot be removed: 3 objects use it\."
        ):
            project.remove_category(1)
        project.remove_category(2)
        with pytest.raises(ProjectError, match="not in this project"):
            project.remove_category(2)
        assert project.add_category("bush").id == 3
        assert project.add_category("Tree") == Category(2, "Tree", PALETTE[2])


# Predictions and settings


def test_the_newest_prediction_of_each_pipeline_is_shown_and_none_is_changed(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        assert project.prediction(1, "two-stage") is None
        assert project.prediction_model_name(1, "two-stage") == ""
        old = Prediction(1, "hash-1", "two-stage", tuple(map(blob, range(1, 6))), 1.5)
        new = Prediction(1, "hash-2", "two-stage", (box_only(7),), 0.25)
        other = Prediction(1, "hash-3", "end-to-end", (blob(1), blob(2)))
        project.add_prediction(old, "starter")
        assert project.entry(1).n_predicted == 5
        project.add_prediction(new, "mine 2")
        project.add_prediction(other, "R-CNN")
        assert project.entry(1).ref.width == WIDTH
    with Project.open(folder) as project:
        assert project.prediction(1, "two-stage") == new
        assert project.prediction(1, "end-to-end") == other
        assert project.prediction(2, "end-to-end") is None
        assert project.prediction_model_name(1, "two-stage") == "mine 2"
        assert [entry.n_predicted for entry in project.images()] == [2, 0, 0]
        project.add_prediction(Prediction(1, "hash-3", "end-to-end", ()), "R-CNN")
        assert project.entry(1).n_predicted == 1
        assert (
            len([line for line in dump(folder) if line.startswith('INSERT INTO "predictions"')])
            == 4
        )
        assert project.annotation(1).instances == ()
        assert project.history(1) == ()


def test_a_prediction_for_a_file_that_is_no_image_is_refused(tmp_path):
    folder = make_folder(tmp_path / "images")
    (folder / "b.png").write_bytes(b"")
    with Project.open(folder) as project:
        with pytest.raises(ImageError):
            project.add_prediction(Prediction(2, "m", "two-stage", (blob(1),)), "m")
        assert project.prediction(2, "two-stage") is None


def test_settings_are_kept(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        assert project.setting("model") is None
        project.set_setting("model", "ä")
        project.set_setting("model", "starter 'planes'")
    with Project.open(folder) as project:
        assert project.setting("model") == "starter 'planes'"


def test_reserved_ids_are_given_back_when_the_project_closes(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        assert project.new_ids(3) == range(1, 4)
    with Project.open(folder) as project:
        assert project.new_ids(1) == range(4, 5)
        project.add_category("plane")
        project.commit(project.document(1), add(1, [blob(50)], "From elsewhere"))
        assert project.new_ids(1) == range(51, 52)


def test_a_second_thread_reads_a_moment_and_gives_no_ids(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
        (image_id, *_) = [entry.ref.id for entry in project.images()]
        (first,) = (c.after.id for c in draw(project, project.document(image_id)).changes)

        def work():
            with project.beside() as own:
                own.learning.train_on([image_id])
                return own.dataset(["draft"])

        with ThreadPoolExecutor(1) as pool:
            dataset = pool.submit(work).result()
        assert [i.id for i in dataset.annotations[image_id].instances] == [first]
        assert project.learning.held_out() == {image_id: False}
        later = project.new_ids(1)[0]
        assert later > first
    with Project.open(folder) as project:
        assert project.new_ids(1)[0] > later


def test_a_person_may_draw_while_sizes_are_read_for_an_export(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
        document = project.document(1)

        def read_slowly(path):
            draw(project, document)
            return read_size(path)

        monkeypatch.setattr("seginst_core.project.datasets.read_size", read_slowly)
        with project.beside() as own:
            dataset = own.dataset(["todo", "draft"])
        assert len(dataset.images) == len(project.images())
        assert len(dataset.annotations[1].instances) == len(document) > 0
