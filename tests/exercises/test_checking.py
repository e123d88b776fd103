"""The checker itself: whatever an answer does, and whenever one interrupts.

Times here are only limits after which a test fails; none is measured.
"""

import _thread
import functools
import inspect
import math
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest
from array_api_compat import array_namespace
from jupyter_client.manager import start_new_kernel

import attn_course
from attn_course.exercises import exercise, exercise_ids, limits
from attn_course.exercises.answers import code_of, is_stub
from attn_course.exercises.limits import call
from attn_course.exercises.quest import Quest

LONG = 120  # seconds; nothing here takes so long

each = pytest.mark.parametrize(
    "ex",
    [ex for ex in map(exercise, exercise_ids()) if not isinstance(ex, Quest)],
    ids=lambda ex: ex.id,
)


def weights(query, key):
    return exercise("3.3").reference(query, key)


def with_parameters_of(ex, function):
    """Make a function that takes what the exercise gives."""
    names = ", ".join(ex.parameters)
    return eval(f"lambda {names}: function({names})", {"function": function})


def loop(query, key):
    while True:
        pass


# Interrupts


@pytest.fixture
def nothing_left():
    """Let Ctrl-C through; see that no thread and no handler is left behind.

    Where tests run in the background, a shell may have it ignored.
    """
    threads = threading.active_count()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
        assert threading.active_count() == threads
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def busy(processes=4):
    """Keep all cores busy."""
    loads = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(processes)
    ]
    try:
        yield
    finally:
        for load in loads:
            load.kill()
            load.wait()


@pytest.mark.parametrize("first", ["interrupt", "start"])
def test_an_interrupt_while_the_thread_starts(
    monkeypatch, nothing_left, first
):
    start = threading.Thread.start

    def interrupted(thread):
        if first == "start":
            start(thread)
        signal.raise_signal(signal.SIGINT)
        if first == "interrupt":
            start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exercise("3.3").check(loop, seconds=LONG)


def test_an_interrupt_just_when_the_function_ends(nothing_left):
    def interrupting(query, key):
        _thread.interrupt_main()
        return weights(query, key)

    with pytest.raises(KeyboardInterrupt):
        exercise("3.3").check(interrupting)


def test_an_interrupt_inside_a_finalizer_is_not_lost(
    monkeypatch, nothing_left
):
    class Trap:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    traps, now = [Trap()], time.monotonic

    def monotonic():
        traps.clear()
        return now()

    monkeypatch.setattr(limits.time, "monotonic", monotonic)
    with pytest.raises(KeyboardInterrupt):
        exercise("3.3").check(loop, seconds=5)


def test_an_interrupt_while_answers_are_compared(nothing_left):
    ex = exercise("3.3")

    @ex.is_wrong
    def interrupting(query, key):
        """Never told."""
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        ex.check(lambda query, key: weights(query, key) + 0.5)
    ex.wrong_answers.remove(interrupting)


@pytest.mark.parametrize("interrupt", ["simulated", "real"])
def test_an_interrupt_at_any_time_under_load(nothing_left, interrupt):
    rng = random.Random(0)

    def send():
        if interrupt == "simulated":
            _thread.interrupt_main()
        else:
            os.kill(os.getpid(), signal.SIGINT)

    def both():
        # The interrupt comes before, in the midst of or after the start.
        timer = threading.Timer(rng.random() * 0.02, send)
        try:
            timer.start()
            call(loop, (0, 0), LONG)
        finally:
            timer.join()

    with busy():
        for _ in range(25):
            with pytest.raises(KeyboardInterrupt):
                both()


@pytest.mark.parametrize("seconds", [0.0, 0.001])
def test_time_that_is_up_at_any_time_leaves_no_thread(nothing_left, seconds):
    def catch(query, key):
        while True:
            try:
                [].pop()
            except:  # noqa: E722
                pass

    def quick(query, key):
        time.sleep(0.001)

    for _ in range(40):
        for function in (loop, catch, quick):
            result = call(function, (0, 0), seconds)
            assert result.stopped
            assert result.slow or function is quick


