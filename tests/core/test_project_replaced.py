"""Images whose files are replaced by files of another size."""

from seginst_core.project import Edit, Project
from seginst_core.project.edits import remove
from seginst_core.types import Prediction

from .project_folders import HEIGHT, WIDTH, draw, make_folder, write_image


def replace_file(folder):
    write_image(folder / "a.png", width=WIDTH + 30, height=HEIGHT - 5)


def test_an_image_on_which_nothing_was_drawn_gets_the_size_of_its_new_file(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        document = project.document(1)
        project.commit(document, Edit(1, (), "Mark as done", state=("todo", "done")))
        project.add_prediction(Prediction(1, "m", "two-stage", ()), "M")
        replace_file(folder)
        assert project.ensure_size(1).width == WIDTH, "not without being asked to look"
        ref = project.ensure_size(1, anew=True)
        assert (ref.width, ref.height) == (WIDTH + 30, HEIGHT - 5)
        assert project.document(1).image == project.entry(1).ref == ref
        assert project.prediction(1, "two-stage") is None, "it is of a picture that is gone"
        assert project.entry(1).state == "done"


def test_an_image_keeps_the_size_it_was_drawn_at(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
        edit = draw(project, project.document(1))
        project.add_prediction(Prediction(1, "m", "two-stage", ()), "M")
        replace_file(folder)
        assert project.ensure_size(1, anew=True).width == WIDTH
        document = project.document(1)
        made = [c.after for c in edit.changes]
        project.commit(document, remove(1, made, "Delete"))
        assert project.ensure_size(1, anew=True).width == WIDTH, "undo would bring objects back"
        assert project.prediction(1, "two-stage") is not None


def test_a_file_that_cannot_be_read_changes_no_size(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        ref = project.ensure_size(1)
        (folder / "a.png").write_bytes(b"this is not a picture")
        assert project.ensure_size(1, anew=True) == ref
        (folder / "a.png").unlink()
        assert project.ensure_size(1, anew=True) == ref
