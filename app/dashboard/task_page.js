// One page of the list, kept up to date by events. No DOM here: summaries in, summaries out.
import { terminal_states } from './states.js';

/** Whether a summary passes {role, state: [], label: ["name:text" or "name"]}, as the node's own filter does. */
export function passes(filter, task) {
  return (!filter.role || filter.role === task.role)
    && (filter.state.length === 0 || filter.state.includes(task.state))
    && filter.label.every(label => {
      const colon = label.indexOf(':'), labels = task.labels ?? {};
      const name = colon < 0 ? label : label.slice(0, colon);
      return Object.hasOwn(labels, name) && (colon < 0 || labels[name] === label.slice(colon + 1));
    });
}

/** An event may be older than the snapshot: what has ended stays so, and attempts only grow. */
function isOlder(task, than) {
  return (terminal_states.has(than.state) && !terminal_states.has(task.state)) || task.attempts < than.attempts;
}

const newestFirst = (a, b) => a.submitted_at < b.submitted_at ? 1 : a.submitted_at > b.submitted_at ? -1 : 0;

export class TaskPage {
  #filter;
  #limit;
  #takes_new; // only the first page does
  #rows = new Map(); // task_id -> summary
  #new = new Map(); // held back, the latest #limit
  #new_count = 0;
  #holding = false;
  #since_loading = null; // events that came while a snapshot was on its way

  constructor(filter, limit, takes_new) {
    this.#filter = filter;
    this.#limit = limit;
    this.#takes_new = takes_new;
  }

  loading() {
    this.#since_loading = new Map();
  }

  replace(tasks) {
    this.#rows = new Map(tasks.map(task => [task.task_id, task]));
    this.#new.clear();
    this.#new_count = 0;
    const events = this.#since_loading ?? new Map();
    this.#since_loading = null;
    for (const task of events.values())
      this.apply(task);
  }

  /** Takes an event; gives whether anything that is shown may have changed. */
  apply(task) {
    if (this.#since_loading) {
      this.#since_loading.set(task.task_id, task);
      bound(this.#since_loading, 4 * this.#limit);
    }
    const known = this.#rows.get(task.task_id);
    if (known) {
      if (isOlder(task, known))
        return false;
      if (passes(this.#filter, task))
        this.#rows.set(task.task_id, task);
      else
        this.#rows.delete(task.task_id);
      return true;
    }
    if (!this.#takes_new || !passes(this.#filter, task))
      return this.#new.delete(task.task_id);
    const waiting = this.#new.get(task.task_id);
    if (waiting && isOlder(task, waiting))
      return false;
    if (!waiting)
      this.#new_count++;
    this.#new.set(task.task_id, task);
    bound(this.#new, 4 * this.#limit);
    return true;
  }

  hold(holding) {
    this.#holding = holding;
  }

  /** How many new tasks are not shown because the list is held. */
  held() {
    return this.#holding ? this.#new_count : 0;
  }

  /** Fewer rows than a page has. */
  thin() {
    return this.#rows.size < this.#limit / 2;
  }

  /** What to show now, the newest first. */
  shown() {
    if (!this.#holding && this.#new.size > 0) {
      const all = [...[...this.#new.values()].reverse(), ...this.#rows.values()].sort(newestFirst).slice(0, this.#limit);
      this.#rows = new Map(all.map(task => [task.task_id, task]));
      this.#new.clear();
      this.#new_count = 0;
    }
    return [...this.#rows.values()];
  }
}

function bound(map, size) {
  if (map.size > size)
    map.delete(map.keys().next().value);
}
