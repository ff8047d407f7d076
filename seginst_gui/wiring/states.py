"""Which actions can be used when."""

from typing import TYPE_CHECKING

from seginst_gui import operations

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow


def show_states(window: "MainWindow") -> None:
    """Enable what can be done now, and check what is switched on."""
    session, page, actions = window.session, window.review_page, window.actions_by_id
    project, document = session.project is not None, session.document is not None
    done = session.document is not None and session.document.state == "done"
    tool = window.commands.canvas.tool
    draws = tool is not None and bool(tool.preview.path)
    states = {
        "import_coco": project,
        "export_coco": project,
        "fine_tune": project and (not window.trainer.busy or window.trainer.in_background),
        "pause_training": window.trainer.busy or bool(window.trainer.unfinished()),
        "predict_all": project,
        "review": project,
        "review_report": project,
        "next_todo": project,
        "previous_image": project,
        "next_image": project,
        "predict_image": document,
        "mark_done": document,
        "paste": document,
        "show_all": bool(session.hidden),
        "select_all": document,
        "deselect": document,
        "next_object": document,
        "undo": draws or session.can_undo() or (page is not None and page.state.can_undo()),
        "redo": session.can_redo() or (page is not None and page.state.can_redo()),
        **dict.fromkeys(operations.ON_SELECTION, bool(session.selection)),
        "delete": draws or bool(session.selection),
        "accept": draws or session.proposal is not None,
        "accept_all": session.layers.two_stage and bool(session.proposals("two-stage")),
        "accept_all_b": session.layers.end_to_end and bool(session.proposals("end-to-end")),
        "cancel_job": window.predictor.busy or window.trainer.busy,
    }
    for name, enabled in states.items():
        actions[name].setEnabled(enabled)
    actions["mark_done"].setChecked(done)
    actions["review"].setChecked(window.review_page is not None)
    actions["show_annotation"].setChecked(session.layers.annotation)
    actions["show_a"].setChecked(session.layers.two_stage)
    actions["show_b"].setChecked(session.layers.end_to_end)
    actions["show_minimap"].setChecked(session.display.now.minimap)
    actions["pixel_grid"].setChecked(session.display.now.pixel_grid)