def test_an_interrupt_ends_a_loop_that_catches_it(nothing_left):
    def stubborn(query, key):
        while True:
            try:
                while True:
                    pass
            except KeyboardInterrupt:
                pass

    timer = threading.Timer(0.2, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        exercise("3.3").check(stubborn, seconds=LONG)
    timer.join()


def test_an_interrupt_does_not_wait_for_compiled_code(monkeypatch):
    released, before = threading.Event(), threading.enumerate()

    def waits(query, key):
        released.wait()

    monkeypatch.setattr(limits, "PATIENCE", 0.1)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    try:
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            exercise("3.3").check(waits, seconds=LONG)
    finally:
        released.set()
        signal.signal(signal.SIGINT, handler)
    timer.join()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(LONG)
            assert not thread.is_alive()


def test_without_threads_an_interrupt_ends_the_function(
    monkeypatch, nothing_left
):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    def interrupting(query, key):
        signal.raise_signal(signal.SIGINT)
        loop(query, key)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(KeyboardInterrupt):
        exercise("3.3").check(interrupting)


def test_where_interrupts_are_ignored_they_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert exercise("3.3").check(weights).passed
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_than_the_main_one_may_check():
    results = queue.Queue()
    thread = threading.Thread(
        target=lambda: results.put(exercise("3.3").check(weights))
    )
    thread.start()
    assert results.get(timeout=LONG).passed
    thread.join()


def test_a_check_inside_the_function_that_is_checked_is_told(nothing_left):
    def answer(query, key):
        right = weights(query, key)
        exercise("3.3").check(answer)
        return right

    result = exercise("3.3").check(answer)
    assert result.mistake == "raises"
    assert "indentation" in result.message
    assert ".check(answer))" in result.message


def test_a_keyboard_interrupt_raised_in_an_answer_is_told():
    def answer(query, key):
        raise KeyboardInterrupt  # of the answer's own

    result = exercise("3.3").check(answer)
    assert result.mistake == "raises"
    assert "raised KeyboardInterrupt (line" in result.message
    assert "# of the answer's own" in result.message


# Ways out of Python


def test_ways_out_end_the_answer_alone():
    source = """
from attn_course.exercises import exercise
import os, sys
for way in ["exit()", "quit()", "sys.exit()", "os._exit(3)", "os.abort()"]:
    answer = eval(f"lambda query, key: {way}")
    result = exercise("3.3").check(answer)
    assert result.mistake == "raises", result
    assert "ends Python" in result.message, result
assert input() == "still there"
os._exit(7)  # shut while an answer runs, open again
"""
    done = subprocess.run(
        [sys.executable, "-c", source],
        input="still there\n",
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.returncode == 7, done.stderr


class Kernel:
    """A notebook's kernel, to which one sends cells."""

    def __init__(self):
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def send(self, cell):
        """Start a cell; give what `reply` asks for."""
        # An error must not make the kernel drop what is sent next.
        return self.client.execute(
            cell, store_history=False, stop_on_error=False
        )

    def reply(self, sent):
        """Wait until a cell has ended."""
        while True:
            reply = self.client.get_shell_msg(timeout=LONG)
            if reply["parent_header"].get("msg_id") == sent:
                return reply["content"]

    def value(self, expression):
        """Give what an expression is."""
        sent = self.client.execute(
            "", user_expressions={"x": expression}, store_history=False
        )
        (value,) = self.reply(sent)["user_expressions"].values()
        assert value["status"] == "ok", value
        return eval(value["data"]["text/plain"])

    def run(self, cell):
        """Run a cell that must not fail."""
        reply = self.reply(self.send(cell))
        assert reply["status"] == "ok", reply
        return reply


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    kernel.run(
        "import os, sys, threading, time\n"
        "from attn_course.exercises import exercise\n"
        "ex = exercise('3.3')"
    )
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    "way",
    [
        "exit()",
        "quit()",
        "exit(keep_kernel=True)",
        "sys.exit()",
        "os._exit(1)",
        "os.abort()",
        "get_ipython().ask_exit()",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
    ],
)
def test_no_answer_ends_the_kernel(kernel, way):
    kernel.run("here = object()")
    here = kernel.value("id(here)")
    reply = kernel.run(
        f"def answer(query, key):\n    {way}\n\nresult = ex.check(answer)"
    )
    assert reply["payload"] == []
    assert kernel.value("result.mistake") == "raises"
    assert f"line 2: {way}" in kernel.value("result.message")
    # IPython's exit() ends the kernel a little later, between two cells.
    kernel.run("time.sleep(0.5)")
    kernel.run("")
    assert kernel.value("id(here)") == here
    assert not kernel.value("get_ipython().exit_now")


def test_exit_still_ends_ipython_outside_of_answers(kernel):
    kernel.run("ex.check(lambda query, key: exit())")
    assert not kernel.value("'ask_exit' in vars(get_ipython())")


def test_an_interrupt_of_a_kernel_under_load(kernel, tmp_path):
    kernel.run("before = threading.active_count()")
    rng = random.Random(1)
    with busy():
        for i in range(5):
            begun = tmp_path / f"begun{i}"
            sent = kernel.send(
                "def loop(query, key):\n"
                f"    open({str(begun)!r}, 'w').close()\n"
                "    while True:\n"
                "        pass\n\n"
                f"ex.check(loop, seconds={10 * LONG})"
            )
            last = time.monotonic() + LONG
            while not begun.exists():
                assert time.monotonic() < last, "the cell never began"
                time.sleep(0.001)
            time.sleep(rng.random() * 0.1)
            kernel.manager.interrupt_kernel()
            reply = kernel.reply(sent)
            assert reply["status"] == "error"
            assert reply["ename"] == "KeyboardInterrupt"
    assert kernel.value("threading.active_count() - before") == 0
    assert kernel.value("ex.check(ex.reference).passed")


# What is said


@each
def test_a_float32_result_is_told_as_that(ex):
    def rounded(*arguments):
        return ex.reference(*arguments).astype(np.float32)

    result = ex.check(with_parameters_of(ex, rounded))
    assert result.mistake == "wrong_dtype"
    assert "float32" in result.message


@pytest.mark.parametrize("score", [-1e5, -1e8, -(2.0**31)])
def test_a_score_like_one_that_we_know_is_not_told_as_that_one(score):
    def hides(query, key, value, length):
        output = np.zeros(value.shape)
        query, key, value = (x[..., :length, :] for x in (query, key, value))
        scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(key.shape[-1])
        shares = softmax(np.where(np.tri(length) > 0, scores, score))
        output[..., :length, :] = shares @ value
        return output

    result = exercise("4.1").check(hides)
    assert result.mistake.startswith("score_of_minus")
    assert "or so" in result.message


@each
def test_a_result_of_integers_is_told_as_that(ex):
    result = ex.check(
        with_parameters_of(
            ex, lambda *x: np.full_like(ex.reference(*x), 7, dtype=int)
        )
    )
    assert result.mistake == "wrong_dtype"
    assert "int64" in result.message


@each
@pytest.mark.parametrize("line", ["{}", "{} * 2", "2 + len({})", "({},)"])
def test_a_line_without_return_was_tried(ex, line):
    first = ex.parameters[0]
    names = ", ".join(ex.parameters)
    namespace = {}
    exec(f"def f({names}):\n    {line.format(first)}", namespace)
    result = ex.check(namespace["f"])
    assert result.mistake == "returns_nothing"
    assert result.state == "failed"


@pytest.mark.parametrize(
    "body",
    [
        "...",
        "pass",
        "return",
        "return ...",
        "'''Later.'''",
        "raise NotImplementedError",
        "raise NotImplementedError('later')",
        "return NotImplemented",
    ],
)
def test_a_stub_is_not_tried_however_it_is_wrapped(body):
    namespace = {}
    exec(f"def f(query, key):\n    {body}", namespace)
    stub = namespace["f"]
    assert is_stub(stub)

    @functools.wraps(stub)
    def wrapped(*arguments):
        return stub(*arguments)

    class Layer:
        forward = staticmethod(stub)

    for way in (stub, wrapped, functools.partial(stub), Layer().forward):
        assert exercise("3.3").check(way).mistake == "not_tried"


def test_not_implemented_further_on_is_told_as_an_exception():
    def answer(query, key):
        scores = query @ key.T
        raise NotImplementedError("softmax", scores.shape)

    result = exercise("3.3").check(answer)
    assert result.mistake == "raises"
    assert "raise NotImplementedError(" in result.message


def test_no_code_is_found_where_there_is_none():
    assert code_of(np.exp) is None
    assert not is_stub(print)

    class Endless:
        def __getattr__(self, name):
            return self

        def __call__(self, query, key):
            return None

    assert exercise("3.3").check(Endless()).state != "passed"


class Model:
    """An answer as a class: some learners know nothing else."""

    def __init__(self, query, key):
        self.scores = np.reshape(query, (7, 7, 7))  # a line of the class

    def method(self, query, key):
        return np.reshape(key, (7, 7, 7))  # a line of the method


class Layer:
    def __call__(self, query, key):
        return np.concatenate([query, key], axis=7)  # a line of the layer


def scaled(scale, query, key):
    return np.reshape(query, (7, 7, 7)) * scale  # a line of the partial


def helped(query, key):
    return helper(query)


def helper(x):
    return np.reshape(x, (7, 7, 7))  # a line of the helper


@functools.wraps(helper)
def wrapped(query, key):
    return helper(query)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Model, "class"),
        (Model.method.__get__(object()), "method"),
        (Layer(), "layer"),
        (functools.partial(scaled, 2.0), "partial"),
        (functools.partial(functools.partial(scaled), 2.0), "partial"),
        (helped, "helper"),
        (np.vectorize(helped), "helper"),
        (lambda query, key: helper(key), "helper"),
    ],
)
def test_an_exception_of_numpy_is_shown_with_the_learners_line(answer, line):
    result = exercise("3.3").check(answer)
    assert result.mistake == "raises"
    assert f"# a line of the {line})" in result.message


