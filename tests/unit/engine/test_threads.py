"""The number of threads follows what tokens take: pure, with times that a test makes up."""

from collections import Counter

from quillon.engine.threads import ThreadTuner


def run(tuner, seconds, tokens, *, key=1):
    """Generate tokens; `seconds` maps the number of threads to the time of one."""
    used = []
    for _ in range(tokens):
        used.append(tuner.threads)
        tuner.note(seconds[tuner.threads], key)
    return used


def usual(used):
    return Counter(used).most_common(1)[0][0]


def test_fewer_threads_are_found_when_they_are_faster():
    tuner = ThreadTuner(3, 4)
    used = run(tuner, {1: 0.030, 2: 0.040, 3: 0.080, 4: 0.120}, 600)
    assert usual(used[-100:]) == 1
    assert used.count(4) <= 12


def test_more_threads_are_found_when_they_are_faster():
    tuner = ThreadTuner(1, 4)
    used = run(tuner, {1: 0.080, 2: 0.050, 3: 0.040, 4: 0.039}, 1000)
    assert usual(used[-100:]) == 3  # the fourth gains less than a tenth


def test_trials_in_vain_become_rare():
    tuner = ThreadTuner(2, 3)
    used = run(tuner, {1: 0.2, 2: 0.05, 3: 0.2}, 10_000)
    assert len(used) - used.count(2) < 60


def test_a_machine_that_becomes_busy_is_noticed_soon():
    tuner = ThreadTuner(2, 2)
    before = run(tuner, {1: 0.060, 2: 0.045}, 5000)
    assert usual(before) == 2
    after = run(tuner, {1: 0.060, 2: 0.200}, 200)
    assert usual(after[-100:]) == 1


def test_one_hiccup_changes_nothing():
    tuner = ThreadTuner(2, 2)
    run(tuner, {1: 0.060, 2: 0.045}, 100)
    tuner.note(5.0, 1)
    run(tuner, {1: 0.060, 2: 0.045}, 20)
    assert tuner.threads == 2


def test_different_generations_are_not_compared():
    tuner = ThreadTuner(2, 4)
    used = []
    for number in range(100):
        # A long conversation is slower than a short one, whatever the threads.
        times = dict.fromkeys(range(1, 5), 0.05 * (1 + number % 2))
        used += run(tuner, times, 20, key=number)
    assert set(used) == {2}


def test_with_one_thread_there_is_no_choice():
    assert set(run(ThreadTuner(1, 1), {1: 0.1}, 500)) == {1}


def test_a_fixed_number_stays():
    assert set(run(ThreadTuner(3, 0), {3: 0.1}, 500)) == {3}
