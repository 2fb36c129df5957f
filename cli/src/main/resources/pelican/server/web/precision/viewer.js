/** A block of a tensor as each file stores it: integers, scales, minimums, and the weights that they stand for. */

import { element } from '../dom.js';
import { chart, plot, series } from '../report/charts.js';
import { significant } from '../report/numbers.js';
import { folded, legend, table } from '../report/table.js';

/* global Plot */

/** The integers of types with so few that all weights they can stand for can be drawn. */
const INTEGERS = { Q2_K: [0, 3], Q3_K: [-4, 3], Q4_K: [0, 15], Q5_K: [0, 31], Q4_0: [-8, 7], Q4_1: [0, 15], Q5_0: [-16, 15], Q5_1: [0, 31] };

const SYMBOLS = ['circle', 'diamond', 'square', 'triangle'];

let viewers = 0;

/**
 * @param source `tensors`: each `{tensor, blocks, types, shown}`, where `shown` are the only blocks that there are, or
 *   undefined for all; `load(tensor, block)`: a promise of the block
 */
export function blockViewer({ tensors, load }) {
  viewers += 1;
  const id = (name) => `${name}-${viewers}`;
  const tensor = element('select', { id: id('tensor') }, tensors.map((each, i) =>
    element('option', { value: String(i) }, `${each.tensor} · ${[...new Set(each.types)].join(', ')}`)));
  // What all files store alike shows nothing.
  tensor.value = String(Math.max(0, tensors.findIndex(({ types }) => new Set(types).size > 1)));
  const block = element('select', { id: id('block') });
  const number = element('input', { id: id('number'), type: 'text', inputmode: 'numeric', autocomplete: 'off', size: '9' });
  const step = (by, name) => {
    const node = element('button', { type: 'button' }, name);
    node.addEventListener('click', () => go(by));
    return node;
  };
  const [previous, next] = [step(-1, 'Previous'), step(1, 'Next')];
  const say = element('p', { class: 'error-text', role: 'alert' });
  const view = element('div', { class: 'block-view' });
  let at = 0;
  let asked = 0;

  const chosen = () => tensors[Number(tensor.value)];

  function offer() {
    const { shown, blocks } = chosen();
    block.hidden = !shown;
    number.hidden = Boolean(shown);
    if (shown) block.replaceChildren(...shown.map((each) => element('option', { value: String(each) }, `${each} of ${blocks}`)));
    else number.placeholder = `0 to ${blocks - 1}`;
    at = shown ? shown[0] : 0;
    return display();
  }

  function go(by) {
    const { shown, blocks } = chosen();
    const to = shown ? shown[shown.indexOf(at) + by] : at + by;
    if (to === undefined || to < 0 || to >= blocks) return;
    at = to;
    display();
  }

  async function display() {
    const { tensor: name, shown, blocks } = chosen();
    block.value = String(at);
    number.value = String(at);
    const [low, high] = shown ? [shown[0], shown.at(-1)] : [0, blocks - 1];
    previous.disabled = at <= low;
    next.disabled = at >= high;
    asked += 1;
    const mine = asked;
    say.textContent = '';
    try {
      const found = await load(name, at);
      if (mine === asked) view.replaceChildren(...blockView(found));
    } catch (error) {
      if (mine === asked) {
        view.replaceChildren();
        say.textContent = error.message;
      }
    }
  }

  tensor.addEventListener('change', offer);
  block.addEventListener('change', () => {
    at = Number(block.value);
    display();
  });
  number.addEventListener('change', () => {
    const { blocks } = chosen();
    if (!/^\d{1,12}$/.test(number.value.trim()) || Number(number.value) >= blocks) {
      say.textContent = `block: '${number.value}', expected 0 to ${blocks - 1}`;
      return;
    }
    at = Number(number.value);
    display();
  });
  offer();
  return element('div', { class: 'viewer' }, [
    element('div', { class: 'viewer-choice' }, [
      element('p', { class: 'field' }, [element('label', { for: id('tensor') }, 'Tensor'), tensor]),
      element('p', { class: 'field' }, [
        element('label', { for: tensors[0].shown ? id('block') : id('number') }, 'Block of 32 weights'), block, number, previous, next,
      ]),
    ]),
    say,
    view,
  ]);
}