def test_an_exception_without_a_message_has_no_colon():
    def answer(query, key):
        raise ValueError

    result = exercise("3.3").check(answer)
    assert "raised ValueError (line" in result.message
    assert result.example.text.endswith("got    ValueError") or (
        result.example.text.splitlines()[-1].split() == ["got", "ValueError"]
    )


def test_a_line_without_a_source_is_told_by_its_number():
    namespace = {}
    exec("def f(query, key):\n    return query[99]", namespace)
    result = exercise("3.3").check(namespace["f"])
    assert result.message.endswith(" (line 2)")


@each
def test_a_comma_behind_the_result_is_told(ex):
    result = ex.check(
        with_parameters_of(ex, lambda *x: (ex.reference(*x),)),
    )
    assert result.mistake == "wrong_type"
    assert "comma" in result.message


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda x: x.tolist(), "wrong_type", "a list"),
        (lambda x: list(x), "wrong_type", "`np.array` makes one of it"),
        (lambda x: (x, x), "wrong_type", "a tuple of 2"),
        (lambda x: x.sum, "wrong_type", "brackets"),
        (lambda x: np.ma.masked_less(x, 9), "wrong_type", "masked array"),
        (lambda x: x.sum(), "wrong_shape", "is a single number"),
        (lambda x: 3, "wrong_shape", "is a single number"),
        (lambda x: None if x.size > 3 else x, "returns_nothing", "every way"),
        (lambda x: 1j * x, "wrong_dtype", "complex128"),
    ],
    ids=["list", "rows", "two", "method", "masked", "sum", "3", "none", "1j"],
)
def test_what_came_is_said_with_what_to_do(change, mistake, words):
    result = exercise("3.3").check(
        lambda query, key: change(weights(query, key))
    )
    assert result.mistake == mistake
    assert words in result.message


