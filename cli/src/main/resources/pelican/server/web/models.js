/** The models of a server and the two fields that choose among them. */

import { element } from './dom.js';
import { bytes } from './stats.js';

const OTHER = '\u0000other';

/** Models that answer, as a server lists them; those only for embeddings are left out. */
export function answering(models) {
  return models.filter(({ capabilities }) => !Array.isArray(capabilities) || capabilities.includes('completion'));
}

/** What tells models of the same family apart: quantization, file size, parameters. */
export function summary(model) {
  const details = model?.details ?? {};
  return [
    { name: 'quantization', text: details.quantization_level, title: 'Quantization' },
    { name: 'size', text: bytes(model?.size), title: 'Size of the file' },
    { name: 'parameters', text: details.parameter_size, title: 'Parameters' },
  ].filter(({ text }) => text && text !== 'unknown');
}

export function chips(model) {
  return summary(model).map(({ name, text, title }) => element('span', { class: `chip ${name}`, title }, text));
}

export class ModelPicker {
  /** @param onChange called with the name chosen, after the user chose */
  constructor(root, onChange) {
    this.root = root;
    this.select = root.querySelector('select');
    this.form = root.querySelector('.typed');
    this.input = this.form.querySelector('input');
    this.value = '';
    this.select.addEventListener('change', () => {
      if (this.select.value === OTHER) {
        this.select.value = this.value;
        this.form.hidden = false;
        this.input.focus();
        return;
      }
      this.form.hidden = true;
      this.choose(this.select.value);
      onChange(this.value);
    });
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.input.value.trim();
      if (name === '') return;
      this.form.hidden = true;
      this.input.value = '';
      this.choose(name);
      onChange(name);
      this.select.focus();
    });
    this.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.form.hidden = true;
      this.select.focus();
    });
  }

  /** Offers the server's models and the names that were typed; keeps the choice if there is one. */
  offer(models, typed) {
    const names = models.map(({ name }) => name);
    const more = typed.filter((name) => !names.includes(name));
    if (this.value !== '' && !names.includes(this.value) && !more.includes(this.value)) more.push(this.value);
    const options = models.map((model) => {
      const facts = summary(model).map(({ text }) => text);
      return element('option', { value: model.name }, [model.name, ...facts].join(' · '));
    });
    options.push(...more.map((name) => element('option', { value: name }, name)));
    if (options.length === 0) options.push(element('option', { value: '' }, 'no model'));
    options.push(element('option', { value: OTHER }, 'Other name …'));
    this.select.replaceChildren(...options);
    this.choose(this.value);
  }

  choose(name) {
    this.value = name;
    if (name !== '' && ![...this.select.options].some((option) => option.value === name)) {
      this.select.prepend(element('option', { value: name }, name));
    }
    this.select.value = name;
  }
}
