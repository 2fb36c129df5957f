/** The report: its data, which stands in the page as JSON, as sections. */

import { element } from '../dom.js';
import { toyScheme } from '../precision/toy.js';
import { blockViewer } from '../precision/viewer.js';
import { answers } from './answers.js';
import { HEATS, divergenceHistogram, heatMap, heatSteps, sizeBars, spread, tensorTypes } from './charts.js';
import { amount, estimate, percent, shortened, significant, size } from './numbers.js';
import { folded, legend, table } from './table.js';
import { agreement } from './tokens.js';

const report = JSON.parse(document.getElementById('data').textContent);
const names = report.models.map(({ model }) => model);

/** What the sentence about a part that is missing begins with. */
const PARTS = { weights: "the weights' errors", quality: 'the divergence of probabilities', behaviour: 'the answers', speed: 'the speed' };

const missing = (part) => report.missing.find((text) => text.startsWith(PARTS[part]));

const absent = (part) => element('p', { class: 'absent' }, `Not in this report: ${missing(part) ?? `${PARTS[part]}: nothing could be measured`}.`);

/** A part of which something is there may still be cut short. */
const cut = (part) => (missing(part) ? element('p', { class: 'absent' }, `Cut short: ${missing(part)}.`) : '');

const sections = [];

function section(id, title, ...content) {
  sections.push({ id, title });
  document.querySelector('main').append(element('section', { id, 'aria-labelledby': `${id}-title` }, [
    element('h2', { id: `${id}-title` }, title),
    ...content.flat().filter((part) => part !== ''),
  ]));
}

function figure(title, ...content) {
  return element('figure', {}, [element('figcaption', {}, title), ...content.flat()]);
}

// --- head ---

function head() {
  document.getElementById('title').textContent = names.slice(1).join(', ') + ` against ${names[0]}`;
  document.getElementById('created').textContent = `Made ${report.created.replace('T', ' ').replace('Z', ' UTC')}. The reference is ${names[0]}.`;
  document.getElementById('notes').append(...report.notes.map((note) =>
    element('li', { class: /NOT the same model|are not those of/.test(note) ? 'alarm' : '' }, note)));
  if (!report.complete) {
    document.getElementById('missing').hidden = false;
    document.getElementById('missing').append(
      element('h2', {}, 'This report is not complete'),
      element('ul', {}, report.missing.map((text) => element('li', {}, text))));
  }
}

function cards() {
  const card = (value, what, detail) => element('div', { class: 'card' }, [element('strong', {}, value), element('span', {}, what), element('small', {}, detail)]);
  for (let m = 1; m < names.length; m += 1) {
    const model = report.models[m];
    const list = [card(percent(model.saving), 'smaller', `${size(report.models[0].fileBytes)} → ${size(model.fileBytes)}`)];
    const quality = report.quality.find((each) => each.model === names[m])?.statistics;
    if (quality) {
      list.push(card(significant(quality.kl.value, 3), 'nats, mean KL', `over ${quality.positions} positions`));
      list.push(card(percent(quality.sameTop.value), 'same likeliest token', `± ${percent(quality.sameTop.uncertainty)}`));
    }
    const summary = report.behaviourSummary[m];
    if (summary) {
      list.push(card(percent(summary.sameAnswer, 0), 'same answers', `of ${report.behaviours.length} prompts`));
      list.push(card(`${summary.wellFormed} of ${summary.checked}`, 'right or well-formed', `reference: ${report.behaviourSummary[0].wellFormed} of ${report.behaviourSummary[0].checked}`));
    }
    const [reference, speed] = [names[0], names[m]].map((name) => report.speed.find((each) => each.model === name));
    if (reference && speed) {
      const ratio = speed.decode.median / reference.decode.median;
      list.push(card(`${ratio.toFixed(2)} ×`, 'decode rate', `${significant(reference.decode.median, 3)} → ${significant(speed.decode.median, 3)} tokens/s`));
    }
    document.getElementById('cards').append(element('h2', {}, [names[m], element('small', {}, ` against ${names[0]}`)]), element('div', { class: 'cards' }, list));
  }
}

// --- storage ---

