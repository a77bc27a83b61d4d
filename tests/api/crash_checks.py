"""What must hold after a Trial of crash_harness, whenever the node was killed."""
from collections import Counter, defaultdict

TERMINAL = {"completed", "failed", "canceled", "rejected"}


def check(trial, found, log):
    """Everything that is wrong, as text."""
    starts = defaultdict(list)   # by task: lines of the service's log, with their places in it
    answers = defaultdict(list)
    for place, line in enumerate(log):
        (answers if "status" in line else starts)[line["task_id"]].append((place, line))
    problems = []
    for task_id, task in trial.tasks.items():
        problems += [f"{task_id}: {text}" for text in (
            *check_end(trial, task_id, found), *check_attempts(task, starts[task_id]))]
        if found[task_id]:
            problems += [f"{task_id}: {text}" for text in (
                *check_receipt(found[task_id], answers[task_id]),
                *check_dependencies(trial, task, starts[task_id], answers))]
    strangers = set(starts) - set(trial.tasks)
    if strangers:
        problems.append(f"executed, and never submitted: {sorted(strangers)[:5]}")
    return problems + check_events(trial, found)


def check_end(trial, task_id, found):
    task = found[task_id]
    if task is None:
        kept = sum(task is not None for task in found.values())
        if task_id in trial.accepted and kept >= trial.retain:
            return []  # forgotten; check_events sees that its end was told
        return ["accepted, and not there"] if task_id in trial.accepted else ["neither accepted nor there"]
    if task["state"] not in TERMINAL:
        return [f"is {task['state']}"]
    before = trial.seen.get(task_id, task["state"])
    return [] if before == task["state"] else [f"was {before} and is {task['state']}"]


def check_attempts(task, starts):
    numbers = Counter(line["attempt"] for _, line in starts)
    problems = [f"attempt {number} was executed {count} times" for number, count in numbers.items() if count > 1]
    if task["max_attempts"] == 1 and len(starts) > 1:
        problems.append(f"may have one attempt, and was executed {len(starts)} times")
    return problems


def check_receipt(task, answers):
    """Completed means: the service has given this very answer to this very request."""
    if task["state"] != "completed":
        return []
    # Not always the latest attempt: that may have been a hedge, and the slower.
    last = next((one for one in reversed(task.get("history", [])) if one["verdict"] == "completed"), {})
    receipt = last.get("receipt")
    if not receipt:
        return ["is completed, without a receipt"]
    for _, line in answers:
        if (line["attempt"], line["request_sha256"], line["answer_sha256"]) == (
                last["attempt"], receipt["request_sha256"], receipt["answer_sha256"]):
            good = line["result"] == "completed" and task["output"] == {"attempt": last["attempt"],
                                                                        "of": task["task_id"]}
            return [] if good else [f"is completed with {task['output']}, where the service said {line}"]
    return [f"is completed, and the service knows nothing of it: {last}"]


def check_dependencies(trial, task, starts, answers):
    problems = []
    if not starts:
        return problems
    first = min(place for place, _ in starts)
    for needed in task.get("depends_on", []):
        done = [place for place, line in answers[needed] if line["result"] == "completed"]
        if not done or min(done) > first:
            problems.append(f"was executed before {needed} was completed")
    return problems


def check_events(trial, found, returns=False):
    """The stream: numbers that grow; of each task its submit, its attempts, one end, and nothing after it.
    `returns`: attempts may come back from agents that have no room; they are told of, and do not count."""
    problems = []
    ends, begun, works = defaultdict(list), set(), Counter()
    last = 0
    for number, task_id, state in trial.events:
        if not trial.gaps and number <= last:
            problems.append(f"event {number} came after {last}")
        last = number
        if task_id not in begun and state != "submitted" and not trial.gaps:
            problems.append(f"{task_id}: {state} was the first that was told of it")
        begun.add(task_id)
        works[task_id] += state == "working"
        if ends[task_id] and not trial.gaps:
            problems.append(f"{task_id}: {state} was told after {ends[task_id]}")
        if state in TERMINAL:
            ends[task_id].append(state)
    for task_id, task in found.items():
        told = ends[task_id]
        # Of a task with a hedge it is told too that one of the two has failed, and it works on.
        hedges = sum(one.get("hedge", False) for one in (task or {}).get("history", []))
        more = works[task_id] - (task or {}).get("attempts", 0)
        if task and (more < 0 or more > hedges and not returns) and not trial.gaps:
            problems.append(f"{task_id} had {task['attempts']} attempts, and {works[task_id]} were told of")
        if task and set(told) != {task["state"]} or len(set(told)) != 1 or (len(told) > 1 and not trial.gaps):
            problems.append(f"{task_id} is {task and task['state']}; its ends in the stream: {told}")
    return problems