def test_a_list_that_holds_itself_is_told():
    def answer(query, key):
        endless = []
        endless.append(endless)
        return endless

    assert exercise("3.3").check(answer).mistake == "wrong_type"


def test_a_function_may_use_its_own_array_again():
    kept = {}

    def answer(query, key):
        right = ex.reference(query, key)
        out = kept.setdefault((right.shape, right.dtype), np.empty_like(right))
        out[...] = right
        return out

    ex = exercise("3.11")
    assert ex.check(answer).passed


# What a statement forbids


@pytest.fixture
def strict():
    """An exercise that forbids the course's functions and one by name."""
    ex = exercise("3.3")
    ex.forbids = ("attn_course", "weights")
    return ex


def test_what_is_not_forbidden_may_be_called(strict):
    def softmax(x):
        xp = array_namespace(x)
        shares = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
        return shares / shares.sum(-1)

    def answer(query, key):
        scores = (query * key).sum(-1)
        return softmax(scores / np.sqrt(query.shape[-1]))

    assert strict.check(answer).passed
    assert strict.check(strict.reference).passed
    answer.__code__ = answer.__code__.replace(co_name="weights")
    assert strict.check(answer).passed  # its own name


def ways_to_the_course():
    alias = attn_course.attention_weights
    stored = {"f": alias}

    def inside(query, key):
        from attn_course.functional import attention_weights as mine

        return mine(query, key)

    def swallowed(query, key):
        try:
            return alias(query, key)
        except BaseException:
            return None

    return [
        alias,
        functools.partial(alias),
        lambda query, key: stored["f"](query, key),
        inside,
        swallowed,
        lambda query, key: next(map(alias, [query], [key])),
        lambda query, key: np.array([*map(alias, [query], [key])])[0],
        lambda query, key: weights(query, key),
    ]


