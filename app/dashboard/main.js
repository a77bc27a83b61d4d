// Which view is open follows from the address: #/, #/tasks?…, #/tasks/ID, #/agents?…, #/submit. So each can be
// shared, reloaded, and gone back from.
import { replace } from './dom.js';
import { whenLocked } from './api.js';
import { lock, on, start } from './live.js';
import { startHeader } from './header.js';
import { openOverview } from './overview.js';
import { openTasks } from './tasks.js';
import { openTask } from './task.js';
import { openAgents } from './agents.js';
import { openSubmit } from './submit.js';

const views = [
  { name: 'overview', pattern: /^$/, open: openOverview, title: 'Overview' },
  { name: 'tasks', pattern: /^tasks$/, open: openTasks, title: 'Tasks' },
  { name: 'tasks', pattern: /^tasks\/(.+)$/, open: openTask, title: 'Task' },
  { name: 'agents', pattern: /^agents$/, open: openAgents, title: 'Agents' },
  { name: 'submit', pattern: /^submit$/, open: openSubmit, title: 'Submit a task' },
];

let current = null; // {element, refresh?, close?} of the view that is open
let current_path = null;

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function route() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const view = views.find(one => one.pattern.test(path));
  if (!view) {
    location.replace('#/');
    return;
  }
  current?.close?.();
  const [, id] = path.match(view.pattern);
  const focused_id = document.activeElement?.id;
  current = view.open({ id: id && decoded(id), query: new URLSearchParams(query) });
  const main = document.getElementById('main');
  replace(main, current.element);
  document.title = current.title ?? view.title;
  for (const link of document.querySelectorAll('.tabs a')) {
    if (link.dataset.view === view.name)
      link.setAttribute('aria-current', 'page');
    else
      link.removeAttribute('aria-current');
  }
  if (current_path === path) {
    document.getElementById(focused_id)?.focus({ preventScroll: true }); // a filter of the same view
  } else if (current_path !== null) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  current_path = path;
}

document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault(); // the address belongs to the views
  document.getElementById('main').focus();
});
whenLocked(lock);
on('reload', () => current?.refresh?.());
addEventListener('hashchange', route);
startHeader();
route();
start();
