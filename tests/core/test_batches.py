"""Batches halve when memory runs out, say so, and lose nothing."""

import cv2
import pytest
import torch

from seginst_core.engines.batches import CROPS_AT_ONCE, Batches, batches_for
from seginst_core.errors import is_out_of_memory


class Worker:
    """Squares numbers, as many at once as its memory holds."""

    def __init__(self, room: int, error: Exception) -> None:
        self.room, self.error = room, error
        self.sizes: list[int] = []

    def __call__(self, some):
        self.sizes.append(len(some))
        if len(some) > self.room:
            raise self.error
        return [number**2 for number in some]


CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
CPU = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize("error", [MemoryError(), CUDA, CPU], ids=["numpy", "cuda", "cpu"])
@pytest.mark.parametrize("n", [0, 1, 7, 16, 23])
def test_every_input_is_answered_once_and_in_order(error, n):
    said = []
    worker = Worker(3, error)
    batches = Batches(16)
    assert list(batches.run(worker, range(n), said.append)) == [k**2 for k in range(n)]
    if n > 3:
        assert batches.at_once <= 3
        assert "Memory ran out with" in said[0]
        assert f"going on with {batches.at_once}." in said[-1]
    else:
        assert said == []


def test_the_smaller_batch_is_kept_for_the_next_image():
    said = []
    worker = Worker(2, MemoryError())
    batches = Batches(8)
    list(batches.run(worker, range(8), said.append))
    worker.sizes.clear()
    list(batches.run(worker, range(8), said.append))
    assert worker.sizes == [2, 2, 2, 2]
    assert len(said) == 2


def test_what_fails_with_one_input_is_raised():
    with pytest.raises(MemoryError):
        list(Batches(4).run(Worker(0, MemoryError()), range(4), lambda _: None))


def test_another_error_is_not_taken_for_a_lack_of_memory():
    worker = Worker(0, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        list(Batches(4).run(worker, range(4), lambda _: None))
    assert worker.sizes == [4]


def test_a_kind_of_device_that_is_not_known_gets_one_at_once():
    assert batches_for(torch.device("cpu"), CROPS_AT_ONCE).at_once == CROPS_AT_ONCE["cpu"]
    assert batches_for(torch.device("meta"), CROPS_AT_ONCE).at_once == 1


def test_what_counts_as_a_lack_of_memory():
    assert is_out_of_memory(OSError(12, "Cannot allocate memory"))
    assert is_out_of_memory(cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes"))
    assert not is_out_of_memory(cv2.error("(-215:Assertion failed) !_src.empty()"))
    assert not is_out_of_memory(OSError(2, "No such file"))
    assert not is_out_of_memory(ValueError("out of memory"))
