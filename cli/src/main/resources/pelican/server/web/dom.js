/** Small helpers to build elements. Text always becomes text nodes. */

/** An element with attributes and children; a child is an element or a text. */
export function element(tag, attributes = {}, children = []) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...[children].flat());
  return node;
}

export function button(text, onClick, attributes = {}) {
  const node = element('button', { type: 'button', class: 'quiet', ...attributes }, text);
  node.addEventListener('click', onClick);
  return node;
}

/** A button that copies what `text()` gives, and says whether that worked. */
export function copyButton(text) {
  const node = button('Copy', async () => {
    try {
      await copy(text());
      node.textContent = 'Copied';
    } catch {
      node.textContent = 'Not allowed';
    }
    setTimeout(() => (node.textContent = 'Copy'), 1500);
  });
  return node;
}

/** The clipboard API exists only on secure origins; a plain http address in the lab's network is none. */
async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = element('textarea', { class: 'hidden' });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('copying was refused');
}
