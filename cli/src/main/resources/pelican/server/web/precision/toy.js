/** The simplest scheme of all: one scale for a handful of weights, which anybody can follow by hand. */

import { element } from '../dom.js';
import { chart, plot, series } from '../report/charts.js';
import { significant } from '../report/numbers.js';
import { legend, table } from '../report/table.js';

/* global Plot */

const FIRST = '0.156347 -0.0823 0.3021 -0.2417 0.0119 0.2178 -0.3365 0.0954';

const MOST = 256;

/** Away from zero in the middle between two integers, whatever the sign. */
const rounded = (value) => Math.sign(value) * Math.round(Math.abs(value)) || 0;

/** Rounds weights to integers of some bits. @returns `{scale, integers, restored}` */
export function quantize(weights, bits) {
  const most = 2 ** (bits - 1) - 1;
  const scale = Math.max(...weights.map(Math.abs)) / most;
  const integers = weights.map((weight) => (scale === 0 ? 0 : rounded(weight / scale)));
  return { scale, integers, restored: integers.map((integer) => integer * scale) };
}

/** @throws RangeError naming what is no weight */
export function parseWeights(text) {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length === 0) throw new RangeError('weights: none, expected numbers');
  if (words.length > MOST) throw new RangeError(`weights: ${words.length} numbers, expected at most ${MOST}`);
  return words.map((word) => {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) || !(Math.abs(Number(word)) <= 1e30)) {
      throw new RangeError(`weights: '${word}', expected a number`);
    }
    return Number(word);
  });
}

let schemes = 0;

export function toyScheme() {
  schemes += 1;
  const id = (name) => `${name}-${schemes}`;
  const text = element('textarea', { id: id('toy-weights'), rows: '3', spellcheck: 'false', autocomplete: 'off' });
  text.value = FIRST;
  const bits = element('input', { id: id('toy-bits'), type: 'range', min: '2', max: '8', step: '1', value: '4' });
  const shown = element('output', { for: id('toy-bits') });
  const say = element('p', { class: 'error-text', role: 'alert' });
  const formula = element('p', { class: 'formula', 'aria-live': 'polite' });
  const view = element('div', {});

  function display() {
    shown.textContent = `${bits.value} bits`;
    let weights;
    try {
      weights = parseWeights(text.value);
    } catch (error) {
      say.textContent = error.message;
      return;
    }
    say.textContent = '';
    const result = quantize(weights, Number(bits.value));
    const most = 2 ** (bits.value - 1) - 1;
    const errors = weights.map((weight, i) => result.restored[i] - weight);
    const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    formula.textContent =
      `scale = max|w| / (2^(${bits.value} − 1) − 1) = ${significant(result.scale * most, 6)} / ${most} = ${significant(result.scale, 6)}; ` +
      `integers from ${-most} to ${most}; RMS error ${significant(rms)}`;
    view.replaceChildren(
      toyChart(weights, result, most),
      table('The simplest scheme', ['weight', 'weight / scale', 'integer', 'integer · scale', 'error'], weights.map((weight, i) => [
        String(weight), result.scale === 0 ? '—' : significant(weight / result.scale, 5), String(result.integers[i]), significant(result.restored[i], 6), significant(errors[i], 4),
      ].map((cell) => ({ text: cell, mark: 'number' })))),
    );
  }

  text.addEventListener('input', display);
  bits.addEventListener('input', display);
  display();
  return element('div', { class: 'toy' }, [
    element('p', {}, 'One scale for all weights: each becomes the nearest integer of so many bits, and stands for that integer times the scale. The greatest weight comes back as it was.'),
    element('div', { class: 'viewer-choice' }, [
      element('p', { class: 'field grow' }, [element('label', { for: id('toy-weights') }, 'Weights'), text]),
      element('p', { class: 'field' }, [element('label', { for: id('toy-bits') }, 'Bits'), bits, shown]),
    ]),
    say,
    formula,
    legend([{ name: 'weight', mark: 'series-1' }, { name: 'what is stored for it', mark: 'series-2' }]),
    view,
  ]);
}

function toyChart(weights, { scale, restored }, most) {
  const points = weights.map((weight, i) => ({ i, weight, restored: restored[i] }));
  const steps = most <= 31 ? Array.from({ length: 2 * most + 1 }, (_, k) => (k - most) * scale) : [];
  return chart(`${weights.length} weights and what is stored for them; their numbers are in the table below`, (width) => plot({
    width,
    height: 272,
    marginLeft: 56,
    marginBottom: 42,
    x: { domain: [-0.7, weights.length - 0.3], label: 'weight', labelOffset: 38, ticks: Math.min(weights.length, 12), tickFormat: (i) => (Number.isInteger(i) ? String(i + 1) : '') },
    y: { label: 'value', grid: steps.length === 0, nice: true },
    marks: [
      Plot.ruleY(steps, { stroke: series(1), strokeOpacity: 0.3 }),
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      Plot.link(points, { x1: 'i', x2: 'i', y1: 'weight', y2: 'restored', strokeOpacity: 0.6 }),
      Plot.dot(points, { x: 'i', y: 'weight', r: 4, fill: series(0), title: (d) => `weight ${d.weight}`, tip: true }),
      Plot.dot(points, { x: 'i', y: 'restored', r: 4, stroke: series(1), strokeWidth: 2, fill: 'var(--surface)', symbol: 'diamond' }),
    ],
  }));
}
