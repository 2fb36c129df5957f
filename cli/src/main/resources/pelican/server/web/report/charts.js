/** The report's charts, drawn by Observable Plot as SVG. Colours are the style sheet's, so that they follow its theme. */

import { element } from '../dom.js';
import { amount, percent, power, shortened, significant, size } from './numbers.js';

/* global Plot */

/** The widest name beside a chart, in characters. */
const MAX_NAME = 20;

/** Steps of the colours from no error to the greatest. */
export const HEATS = 6;

export const series = (index) => `var(--series-${1 + (index % 4)})`;

const kindOf = (index) => `var(--kind-${1 + (index % 8)})`;

/** A chart that is drawn anew when its place gets another width. */
export function chart(label, draw) {
  const box = element('div', { class: 'chart', role: 'img', 'aria-label': label });
  let drawn = 0;
  const observer = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width === 0 || width === drawn) return;
    drawn = width;
    // Not at once: what is drawn may change the width that is being told.
    requestAnimationFrame(() => box.replaceChildren(draw(width)));
  });
  observer.observe(box);
  return box;
}

/** A plot with the one class whose style sheet the page's policy allows. */
export function plot(options) {
  return Plot.plot({ className: 'plot', ...options });
}

const margin = (names) => 16 + 6.8 * Math.max(...names.map((name) => Math.min(MAX_NAME, name.length)));

const short = (name) => shortened(name, MAX_NAME);

export const tensorTypes = (models) => [...new Set(models.flatMap((model) => model.types.map(({ type }) => type)))];

/** Bytes by tensor type. */
export function sizeBars(models) {
  const types = tensorTypes(models);
  const names = models.map(({ model }) => model);
  const unit = Math.max(...models.map(({ fileBytes }) => fileBytes)) >= 1e9 ? 1e9 : 1e6;
  const bars = models.flatMap(({ model, types: own }) =>
    own.map(({ type, tensors, weights, bytes }) => ({ model, type, tensors, weights, bytes })));
  return chart(`Size by tensor type: ${models.map((m) => `${m.model} ${size(m.fileBytes)}`).join(', ')}`, (width) => plot({
    width,
    height: 54 + 40 * names.length,
    marginLeft: margin(names),
    marginRight: 66,
    marginTop: 6,
    marginBottom: 44,
    x: { label: unit === 1e9 ? 'GB' : 'MB', labelOffset: 40, grid: true, transform: (bytes) => bytes / unit, ticks: Math.max(3, width / 110) },
    y: { domain: names, label: null, tickFormat: short, tickSize: 0, padding: 0.25 },
    color: { domain: types, range: types.map((type, i) => kindOf(i)) },
    marks: [
      Plot.barX(bars, {
        x: 'bytes',
        y: 'model',
        fill: 'type',
        order: types,
        insetRight: 1,
        title: (d) => `${d.model}\n${d.type}: ${size(d.bytes)}, ${d.tensors} tensors, ${amount(d.weights)} weights`,
        tip: true,
      }),
      Plot.text(models, {
        x: (d) => d.types.reduce((sum, { bytes }) => sum + bytes, 0),
        y: 'model',
        text: (d) => size(d.fileBytes),
        textAnchor: 'start',
        dx: 6,
      }),
    ],
  }));
}

/** How often which divergence occurs. */
export function divergenceHistogram(quality) {
  const bars = quality.flatMap(({ model, statistics }, m) =>
    statistics.histogram.map(({ exponent, count }) => ({ model, m, exponent, count })));
  const marks = quality.flatMap(({ model, statistics: { klMedian, kl95, kl99 } }) =>
    [['median', klMedian], ['95 %', kl95], ['99 %', kl99]]
      .filter(([, value]) => value > 0)
      .map(([name, value]) => ({ model, name, at: Math.max(-10, Math.log10(value)) })));
  const low = Math.min(...bars.map(({ exponent }) => exponent));
  const high = Math.max(...bars.map(({ exponent }) => exponent)) + 0.25;
  const label = quality.map(({ model, statistics }) => `${model}: median ${significant(statistics.klMedian)}, 99 % ${significant(statistics.kl99)}`);
  return chart(`Divergence, ${label.join('; ')}`, (width) => plot({
    width,
    height: 76 + 150 * quality.length,
    marginLeft: 48,
    marginRight: 16,
    marginTop: 26,
    marginBottom: 46,
    x: { label: 'KL divergence at a position, nats', labelOffset: 42, domain: [Math.floor(low), Math.ceil(high)], tickFormat: power, ticks: Math.min(12, width / 60) },
    y: { label: 'positions', grid: true, ticks: 4 },
    fy: { domain: quality.map(({ model }) => model), axis: null, padding: 0.22 },
    marks: [
      Plot.rectY(bars, {
        x1: 'exponent',
        x2: (d) => d.exponent + 0.25,
        y: 'count',
        fy: 'model',
        fill: (d) => series(d.m + 1),
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (d) => `${d.model}\n${d.count} positions from ${significant(10 ** d.exponent, 2)} to ${significant(10 ** (d.exponent + 0.25), 2)} nats`,
        tip: true,
      }),
      Plot.ruleY([0]),
      Plot.ruleX(marks, { x: 'at', fy: 'model', strokeDasharray: '3 3' }),
      Plot.text(marks, { x: 'at', fy: 'model', text: 'name', frameAnchor: 'top', dy: -12, textAnchor: 'middle' }),
      Plot.text(quality, { fy: 'model', text: 'model', frameAnchor: 'top-right', fontWeight: 600, dy: 4 }),
    ],
  }));
}

