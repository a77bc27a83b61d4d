// A form for one task. What is wrong is said at its field, by the page while one types, or by the node.
import { h, replace, setText } from './dom.js';
import { send, Problem } from './api.js';
import { watch } from './live.js';
import { attempt, note } from './dialogs.js';
import { withMember } from './json.js';

let draft = {}; // what was typed, for when one comes back

/** A labelled control with its hint and its problem. `control` gets the ids it needs. */
function field(name, label, control, hint) {
  const problem = h('p', { class: 'field-problem', id: `problem-${name}` });
  const hint_element = h('p', { class: 'hint', id: `hint-${name}` }, hint);
  control.id = `task-${name}`;
  control.name = name;
  control.setAttribute('aria-describedby', `hint-${name} problem-${name}`);
  const element = h('div', { class: `field field-${name}`, 'data-field': name }, h('label', { for: control.id }, label), control, problem, hint_element);
  return {
    name, label, control, element, hint: hint_element,
    problem: () => problem.textContent,
    setProblem(text) {
      setText(problem, text);
      if (text)
        control.setAttribute('aria-invalid', 'true');
      else
        control.removeAttribute('aria-invalid');
    },
  };
}

const text = (attributes = {}) => h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });

function makeFields() {
  return [
    field('role', 'Role', h('select', { required: true }), 'Who is to do it.'),
    field('input', 'Input (JSON)', h('textarea', { rows: '9', spellcheck: 'false', required: true, placeholder: '{"file": "a.cpp"}' }), 'Any JSON value.'),
    field('skills', 'Skills', text({ placeholder: 'cpp, python' }), 'Names, with commas; the agent must have all of them.'),
    field('priority', 'Priority', h('input', { type: 'number', min: '0', max: '9', step: '1', placeholder: '0' }), '0 to 9, the higher goes first.'),
    field('timeout', 'Timeout', text({ placeholder: '60s' }), 'Of an attempt: 500ms, 30s, 5m, 1h.'),
    field('max_attempts', 'Attempts at most', h('input', { type: 'number', min: '1', max: '1000', step: '1', placeholder: '3' }), '1 means at most once.'),
    field('task_id', 'Task id', text({ placeholder: 'given by the node' }), 'Your own makes a repeated submit harmless.'),
    field('context_id', 'Context id', text(), 'The conversation it belongs to.'),
    field('labels', 'Labels', h('textarea', { rows: '3', spellcheck: 'false', placeholder: 'team: search' }), 'One a line, name: text.'),
  ];
}

