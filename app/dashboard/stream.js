// Server-sent events, read with fetch: EventSource cannot send a token, and one path for both is enough.
import { authorization, Problem } from './api.js';

const first_backoff_ms = 500;
const max_backoff_ms = 10_000;
const silence_limit_ms = 40_000; // the node sends a comment every 15 s
const steady_after_ms = 5_000; // a connection that held that long was a good one
const slice_ms = 12; // of work, then the page gets its turn

/** Cuts text, as it comes, into {id, type, data}. */
export class EventParser {
  #rest = '';
  #event = { id: '', type: 'message', data: '' };

  /** Calls `emit` for each event that is complete. */
  *feed(text) {
    this.#rest += text;
    let from = 0;
    for (let end; (end = this.#rest.indexOf('\n', from)) >= 0; from = end + 1) {
      const line = this.#rest.slice(from, this.#rest[end - 1] === '\r' ? end - 1 : end);
      if (line === '') {
        if (this.#event.data !== '')
          yield this.#event;
        this.#event = { id: '', type: 'message', data: '' };
      } else {
        this.#field(line);
      }
    }
    this.#rest = this.#rest.slice(from);
  }

  #field(line) {
    const colon = line.indexOf(':');
    if (colon === 0)
      return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data')
      this.#event.data += this.#event.data === '' ? value : `\n${value}`;
    else if (name === 'event')
      this.#event.type = value;
    else if (name === 'id')
      this.#event.id = value;
  }
}

/**
 * Keeps one stream open until stop(): reconnects with growing, random pauses and the last id it has seen.
 * onEvent({id, type, data}) gets each event with its data unparsed; onOpen() and onLost(Problem, pause_ms) say
 * how it stands. After 401 it waits for retry().
 */
export class Stream {
  #path;
  #handlers;
  #last_id = '';
  #failures = 0;
  #current = null; // the AbortController of the connection, or of the pause
  #wake = null;
  #run_id = null; // of the loop that runs; a loop with another one ends

  constructor(path, handlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  start() {
    if (this.#run_id)
      return;
    this.#run_id = {};
    this.#run(this.#run_id);
  }

  stop() {
    this.#run_id = null;
    this.#current?.abort();
    this.#wake?.();
  }

  /** Now, without the rest of the pause. */
  retry() {
    this.#failures = 0;
    this.#wake?.();
  }

  async #run(run_id) {
    while (this.#run_id === run_id) {
      const begun = performance.now();
      let problem;
      try {
        await this.#connection();
        problem = new Problem(0, { code: 'closed', detail: 'the node closed the connection' });
      } catch (error) {
        problem = error instanceof Problem ? error : Problem.unreachable(error);
      }
      if (this.#run_id !== run_id)
        return;
      this.#failures = performance.now() - begun > steady_after_ms ? 1 : this.#failures + 1;
      await this.#pause(problem);
    }
  }

  async #pause(problem) {
    const bound = Math.min(max_backoff_ms, first_backoff_ms * 2 ** (this.#failures - 1));
    const pause_ms = Math.max(problem.retry_after_ms, bound / 4 + Math.random() * bound * 3 / 4);
    this.#handlers.onLost(problem, pause_ms);
    const woken = new Promise(resolve => { this.#wake = resolve; });
    const timer = problem.status === 401 ? 0 : setTimeout(this.#wake, pause_ms);
    await woken;
    clearTimeout(timer);
  }

  async #connection() {
    const controller = this.#current = new AbortController();
    const headers = { Accept: 'text/event-stream', ...authorization() };
    if (this.#last_id)
      headers['Last-Event-ID'] = this.#last_id;
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => controller.abort(), silence_limit_ms);
    };
    alive();
    try {
      const response = await fetch(this.#path, { headers, cache: 'no-store', signal: controller.signal });
      if (!response.ok)
        throw await Problem.of(response);
      this.#handlers.onOpen();
      await this.#read(response.body.getReader(), alive);
    } finally {
      clearTimeout(watchdog);
    }
  }

  async #read(reader, alive) {
    const parser = new EventParser(), decoder = new TextDecoder();
    let turn = performance.now();
    for (let chunk; !(chunk = await reader.read()).done;) {
      alive();
      for (const event of parser.feed(decoder.decode(chunk.value, { stream: true }))) {
        if (event.id)
          this.#last_id = event.id;
        this.#handlers.onEvent(event);
      }
      if (performance.now() - turn > slice_ms) {
        await new Promise(resolve => setTimeout(resolve));
        turn = performance.now();
      }
    }
  }
}