@pytest.mark.parametrize("answer", ways_to_the_course())
def test_what_is_forbidden_is_seen_by_whatever_way(strict, answer):
    result = strict.check(answer)
    assert result.mistake == "forbidden"
    assert "weights`, which the statement forbids" in result.message


# What is held at once


def softmax(scores):
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def score(query, key):
    return query @ key.T / np.sqrt(query.shape[-1])


def tiles(key, block):
    return [slice(i, i + block) for i in range(0, len(key), block)]


def two_passes(query, key, value, block):
    highest, total, read = -np.inf, 0.0, 0.0
    for tile in tiles(key, block):
        new = score(query, key[tile]).max(axis=1, keepdims=True)
        highest = np.maximum(highest, new)
    for tile in tiles(key, block):
        shares = np.exp(score(query, key[tile]) - highest)
        total = total + shares.sum(axis=1, keepdims=True)
        read = read + shares @ value[tile]
    return read / total


def after_copies(query, key, value, block):
    arrays = (np.array(x, dtype=np.float64) for x in (query, key, value))
    query, key, value = (1.0 * x for x in arrays)
    return two_passes(query, key, value, block)


def query_by_query(query, key, value, block):
    ends = range(block, len(key), block)
    output = []
    for q in query:
        m, total, read = -np.inf, 0.0, np.zeros(value.shape[1])
        parts = np.array_split(key, ends), np.array_split(value, ends)
        for k, v in zip(*parts, strict=True):
            scores = k @ q / np.sqrt(len(q))
            new = max(m, scores.max())
            shares, kept = np.exp(scores - new), np.exp(m - new)
            total = total * kept + shares.sum()
            read = read * kept + shares @ v
            m = new
        output.append(read / total)
    return np.array(output)


