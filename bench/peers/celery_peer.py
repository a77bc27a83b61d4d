#!/usr/bin/python3
"""celery_peer.py URL BODY TASKS: sends tasks, and waits until the service has carried out all of them. The worker:
celery -A celery_peer worker. Both find Redis by CELERY_REDIS, and the worker the service by CELERY_URL."""
import json
import os
import sys
import time
import urllib.request

import celery

app = celery.Celery("peer", broker=os.environ["CELERY_REDIS"])
# As the manual's "Optimizing" advises for many short tasks: no results, large prefetch, nothing compressed.
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=50, broker_pool_limit=10,
                worker_send_task_events=False)


@app.task(name="post")
def post(body):
    import requests
    global session
    if session is None:
        session = requests.Session()
        session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=1_024))
    session.post(os.environ["CELERY_URL"], data=body, headers={"Content-Type": "application/json"}).raise_for_status()


session = None


def main():
    url, body, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])
    counter = url.partition("/agents/")[0] + "/executed"

    def executed():
        with urllib.request.urlopen(counter) as answer:
            return json.load(answer)
    goal = executed() + tasks
    begin = time.monotonic()
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(tasks):
            post.apply_async((body,), producer=producer)
    while executed() < goal:
        if time.monotonic() > begin + 120:
            raise SystemExit(f"only {executed() - goal + tasks} of {tasks} tasks were executed")
        time.sleep(0.01)
    print(json.dumps({"per_second": tasks / (time.monotonic() - begin), "errors": 0}))


if __name__ == "__main__":
    main()