function storage() {
  const { models } = report;
  const types = tensorTypes(models);
  const row = (name, of) => [name, ...models.map((model) => of(model))];
  const compared = (name, of) => {
    const values = models.map(of);
    return [name, ...values.map((value) => ({ text: value, mark: value === values[0] ? '' : 'differs' }))];
  };
  const bytesOf = (type) => (model) => {
    const found = model.types.find((each) => each.type === type);
    return found ? `${size(found.bytes)} in ${found.tensors}` : '—';
  };
  section('storage', 'Storage',
    figure('Bytes by tensor type', legend(types.map((name, i) => ({ name, mark: `kind-${1 + (i % 8)}` }))), sizeBars(models)),
    table('Storage', ['', ...names], [
      row('file', (m) => m.file),
      row('size', (m) => size(m.fileBytes)),
      row('saving', (m) => percent(m.saving)),
      row('bits per weight', (m) => m.bitsPerWeight.toFixed(2)),
      row('quantization', (m) => m.quantization),
      ...types.map((type) => row(type, bytesOf(type))),
    ]),
    element('h3', {}, 'The same model?'),
    table('What makes the files one model', ['', ...names], [
      compared('architecture', (m) => m.architecture),
      compared('name', (m) => m.name || 'none'),
      compared('layers', (m) => String(m.layers)),
      compared('context', (m) => String(m.contextLength)),
      compared('parameters', (m) => amount(m.parameters)),
      compared('tokenizer', (m) => m.tokenizer),
      compared('chat template', (m) => m.template || 'none'),
    ]),
    metadata());
}

function metadata() {
  const mark = ({ differs, storage: stored }) => (differs ? (stored ? 'stored' : 'differs') : '');
  const rows = (some) => some.map((entry) => [
    { text: entry.key + (entry.storage && entry.differs ? ' (storage)' : ''), mark: mark(entry) },
    ...entry.values.map((text) => ({ text, mark: mark(entry) })),
  ]);
  const differing = report.metadata.filter(({ differs }) => differs);
  const equal = report.metadata.filter(({ differs }) => !differs);
  return [
    element('h3', {}, 'Metadata that differs'),
    differing.length === 0 ? element('p', {}, 'None.') : table('Metadata that differs', ['key', ...names], rows(differing)),
    folded(`${equal.length} keys that are equal`, table('Metadata that is equal', ['key', ...names], rows(equal))),
  ];
}

// --- weights ---

function weights() {
  if (report.weights.length === 0) {
    section('weights', 'Weights', absent('weights'));
    return;
  }
  section('weights', 'Weights',
    element('p', {}, 'Relative RMS: the root of the summed squared differences from the reference, divided by that of its squares.'),
    cut('weights'),
    ...report.weights.flatMap(({ model, relativeRms, tensors, worst }) => {
      const steps = heatSteps(tensors);
      const rows = (some) => some.map((t) =>
        [t.tensor, `${t.referenceType} → ${t.type}`, significant(t.relativeRms), significant(t.max), t.cosine.toFixed(6)]);
      const columns = ['tensor', 'types', 'relative RMS', 'max', 'cosine'];
      return [
        element('h3', {}, [model, element('small', {}, ` relative RMS ${significant(relativeRms)} over ${tensors.length} tensors`)]),
        figure('Error by layer and kind of tensor',
          legend(Array.from({ length: HEATS }, (_, i) => ({ name: `to ${percent(steps[i], steps[i] < 0.01 ? 2 : 1)}`, mark: `heat-${i}` }))),
          heatMap(model, tensors)),
        element('h4', {}, 'The worst ten'),
        table(`Worst tensors of ${model}`, columns, rows(worst)),
        folded(`All ${tensors.length} tensors`, table(`Tensors of ${model}`, columns, rows(tensors))),
      ];
    }));
}

function precision() {
  const tensors = [];
  for (const { tensor, block, blocks, stored } of report.samples.concat(report.blocks)) {
    let entry = tensors.find((each) => each.tensor === tensor);
    if (!entry) tensors.push(entry = { tensor, blocks, types: stored.map(({ type }) => type), shown: [] });
    if (!entry.shown.includes(block)) entry.shown.push(block);
  }
  for (const { shown } of tensors) shown.sort((a, b) => a - b);
  const load = async (tensor, block) => [...report.samples, ...report.blocks].find((each) => each.tensor === tensor && each.block === block);
  section('precision', 'Precision',
    element('p', {}, 'How the files store the same weights: integers, scales and minimums, and the weights that they stand for. This report carries the first block and the worst one of the worst tensors; the page /precision of the server shows every block.'),
    tensors.length === 0 ? absent('weights') : blockViewer({ tensors, load }),
    element('h3', {}, 'The simplest scheme'),
    toyScheme());
}

// --- probabilities ---

