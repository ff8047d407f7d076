"""Data sets into and out of a project: nothing twice, nothing lost, ids stable."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seginst_core.errors import DataError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.jobs.exchange import export_annotations, import_annotations
from seginst_core.project import Edit, Project, add, change
from seginst_core.types import (
    PALETTE,
    STATES,
    Annotation,
    Category,
    Dataset,
    ImageRef,
    Mask,
    Origin,
)

from .project_folders import HEIGHT, WIDTH, blob, box_only, draw, dump, make_folder, write_image

PLANE = Category(1, "plane", PALETTE[0])


def ref(number, path, width=WIDTH, height=HEIGHT):
    return ImageRef(number, path, width, height)


def imported(*instances):
    return tuple(replace(i, origin=Origin("import")) for i in instances)


def one_image(*instances, state="done", path="a.png", categories=(PLANE,)):
    return Dataset((ref(70, path),), categories, {70: Annotation(70, instances, state)})


@pytest.fixture
def project(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as opened:
        yield opened


# Import


def test_an_import_is_one_undoable_edit_an_image(project):
    dataset = Dataset(
        (ref(5, "c.png"), ref(9, "a.png"), ref(11, "b.png")),
        (PLANE,),
        {
            5: Annotation(5, (blob(40), box_only(41)), "done"),
            9: Annotation(9, (blob(12),), "draft"),
            11: Annotation(11, (), "done"),
        },
    )
    assert project.merge_dataset(dataset) == ()
    assert project.annotation(3) == Annotation(3, imported(blob(40), box_only(41)), "done")
    assert project.annotation(1) == Annotation(1, imported(blob(12)), "draft")
    assert project.annotation(2) == Annotation(2, (), "done")
    texts = {k: [step.text for step in project.history(k)] for k in (1, 2, 3)}
    assert texts == {1: ["Import 1 object"], 2: ["Import: mark as done"], 3: ["Import 2 objects"]}
    document = project.document(3)
    project.undo(document)
    assert project.annotation(3) == Annotation(3)
    assert len(project.annotation(1).instances) == 1
    project.redo(document)
    assert document.state == "done"
    assert len(document) == 2


def test_what_is_here_already_is_not_imported_twice(project):
    ours = blob(1)
    # The same pixels in a wider crop are the same object; another category is not.
    padded = Mask(ours.mask.x0 - 1, ours.mask.y0 - 1, np.pad(ours.mask.bits, 1))
    project.add_category("plane")
    document = project.document(1)
    project.commit(document, add(1, [replace(ours, mask=padded), box_only(2)], "Draw"))
    tree = Category(8, "tree")
    dataset = one_image(
        ours, box_only(2), replace(ours, id=3, category_id=8), blob(4), categories=(PLANE, tree)
    )
    assert project.merge_dataset(dataset) == (
        "2 objects were skipped because they are here already.",
    )
    assert len(project.annotation(1).instances) == 4
    assert [step.text for step in project.history(1)] == ["Draw", "Import 2 objects"]
    before = dump(project.folder)
    assert project.merge_dataset(dataset) == (
        "4 objects were skipped because they are here already.",
    )
    assert dump(project.folder) == before


def test_two_equal_objects_of_one_file_both_come_in_once(project):
    dataset = one_image(blob(1), replace(blob(1), id=2))
    assert project.merge_dataset(dataset) == ()
    assert len(project.annotation(1).instances) == 2
    project.merge_dataset(dataset)
    assert len(project.annotation(1).instances) == 2


def test_file_ids_are_kept_where_they_are_free_and_never_used_again(project):
    project.add_category("plane")
    document = project.document(1)
    draw(project, document, 3)
    project.undo(document)
    dataset = one_image(blob(2, 5), blob(3, 6), blob(900, 7), path="b.png")
    project.merge_dataset(dataset)
    assert [i.id for i in project.annotation(2).instances] == [900, 901, 902]
    assert project.new_ids(1) == range(903, 904)
    project.redo(document)
    assert [i.id for i in document.instances] == [1, 2, 3]
    folder = project.folder
    project.close()
    with Project.open(folder) as again:
        assert again.new_ids(1) == range(904, 905)


@pytest.mark.parametrize("odd", [0, -5, 2**53, 2**63, 2**80])
def test_ids_no_database_can_hold_are_replaced(project, odd):
    project.merge_dataset(one_image(replace(blob(1), id=odd), blob(6)))
    assert [i.id for i in project.annotation(1).instances] == [6, 7]
    draw(project, project.document(2))


def test_categories_meet_by_name_and_what_is_here_keeps_its_colour(project):
    tree = project.add_category("Tree", (1, 2, 3))
    coming = (
        Category(1, "plane", PALETTE[0]),
        Category(4, "tree", (9, 9, 9)),
        Category(6, "car", (7, 7, 7), "vehicle"),
        Category(30, "boat", PALETTE[3]),
        Category(31, " TREE "),
    )
    instances = [blob(k, category_id=c.id) for k, c in enumerate(coming, 1)]
    project.merge_dataset(one_image(*instances, categories=coming))
    assert project.categories() == (
        replace(tree, id=1),
        Category(2, "plane", PALETTE[0]),
        Category(6, "car", (7, 7, 7), "vehicle"),
        Category(30, "boat", PALETTE[1]),
    )
    assert [i.category_id for i in project.annotation(1).instances] == [2, 1, 6, 30, 1]


def test_images_of_another_size_or_not_here_or_unreadable_are_skipped_with_a_word(project):
    (project.folder / "c.png").write_bytes(b"")
    instances = {k: Annotation(k, (blob(k),), "done") for k in range(1, 7)}
    images = (
        ref(1, "a.png", 61, 40),
        ref(2, "b.png"),
        ref(3, "c.png"),
        ref(4, "A.png"),
        ref(5, "x/a.png"),
        ref(6, "y.png"),
    )
    notes = project.merge_dataset(Dataset(images, (PLANE,), instances))
    assert notes == (
        "3 images were skipped because they are not in this folder, for example A.png.",
        "a.png was skipped: the file says 61 × 40 pixels, the image has 60 × 40.",
        "c.png was skipped: c.png is empty.",
    )
    assert [e.n_instances for e in project.images()] == [0, 1, 0]
    notes = project.merge_dataset(Dataset(images[5:], (PLANE,), instances))
    assert notes == ("y.png was skipped: it is not in this folder.",)


def test_many_notes_are_cut_short(tmp_path):
    names = [f"{k}.png" for k in range(50)]
    images = tuple(ref(k, name, 5, 5) for k, name in enumerate(names))
    dataset = Dataset(images, (PLANE,), {k: Annotation(k, (), "done") for k in range(50)})
    with Project.open(make_folder(tmp_path / "images", names)) as project:
        notes = project.merge_dataset(dataset)
    assert len(notes) == 21
    assert notes[-1] == "And 30 more images like these."


def test_the_state_follows_the_file_but_nothing_new_never_unsettles_a_finished_image(project):
    project.merge_dataset(one_image(blob(1), state="todo"))
    assert project.entry(1).state == "draft"
    project.merge_dataset(one_image(blob(1), state="done"))
    assert project.entry(1).state == "done"
    for state in STATES:
        project.merge_dataset(one_image(blob(1), state=state))
        assert project.entry(1).state == "done"
    assert len(project.history(1)) == 2
    project.merge_dataset(one_image(blob(2), state="draft"))
    assert project.entry(1).state == "draft"
    document = project.document(1)
    project.undo(document)
    assert document.state == project.entry(1).state == "done"


def test_one_image_listed_twice_gets_the_objects_of_both(project):
    dataset = Dataset(
        (ref(1, "a.png"), ref(2, "a.png")),
        (PLANE,),
        {1: Annotation(1, (blob(1),), "done"), 2: Annotation(2, (blob(2), blob(3)), "done")},
    )
    project.merge_dataset(dataset)
    assert len(project.annotation(1).instances) == 3
    assert len(project.history(1)) == 2


def test_an_import_drops_what_was_undone_and_a_document_opened_before_is_refused(project):
    project.add_category("plane")
    document = project.document(1)
    draw(project, document)
    project.undo(document)
    project.merge_dataset(one_image(blob(8)))
    assert not project.can_redo(1)
    with pytest.raises(Exception, match="in the meantime"):
        draw(project, document)
    draw(project, project.document(1))
    assert len(project.annotation(1).instances) == 2


def test_a_missing_image_of_known_size_still_takes_annotations(project):
    project.ensure_size(1)
    for name in ("a.png", "b.png"):
        (project.folder / name).unlink()
    project.rescan()
    assert project.merge_dataset(one_image(blob(1))) == ()
    (note,) = project.merge_dataset(one_image(blob(2), path="b.png"))
    assert note.startswith("b.png was skipped:")
    assert project.entry(1).n_instances == 1


# Export


def test_a_data_set_holds_the_images_of_its_states_and_all_categories(project):
    project.add_category("plane")
    project.add_category("unused")
    for image_id, state in ((1, "done"), (2, "draft")):
        document = project.document(image_id)
        draw(project, document, 2)
        if state == "done":
            project.commit(document, Edit(1, (), "Mark", state=("draft", "done")))
    done = project.dataset(["done"])
    assert [(i.path, i.width) for i in done.images] == [("a.png", WIDTH)]
    assert done.annotations == {1: project.annotation(1)}
    assert done.categories == project.categories()
    everything = project.dataset(STATES)
    assert [i.path for i in everything.images] == ["a.png", "b.png", "c.png"]
    assert everything.annotations[3] == Annotation(3)
    assert project.dataset([]).images == ()


def test_a_missing_image_is_exported_and_an_unreadable_one_named(project):
    project.add_category("plane")
    draw(project, project.document(1))
    (project.folder / "a.png").unlink()
    (project.folder / "b.png").write_bytes(b"no picture")
    project.rescan()
    dataset = project.dataset(STATES)
    assert [i.path for i in dataset.images] == ["c.png", "a.png"]
    assert set(dataset.annotations) == {1, 3}
    (note,) = dataset.notes
    assert note.startswith("b.png was left out: b.png ")


objects = st.lists(
    st.tuples(st.integers(0, 999), st.sampled_from([1, 2]), st.booleans()), max_size=6
)


@settings(max_examples=20)
@given(
    per_image=st.tuples(objects, objects, objects), states=st.tuples(*[st.sampled_from(STATES)] * 3)
)
def test_any_project_goes_through_a_data_set_into_an_empty_one_and_is_the_same(
    tmp_path_factory, per_image, states
):
    folders = [make_folder(tmp_path_factory.mktemp("p") / "images") for _ in range(2)]
    with Project.open(folders[0]) as one, Project.open(folders[1]) as two:
        one.add_category("plane", (1, 2, 3))
        one.add_category("nucleus")
        for image_id, (many, state) in enumerate(zip(per_image, states, strict=True), 1):
            document = one.document(image_id)
            shapes = [
                (box_only if boxes else lambda k, c, seed=seed: blob(k, seed, c))(k, category_id)
                for k, (seed, category_id, boxes) in zip(one.new_ids(len(many)), many, strict=True)
            ]
            one.commit(document, add(image_id, imported(*shapes), "Draw"))
            if document.state != state and not (state == "todo" and shapes):
                mark = Edit(image_id, (), "Mark", state=(document.state, state))
                one.commit(document, mark)
        dataset = one.dataset(STATES)
        two.merge_dataset(dataset)
        again = two.dataset(STATES)
        assert again == dataset
        # And back: all of it is there already.
        before = dump(folders[0])
        one.merge_dataset(again)
        assert dump(folders[0]) == before


# Through files, as the command line does it


def test_export_and_import_through_a_file_is_exact(tmp_path):
    names = ["a.png", "Überflug/10.png", "Überflug/9.png"]
    one, two = (make_folder(tmp_path / side, names) for side in ("one", "two"))
    file = tmp_path / "out" / "all.json"
    with Project.open(one) as project:
        project.add_category("plane", (10, 20, 30))
        project.add_category("nucleus")
        for entry in project.images():
            document = project.document(entry.ref.id)
            draw(project, document, 7)
            three = document.instances[3]
            turned = replace(three, category_id=2, iscrowd=True, attributes={"note": "groß"})
            project.commit(document, change(entry.ref.id, [(three, turned)], "Change"))
        document = project.document(2)
        project.commit(document, Edit(2, (), "Mark", state=("draft", "done")))
        truth = project.dataset(STATES)
    summary = export_annotations(one, file, "coco", only_done=False, reporter=Reporter())
    assert (summary.n_images, summary.n_objects, summary.notes) == (3, 21, ())
    summary = import_annotations(two, file, "coco", Reporter())
    assert (summary.n_images, summary.n_objects, summary.notes) == (3, 21, ())
    with Project.open(two) as project:
        got = project.dataset(STATES)
        assert got.images == truth.images
        assert got.categories == truth.categories
        for image_id, annotation in truth.annotations.items():
            pairs = zip(annotation.instances, got.annotations[image_id].instances, strict=True)
            for ours, theirs in pairs:
                assert ours.id == theirs.id
                assert ours.category_id == theirs.category_id
                assert ours.iscrowd == theirs.iscrowd
                assert ours.attributes == theirs.attributes
                assert ours.box == theirs.box
                union = np.zeros((2, HEIGHT, WIDTH), np.bool_)
                for side, mask in zip(union, (ours.mask, theirs.mask), strict=True):
                    side[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
                assert np.array_equal(union[0], union[1])
                assert theirs.origin == Origin("import")
    again = import_annotations(two, file, "coco", Reporter())
    assert again.notes == ("21 objects were skipped because they are here already.",)
    second = tmp_path / "second.json"
    export_annotations(two, second, "coco", only_done=False, reporter=Reporter())
    assert json.loads(second.read_text()) == json.loads(file.read_text())
    done = tmp_path / "done.json"
    summary = export_annotations(one, done, "coco", only_done=True, reporter=Reporter())
    assert (summary.n_images, summary.n_objects) == (1, 7)
    assert [i.path for i in coco_json.read(done).images] == ["Überflug/9.png"]


def test_importing_what_is_not_here_changes_nothing(tmp_path):
    folder = make_folder(tmp_path / "images")
    write_image(tmp_path / "other" / "z.png")
    file = tmp_path / "z.json"
    coco_json.write(Dataset((ref(1, "z.png"),), (PLANE,), {1: Annotation(1, (blob(1),))}), file)
    with pytest.raises(DataError, match="None of the 1 images"):
        import_annotations(folder, file, "coco", Reporter())
    with Project.open(folder) as project:
        assert project.categories() == ()
        with pytest.raises(Exception, match="another window"):
            import_annotations(folder, file, "coco", Reporter())
    with pytest.raises(DataError, match="No image in"):
        export_annotations(
            folder, tmp_path / "none.json", "coco", only_done=True, reporter=Reporter()
        )
