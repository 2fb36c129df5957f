/** Tables, and what stands around them. */

import { element } from '../dom.js';

/**
 * A table that scrolls by itself where it is too wide.
 *
 * @param caption what it shows, for those who cannot see it
 * @param head names of the columns
 * @param rows cells, each a text, a node or `{text, mark}`, where mark is a class; the first cell of a row names it
 */
export function table(caption, head, rows) {
  const cell = (tag, content, attributes) => {
    const plain = typeof content === 'string' || content instanceof Node;
    const { text, mark } = plain ? { text: content } : content;
    return element(tag, { ...attributes, class: mark }, text);
  };
  return element('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption }, [
    element('table', {}, [
      element('caption', { class: 'hidden' }, caption),
      element('thead', {}, element('tr', {}, head.map((name) => cell('th', name, { scope: 'col' })))),
      element('tbody', {}, rows.map((row) =>
        element('tr', {}, row.map((content, i) => (i === 0 ? cell('th', content, { scope: 'row' }) : cell('td', content, {})))))),
    ]),
  ]);
}

/** What opens when it is wanted. */
export function folded(summary, content) {
  return element('details', {}, [element('summary', {}, summary), content].flat());
}

/** Names with the colours they are drawn in. */
export function legend(entries) {
  return element('ul', { class: 'legend' }, entries.map(({ name, mark }) =>
    element('li', {}, [element('span', { class: `swatch ${mark}`, 'aria-hidden': 'true' }), name])));
}