def in_pure_python(query, key, value, block):
    output = []
    for q in query.tolist():
        m, total, read = -math.inf, 0.0, [0.0] * value.shape[1]
        for k, v in zip(key.tolist(), value.tolist(), strict=True):
            x = sum(a * b for a, b in zip(q, k, strict=True))
            x /= math.sqrt(len(q))
            new = max(m, x)
            share, kept = math.exp(x - new), math.exp(m - new)
            total = total * kept + share
            read = [a * kept + share * b for a, b in zip(read, v, strict=True)]
            m = new
        output.append([a / total for a in read])
    return np.array(output)


def exponentials_together(query, key, value, block):
    m, read = np.full((len(query), 1), -np.inf), 0.0
    value = np.hstack([value, np.ones_like(value[:, :1])])
    for tile in tiles(key, block):
        both = np.hstack([m, score(query, key[tile])])
        m = both.max(axis=1, keepdims=True)
        shares = np.exp(both - m)
        read = shares[:, :1] * read + shares[:, 1:] @ value[tile]
    return read[:, :-1] / read[:, -1:]


@pytest.mark.parametrize(
    "answer",
    [
        two_passes,
        after_copies,
        query_by_query,
        in_pure_python,
        exponentials_together,
    ],
)
def test_tiles_may_be_read_in_any_way(answer):
    result = exercise("8.2").check(answer, seconds=LONG)
    assert result.passed, result


def all_at_once(query, key, value, block):
    return softmax(score(query, key)) @ value


def with_an_exp_of_its_own(query, key, value, block):
    arrays = (np.asarray(x, dtype=float) for x in (query, key, value))
    query, key, value = arrays
    scores = np.einsum("qd,kd->qk", query, key) / query.shape[1] ** 0.5
    shares = my_exp(scores - scores.max(axis=1, keepdims=True))
    return shares @ value / shares.sum(axis=1, keepdims=True)


my_exp = np.exp


def row_by_row(query, key, value, block):
    return np.stack([softmax(score(q, key)) @ value for q in query])


def tiles_kept_in_a_list(query, key, value, block):
    scores = [score(query, key[tile]) for tile in tiles(key, block)]
    rows = [x.max(axis=1, keepdims=True) for x in scores]
    shares = [np.exp(x - np.max(rows, axis=0)) for x in scores]
    total = sum(x.sum(axis=1, keepdims=True) for x in shares)
    parts = zip(shares, tiles(key, block), strict=True)
    return sum(x @ value[tile] for x, tile in parts) / total


@pytest.mark.parametrize(
    "answer",
    [all_at_once, with_an_exp_of_its_own, row_by_row, tiles_kept_in_a_list],
)
def test_whoever_holds_all_weights_is_told(answer):
    result = exercise("8.2").check(answer, seconds=LONG)
    assert result.mistake == "block_ignored"


def test_what_is_measured_leaves_nothing_behind():
    exp = np.exp
    ex = exercise("8.2")
    ex.check(ex.reference)
    assert np.exp is exp
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        ex.check(ex.reference)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    ex.wrong_answers.clear()
    result = ex.check(all_at_once)
    assert result.mistake == "holds_too_much"
    assert result.example.name == "a long text"


def test_the_profiler_of_the_caller_stays(monkeypatch, strict):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    def mine(*_):
        return None

    monkeypatch.setattr(threading.Thread, "start", refuse)
    before = sys.getprofile()
    try:
        sys.setprofile(mine)
        strict.check(strict.reference)
        assert sys.getprofile() is mine
    finally:
        sys.setprofile(before)


def test_the_modules_of_the_exercises_import_each_other_one_way():
    names = ("task", "feedback", "checking", "core")
    for i, name in enumerate(names):
        module = sys.modules[f"attn_course.exercises.{name}"]
        source = inspect.getsource(module)
        for later in names[i + 1 :]:
            assert f"attn_course.exercises.{later}" not in source
            assert f"attn_course.exercises import {later}" not in source