/** The upper bounds of the steps of colour. */
export function heatSteps(tensors) {
  const most = Math.max(...tensors.map(({ relativeRms }) => relativeRms));
  return Array.from({ length: HEATS }, (_, i) => ((i + 1) * most) / HEATS);
}

const OUTSIDE = 'none';

/** Errors by layer and kind of tensor. */
export function heatMap(model, tensors) {
  const layers = [...new Set(tensors.map(({ layer }) => layer))].sort((a, b) => a - b);
  const kinds = [...new Set(tensors.map(({ kind }) => kind))];
  const steps = heatSteps(tensors);
  const heat = (error) => `var(--heat-${Math.max(0, steps.findIndex((most) => error <= most))})`;
  const name = (layer) => (layer < 0 ? OUTSIDE : String(layer));
  const left = margin(kinds);
  const worst = tensors.reduce((a, b) => (b.relativeRms > a.relativeRms ? b : a));
  return chart(`Error of each tensor of ${model}: the greatest is ${percent(worst.relativeRms)} of ${worst.tensor}`, (width) => {
    const every = Math.ceil((layers.length * 26) / (width - left));
    return plot({
      width,
      height: 54 + 22 * kinds.length,
      marginLeft: left,
      marginTop: 34,
      marginBottom: 8,
      x: {
        domain: layers.map(name), axis: 'top', label: 'layer', tickSize: 0, padding: 0.06,
        ticks: layers.filter((layer, i) => i % every === 0).map(name),
      },
      y: { domain: kinds, label: null, tickSize: 0, tickFormat: short, padding: 0.06 },
      marks: [
        Plot.cell(tensors, {
          x: (d) => name(d.layer),
          y: 'kind',
          fill: (d) => heat(d.relativeRms),
          title: (d) => `${d.tensor}\n${d.referenceType} → ${d.type}\nrelative RMS ${significant(d.relativeRms)}, max ${significant(d.max)}`,
          tip: true,
        }),
      ],
    });
  });
}

/** A rate or a time of each model: every run, and the median. */
export function spread(what, unit, speeds) {
  const names = speeds.map(({ model }) => model);
  const runs = speeds.flatMap(({ model, spread: { runs: all } }, m) => all.map((value) => ({ model, m, value })));
  const medians = speeds.map(({ model, spread: { median, runs: all } }, m) =>
    ({ model, m, median, least: Math.min(...all), most: Math.max(...all) }));
  const label = `${what}: ${medians.map((d) => `${d.model} ${significant(d.median, 3)} ${unit}`).join(', ')}`;
  return chart(label, (width) => plot({
    width,
    height: 58 + 34 * names.length,
    marginLeft: margin(names),
    marginRight: 20,
    marginBottom: 44,
    x: { label: unit, labelOffset: 40, grid: true, zero: true, ticks: Math.max(3, width / 90), nice: true },
    y: { domain: names, label: null, tickFormat: short, tickSize: 0 },
    marks: [
      Plot.ruleY(medians, { y: 'model', x1: 'least', x2: 'most', stroke: (d) => series(d.m), strokeWidth: 3, strokeOpacity: 0.35 }),
      Plot.dot(runs, { y: 'model', x: 'value', r: 3.5, fill: (d) => series(d.m), fillOpacity: 0.65 }),
      Plot.tickX(medians, {
        y: 'model', x: 'median', stroke: (d) => series(d.m), strokeWidth: 2.5, inset: 4,
        title: (d) => `${d.model}\nmedian ${significant(d.median)} ${unit}\n${significant(d.least)} to ${significant(d.most)}`,
        tip: true,
      }),
    ],
  }));
}