function parseLabels(value) {
  const pairs = value.split('\n').map(line => line.trim()).filter(Boolean).map(line => {
    const at = line.search(/[:=]/);
    return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return pairs.length ? Object.fromEntries(pairs) : undefined;
}

/** All but the input, which goes to the node as it was typed. Empty fields are left out. */
function taskOf(value) {
  const number = name => value(name) === '' ? undefined : Number(value(name));
  const skills = value('skills').split(',').map(name => name.trim()).filter(Boolean);
  return {
    role: value('role'), skills: skills.length ? skills : undefined, priority: number('priority'),
    timeout: value('timeout') || undefined, max_attempts: number('max_attempts'), labels: parseLabels(value('labels')),
    task_id: value('task_id') || undefined, context_id: value('context_id') || undefined,
  };
}

/** "/role", "/0/role" and "/labels/team" belong to the fields role, role and labels. */
function fieldOf(pointer = '') {
  return pointer.split('/').filter(step => step !== '' && !/^\d+$/.test(step))[0]?.replaceAll('~1', '/').replaceAll('~0', '~');
}

export function openSubmit() {
  const fields = makeFields();
  const by_name = Object.fromEntries(fields.map(one => [one.name, one]));
  const value = name => by_name[name].control.value.trim();
  const summary = h('div', { class: 'card error', tabindex: '-1', hidden: true, 'data-part': 'problems' });
  const as_text = h('button', { type: 'button', class: 'small', hidden: true, onclick: useAsText }, 'Use it as text');
  by_name.input.element.append(as_text);
  const submit_button = h('button', { type: 'submit', class: 'primary' }, 'Submit');

  function checkInput() {
    const typed = value('input');
    let problem = '';
    if (typed)
      try { JSON.parse(typed); } catch (error) { problem = `This is not JSON: ${error.message}`; }
    by_name.input.setProblem(problem);
    as_text.hidden = !problem || /^[[{"]/.test(typed);
    return problem;
  }

  function useAsText() {
    by_name.input.control.value = JSON.stringify(by_name.input.control.value);
    checkInput();
    by_name.input.control.focus();
  }

  function showProblems(problems) {
    const others = [];
    for (const { pointer, detail } of problems) {
      const target = by_name[fieldOf(pointer)];
      if (target)
        target.setProblem(detail);
      else
        others.push(detail);
    }
    const wrong = fields.filter(one => one.control.hasAttribute('aria-invalid'));
    replace(summary, h('h2', {}, 'It was not accepted'), h('ul', {},
      wrong.map(one => h('li', {}, h('a', { href: `#task-${one.name}`, onclick: event => { event.preventDefault(); one.control.focus(); } }, `${one.label}: ${one.problem()}`))),
      others.map(detail => h('li', {}, detail))));
    summary.hidden = wrong.length + others.length === 0;
    if (!summary.hidden)
      summary.focus();
  }

  async function submit(event) {
    event.preventDefault();
    fields.forEach(one => one.setProblem(''));
    const missing = ['role', 'input'].filter(name => !value(name)).map(name => ({ pointer: `/${name}`, detail: 'is required' }));
    const bad_json = checkInput();
    if (missing.length || bad_json) {
      showProblems(missing);
      return;
    }
    const json = withMember(taskOf(value), 'input', value('input'));
    const made = await attempt(submit_button, async () => {
      try {
        return await send('POST', '/v1/tasks', { json });
      } catch (error) {
        if (!(error instanceof Problem) || error.status === 0 || error.status === 401)
          throw error;
        showProblems(error.errors.length ? error.errors : [{ detail: error.message }]);
        return null;
      }
    });
    if (!made)
      return;
    draft = { role: value('role') };
    note(`Submitted ${made.task_id}.`);
    location.hash = `#/tasks/${encodeURIComponent(made.task_id)}`;
  }

  const form = h('form', {
    class: 'card submit', novalidate: true, onsubmit: submit,
    oninput: event => {
      draft[event.target.name] = event.target.value;
      if (event.target.name === 'input')
        checkInput();
      else
        by_name[event.target.name]?.setProblem('');
      if (event.target.name === 'role')
        showSkills();
    },
  }, by_name.role.element, by_name.input.element,
  h('div', { class: 'grid' }, fields.slice(2).map(one => one.element)), h('div', { class: 'actions' }, submit_button));

  let roles = [];
  function showSkills() {
    const names = Object.keys(roles.find(role => role.role === value('role'))?.skills ?? {});
    setText(by_name.skills.hint, names.length ? `Of this role: ${names.join(', ')}.` : 'Names, with commas; the agent must have all of them.');
  }
  const end = watch('/v1/roles', answer => {
    const select = by_name.role.control, names = answer?.roles.map(role => role.role) ?? [];
    roles = answer?.roles ?? [];
    if (names.length !== select.options.length || names.some((name, i) => select.options[i].value !== name)) {
      const chosen = select.value || draft.role;
      replace(select, names.map(name => h('option', { value: name, selected: name === chosen }, name)));
    }
    setText(by_name.role.hint, names.length ? 'Who is to do it.' : 'No service offers a role yet: start one with rolecall agents --roles FILE.');
    showSkills();
  });
  for (const one of fields)
    if (draft[one.name] !== undefined && one.name !== 'role')
      one.control.value = draft[one.name];
  checkInput();
  return {
    element: h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Submit a task')), summary, form),
    close: end,
  };
}
