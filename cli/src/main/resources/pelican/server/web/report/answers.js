/** Answers side by side, with the place where they part. What models wrote becomes text, or a picture in a sandbox. */

import { element } from '../dom.js';
import { drawing } from '../svg.js';
import { percent } from './numbers.js';

const FILTERS = [
  ['all', 'all prompts', () => true],
  ['parted', 'prompts where answers part', (behaviour) => behaviour.answers.some(({ same }) => !same)],
  ['drawn', 'drawings', (behaviour) => behaviour.kind === 'svg'],
  ['wrong', 'answers that are wrong or malformed', (behaviour) => behaviour.answers.some(({ wellFormed }) => wellFormed === false)],
];

/**
 * @param models names, the reference first
 * @param behaviours prompts with the answers of each model
 */
export function answers(models, behaviours) {
  const all = behaviours.map((behaviour) => ({ behaviour, node: promptView(models, behaviour) }));
  const select = element('select', { id: 'answers-filter' }, FILTERS
    .map(([value, name, keep]) => [value, name, behaviours.filter(keep).length])
    .filter(([, , count]) => count > 0)
    .map(([value, name, count]) => element('option', { value }, `${name} (${count})`)));
  select.addEventListener('change', () => {
    const [, , keep] = FILTERS.find(([value]) => value === select.value);
    for (const { behaviour, node } of all) node.hidden = !keep(behaviour);
  });
  return element('div', {}, [
    element('p', { class: 'field screen' }, [element('label', { for: 'answers-filter' }, 'Show'), select]),
    ...all.map(({ node }) => node),
  ]);
}

function promptView(models, { prompt, kind, answers: given }) {
  const parts = given.map((answer) => (answer.same ? -1 : common(given[0].text, answer.text)));
  const first = Math.min(...parts.filter((place) => place >= 0));
  const columns = given.map((answer, m) => {
    const from = m === 0 ? (Number.isFinite(first) ? first : -1) : parts[m];
    return element('div', { class: 'given' }, [
      element('div', { class: 'given-head' }, [element('strong', {}, models[m]), ...badges(kind, answer, m)]),
      answerView(kind, answer, from),
    ]);
  });
  return element('article', { class: 'asked' }, [
    element('h4', {}, prompt),
    element('div', { class: 'side-by-side', 'data-columns': String(given.length) }, columns),
  ]);
}

function badges(kind, answer, m) {
  const badge = (text, mark) => element('span', { class: `badge ${mark}` }, text);
  const list = [badge(`${answer.tokens} tokens`, '')];
  if (!answer.ended) list.push(badge('cut at the limit', 'warn'));
  if (answer.wellFormed !== null) {
    const [right, wrong] = kind === 'number' ? ['right', 'wrong'] : ['well-formed', 'malformed'];
    list.push(answer.wellFormed ? badge(right, 'good') : badge(wrong, 'bad'));
  }
  if (m > 0) {
    list.push(answer.same
      ? badge('the same', 'good')
      : badge(`parts at token ${answer.partsAt + 1}, ${percent(answer.agreement, 0)} agree`, 'warn'));
  }
  return list;
}

/** How many code units two texts begin with in common, no pair of surrogates cut. */
function common(a, b) {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  if (at > 0 && at < Math.max(a.length, b.length) && /[\ud800-\udbff]/.test(a[at - 1])) at -= 1;
  return at;
}

/** A text whose rest from a place on is marked; -1 for none. */
function marked(text, from) {
  if (from < 0) return [text];
  const rest = text.slice(from);
  return [text.slice(0, from), element('mark', { title: 'from here on the answers differ' }, rest)];
}

function answerView(kind, answer, from) {
  const source = answer.svg ?? (kind === 'svg' && /<svg[\s>]/i.test(answer.text) ? answer.text : null);
  if (source === null) return element('div', { class: 'given-text' }, marked(answer.text, from));
  const figure = drawing(source, true, true);
  if (source === answer.text) figure.querySelector('pre code').replaceChildren(...marked(source, from));
  return figure;
}