/** The nodes that show a block. */
function blockView({ tensor, block, first, stored }) {
  const models = stored.map(({ model, type }) => `${model} ${type}`);
  const points = stored.flatMap((own, m) => own.weights.map((weight, i) => ({
    m, i, name: models[m], weight: Number(weight), error: Number(weight) - Number(stored[0].weights[i]), stands: equation(own, i),
  })));
  const parts = [
    legend(models.map((name, m) => ({ name, mark: `series-${1 + (m % 4)}` }))),
    element('figure', {}, [element('figcaption', {}, 'Weights, one beside the other'), weightChart(first, stored, points)]),
  ];
  if (stored.length > 1) {
    parts.push(element('figure', {}, [element('figcaption', {}, `Error against ${models[0]}`), errorChart(first, stored, points.filter(({ m }) => m > 0))]));
  }
  parts.push(
    table(`Block ${block} of ${tensor}`, ['weight', ...models.flatMap((name, m) => (m === 0 ? [name, 'is'] : [name, 'is', 'error']))], stored[0].weights.map((_, i) => [
      String(first + i),
      ...stored.flatMap((own, m) => {
        const value = { text: exact(own.weights[i]), mark: 'number' };
        const cells = [{ text: equation(own, i), mark: 'number' }, value];
        if (m > 0) cells.push({ text: significant(own.weights[i] - stored[0].weights[i], 3), mark: 'number' });
        return cells;
      }),
    ])),
    table('What the files hold', ['', ...models], [
      ['weights in a stored block', ...stored.map(({ blockSize }) => String(blockSize))],
      ['scales', ...stored.map(({ groups }) => groups.map(({ scale }) => exact(scale)).join(', ') || '—')],
      ['minimums', ...stored.map(({ groups, hasMins }) => (hasMins ? groups.map(({ min }) => exact(min)).join(', ') : '—'))],
      ['RMS error', ...stored.map(({ rmsError }) => significant(rmsError))],
      ['greatest error', ...stored.map(({ maxError }) => significant(maxError))],
      ['byte in the file', ...stored.map(({ offset }) => String(offset))],
    ]),
    folded('Bytes', stored.map(({ bytes }, m) => element('p', { class: 'bytes' }, [element('strong', {}, models[m]), ` ${bytes.replace(/../g, '$& ')}`]))),
  );
  return parts;
}

/** With as many digits as a float32 holds. */
const exact = (value) => significant(value, 7).replace(/(\.\d*?)0+(?=$|e)/, '$1').replace(/\.(?=$|e)/, '');

const groupOf = ({ groups }, i) => groups[Math.floor(i / groups[0].integers.length)];

/** How a weight is stored: scale · integer − minimum, or the number itself. */
function equation(own, i) {
  if (own.groups.length === 0) return 'as it is';
  const group = groupOf(own, i);
  const min = own.hasMins ? ` − ${significant(group.min)}` : '';
  return `${significant(group.scale)} · ${group.integers[i % group.integers.length]}${min}`;
}

/** The weights that a group's integers can stand for, as strokes as wide as the group. */
function levels(own, m) {
  const range = INTEGERS[own.type];
  if (!range) return [];
  return own.groups.flatMap(({ scale, min, integers }, g) => {
    const low = Math.min(range[0], ...integers);
    return Array.from({ length: Math.max(range[1], ...integers) - low + 1 }, (_, k) => ({
      m, x1: g * integers.length - 0.5, x2: (g + 1) * integers.length - 0.5, y: scale * (low + k) - min,
    }));
  });
}

/** So that equal weights of two models do not hide each other. */
const beside = (i, m, models) => i + (m - (models - 1) / 2) * 0.2;

const across = (first, count) => ({
  domain: [-0.8, count - 0.2], label: 'weight', labelOffset: 38, ticks: Array.from({ length: count / 4 }, (_, k) => 4 * k), tickFormat: (i) => String(first + i),
});

/** Without the digits that only rounding makes. */
const tick = (value) => String(Number(value.toPrecision(6))).replace('e+', 'e').replaceAll('-', '−');

function weightChart(first, stored, points) {
  const count = stored[0].weights.length;
  const grid = stored.flatMap(levels);
  const label = `${count} weights in ${stored.map(({ model, type }) => `${model} ${type}`).join(' and ')}; their numbers are in the table below`;
  return chart(label, (width) => plot({
    width,
    height: 310,
    marginLeft: 56,
    marginBottom: 42,
    x: across(first, count),
    y: { label: 'value', grid: grid.length === 0, nice: true, tickFormat: tick },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      Plot.link(grid, { x1: 'x1', x2: 'x2', y1: 'y', y2: 'y', stroke: (d) => series(d.m), strokeOpacity: 0.28 }),
      Plot.dot(points, {
        x: (d) => beside(d.i, d.m, stored.length),
        y: 'weight',
        r: 3.6,
        stroke: (d) => series(d.m),
        strokeWidth: 1.7,
        fill: (d) => (d.m === 0 ? series(0) : 'var(--surface)'),
        symbol: (d) => SYMBOLS[d.m % SYMBOLS.length],
        title: (d) => `${d.name}, weight ${first + d.i}\n${d.stands} = ${exact(d.weight)}`,
        tip: true,
      }),
    ],
    symbol: { type: 'identity' },
  }));
}

function errorChart(first, stored, points) {
  const count = stored[0].weights.length;
  const label = stored.slice(1).map(({ model, rmsError }) => `${model}: RMS error ${significant(rmsError)}`).join('; ');
  // A scale from zero to zero would put everything in its middle, and the bars over all of it.
  const range = points.some(({ error }) => error !== 0) ? { ticks: 5, nice: true } : { ticks: [0], domain: [-1, 1] };
  return chart(label, (width) => plot({
    width,
    height: 182,
    marginLeft: 56,
    marginBottom: 42,
    x: across(first, count),
    y: { label: 'error', grid: true, tickFormat: tick, ...range },
    marks: [
      Plot.ruleY([0]),
      Plot.ruleX(points, { x: (d) => beside(d.i, d.m, stored.length), y1: 0, y2: 'error', stroke: (d) => series(d.m), strokeWidth: 2.5 }),
      Plot.dot(points, {
        x: (d) => beside(d.i, d.m, stored.length),
        y: 'error',
        r: 2.5,
        fill: (d) => series(d.m),
        title: (d) => `${d.name}, weight ${first + d.i}\nerror ${significant(d.error)}`,
        tip: true,
      }),
    ],
  }));
}
