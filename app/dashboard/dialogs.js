// Questions before what cannot be undone, and short notes of what has happened.
import { h } from './dom.js';
import { icon } from './states.js';
import { Problem } from './api.js';

const note_ms = 8_000;

/** Asks; gives true if the user agrees. Focus goes back to where it was: <dialog> sees to that. */
export function confirm({ title, text, action, dangerous = true }) {
  return new Promise(resolve => {
    const close = answer => { dialog.close(); resolve(answer); };
    const yes = h('button', { type: 'button', class: dangerous ? 'danger' : 'primary', onclick: () => close(true) }, action);
    const no = h('button', { type: 'button', autofocus: true, onclick: () => close(false) }, 'Back');
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' },
      h('h2', { id: 'dialog-title' }, title), h('p', { id: 'dialog-text' }, text),
      h('div', { class: 'actions' }, no, yes));
    dialog.addEventListener('cancel', () => resolve(false));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A note at the edge of the page; it is read out, and goes by itself or by its button. */
export function note(text, tone = 'good') {
  const close = h('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => element.remove() },
    icon('cross'));
  const element = h('div', { class: `toast tone-${tone}` }, icon(tone === 'good' ? 'check' : 'warning'),
    h('span', {}, text), close);
  document.getElementById('toasts').append(element);
  if (tone === 'good')
    setTimeout(() => element.remove(), note_ms);
  return element;
}

/** Runs an action of the user; while it runs its button is off, and a problem is told. */
export async function attempt(button, action) {
  button.setAttribute('aria-disabled', 'true');
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Problem))
      throw error;
    note(error.code ? `${error.message} (${error.code})` : error.message, 'bad');
    return null;
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not a secure context: the old way
    const field = h('textarea', { class: 'unseen', readonly: true });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  note('Copied.');
}
