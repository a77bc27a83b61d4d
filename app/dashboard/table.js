// A table whose rows are kept: an update changes the cells that differ and moves rows, so that focus,
// selection and the reader's place survive. On a narrow screen a row becomes a card (style.css); the roles
// are spelled out because `display` would take them away.
import { h } from './dom.js';

/**
 * columns: {label, class?, cell(item) -> text or Node, sign?(item) -> text}. A cell is made anew when its
 * text, or what `sign` gives, changes. `key(item)` names a row.
 */
export function liveTable({ caption, columns, key, rowClass = () => '' }) {
  const body = h('tbody', { role: 'rowgroup' });
  const head = h('tr', { role: 'row' }, columns.map(column =>
    h('th', { role: 'columnheader', scope: 'col', class: column.class }, column.label)));
  const element = h('table', { role: 'table', class: 'cards' },
    h('caption', { class: 'unseen' }, caption),
    h('thead', { role: 'rowgroup' }, head), body);
  const rows = new Map();

  function makeRow(item) {
    const cells = columns.map(column =>
      h('td', { role: 'cell', class: column.class, 'data-label': column.label }));
    return { element: h('tr', { role: 'row', 'data-key': key(item) }, cells), cells, signs: [], item };
  }

  function fill(row) {
    row.element.className = rowClass(row.item);
    columns.forEach((column, i) => {
      const content = column.sign ? null : column.cell(row.item);
      const sign = column.sign ? column.sign(row.item) : content;
      if (row.signs[i] === sign)
        return;
      row.signs[i] = sign;
      row.cells[i].replaceChildren(content ?? column.cell(row.item));
    });
  }

  function update(items) {
    const wanted = new Set(items.map(key));
    for (const [name, row] of rows)
      if (!wanted.has(name)) {
        row.element.remove();
        rows.delete(name);
      }
    let place = body.firstChild;
    for (const item of items) {
      const name = key(item);
      const row = rows.get(name) ?? makeRow(item);
      rows.set(name, row);
      row.item = item;
      fill(row);
      if (row.element === place)
        place = place.nextSibling;
      else
        body.insertBefore(row.element, place);
    }
  }
  return { element, update, size: () => rows.size };
}