function quality() {
  if (report.quality.length === 0) {
    section('quality', 'Probabilities', absent('quality'));
    return;
  }
  const row = (name, of) => [name, ...report.quality.map(({ statistics }) => of(statistics))];
  const share = ({ value, uncertainty }) => `${percent(value, 2)} ± ${percent(uncertainty, 2)}`;
  section('quality', 'Probabilities',
    element('p', {}, 'How far the probabilities of the next token are from the reference’s: KL is the Kullback-Leibler divergence Σ p·(ln p − ln q) over the vocabulary, in nats; Δp the change of the probability of the token that follows in the text. Measured as llama-perplexity does.'),
    cut('quality'),
    figure('How many positions have which divergence', divergenceHistogram(report.quality)),
    table('Divergence', ['', ...report.quality.map(({ model }) => model)], [
      row('positions', (s) => String(s.positions)),
      row('KL mean', (s) => estimate(s.kl)),
      row('KL median', (s) => significant(s.klMedian)),
      row('KL 95 %', (s) => significant(s.kl95)),
      row('KL 99 %', (s) => significant(s.kl99)),
      row('KL max', (s) => significant(s.klMax)),
      row('same likeliest token', (s) => share(s.sameTop)),
      row('mean Δp', (s) => estimate(s.shift)),
      row('RMS Δp', (s) => estimate(s.shiftRms)),
      row('perplexity', (s) => estimate(s.perplexity)),
      row('perplexity of the reference', (s) => estimate(s.referencePerplexity)),
      row('ln of their ratio', (s) => estimate(s.logRatio)),
    ]),
    element('h3', {}, 'Where they differ most'),
    table('Positions of the greatest divergence', ['KL', 'model', 'after', 'follows', 'reference expects', 'model expects'], report.worst.map((w) => [
      significant(w.divergence.kl),
      w.model,
      `…${w.before.slice(-40)}`,
      element('code', {}, w.token),
      [w.referenceTop, w.divergence.referenceTops[0].probability],
      [w.top, w.divergence.tops[0].probability],
    ].map((cell) => (Array.isArray(cell) ? element('span', {}, [element('code', {}, cell[0]), ` ${percent(cell[1])}`]) : cell)))),
    element('h3', {}, 'Token by token'),
    agreement(names, report.texts));
}

// --- answers ---

function behaviour() {
  if (report.behaviours.length === 0) {
    section('answers', 'Answers', absent('behaviour'));
    return;
  }
  const row = (name, of) => [name, ...report.behaviourSummary.map(of)];
  const drawn = report.behaviours.some(({ stability }) => stability.length > 0);
  section('answers', 'Answers',
    element('p', {}, 'Each model answers the same prompts, taking the likeliest token each time.'),
    cut('behaviour'),
    table('Answers, counted', ['', ...names], [
      row('same answer', (s) => percent(s.sameAnswer)),
      row('agreement with the reference', (s) => percent(s.agreement)),
      row('right or well-formed', (s) => `${s.wellFormed} of ${s.checked}`),
      row('tokens in an answer', (s) => s.tokens.toFixed(1)),
      row('repetition', (s) => percent(s.repetition)),
      ...(drawn ? [row('answers to seeds agree with each other', (s) => percent(s.within)), row('… and with the reference’s', (s) => percent(s.between))] : []),
    ]),
    element('h3', {}, 'Side by side'),
    answers(names, report.behaviours));
}

// --- speed ---

function speed() {
  if (report.speed.length === 0) {
    section('speed', 'Speed', absent('speed'));
    return;
  }
  const kinds = [
    ['decode', 'Decode', 'tokens/s'],
    ['prefill', 'Prefill', 'tokens/s'],
    ['firstToken', 'Time to the first token', 's'],
    ['load', 'Time to load', 's'],
  ];
  const text = ({ median, runs }) => `${significant(median)} (${significant(Math.min(...runs))} to ${significant(Math.max(...runs))})`;
  section('speed', 'Speed',
    element('p', {}, 'Runs alternate between the models. A dot is a run, the stroke is the median.'),
    cut('speed'),
    element('div', { class: 'small-charts' }, kinds.map(([key, what, unit]) =>
      figure(what, spread(what, unit, report.speed.map((each) => ({ model: each.model, spread: each[key] })))))),
    table('Speed: medians, least and greatest', ['', ...report.speed.map(({ model }) => model)], [
      ...kinds.map(([key, what, unit]) => [`${what}, ${unit}`, ...report.speed.map((each) => text(each[key]))]),
      ['memory beyond the file', ...report.speed.map(({ memory }) => memory ? `${size(memory.bytes)} ${memory.kind}` : '—')],
      ['file in memory', ...report.speed.map((each) => size(each.mappedBytes))],
      ['read for a token', ...report.speed.map((each) => size(each.bytesPerToken))],
    ]));
}

head();
cards();
storage();
weights();
precision();
quality();
behaviour();
speed();
document.getElementById('contents').append(...sections.map(({ id, title }) => element('a', { href: `#${id}` }, title)));
document.title = shortened(`${names.join(' · ')}: comparison`, 120);

// What is folded would be missing on paper.
let opened = [];
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')];
  for (const each of opened) each.open = true;
});
addEventListener('afterprint', () => {
  for (const each of opened) each.open = false;
});
