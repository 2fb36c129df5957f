/** Texts token by token, coloured by how far a model's probabilities are from the reference's. */

import { element } from '../dom.js';
import { percent, significant } from './numbers.js';
import { legend } from './table.js';

/** Divergences, in nats, from which on a token gets the next colour. */
const STEPS = [1e-4, 1e-3, 1e-2, 1e-1, 1];

const step = (divergence) => STEPS.filter((from) => divergence >= from).length;

/** A token as it can be seen: ends of lines and tabs have signs. */
const visible = (text) => text.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll(' ', '␣');

/** One panel for all tokens, beside the one that is pointed at or has the focus. */
class Panel {
  constructor() {
    this.node = element('div', { class: 'token-panel', role: 'tooltip', id: 'token-panel', hidden: true });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.hide();
    });
    // The page may still be scrolling when its token is shown: the panel goes along, as far as the token can be seen.
    document.addEventListener('scroll', () => this.place(), { passive: true });
  }

  show(token, content) {
    if (!this.node.isConnected) document.body.append(this.node);
    this.node.replaceChildren(content);
    this.node.hidden = false;
    this.token = token;
    this.place();
  }

  place() {
    if (this.node.hidden) return;
    const place = this.token.getClientRects()[0] ?? this.token.getBoundingClientRect();
    if (place.bottom < 0 || place.top > document.documentElement.clientHeight) {
      this.hide();
      return;
    }
    const own = this.node.getBoundingClientRect();
    const room = document.documentElement.clientWidth - own.width - 8;
    const below = place.bottom + own.height + 10 < document.documentElement.clientHeight;
    this.node.style.left = `${Math.max(8, Math.min(place.left, room))}px`;
    this.node.style.top = `${below ? place.bottom + 6 : Math.max(4, place.top - own.height - 6)}px`;
  }

  hide() {
    this.node.hidden = true;
  }
}

let panel;

/**
 * Texts for one model after the other.
 *
 * @param models names, the reference first
 * @param texts each `{title, marks}`
 */
export function agreement(models, texts) {
  panel ??= new Panel();
  const views = element('div', { class: 'token-texts' });
  let chosen = 1;
  const show = () => views.replaceChildren(...texts.map((text) => textView(models, text, chosen)));
  show();
  return element('div', {}, [
    models.length > 2 ? choice(models, (m) => { chosen = m; show(); }) : '',
    legend([
      { name: `below ${STEPS[0]} nats`, mark: 'kl-0' },
      ...STEPS.map((from, i) => ({ name: `${from} and more`, mark: `kl-${i + 1}` })),
      { name: 'another likeliest token', mark: 'other-top' },
    ]),
    element('p', { class: 'hint' }, 'Point at a token, or walk with the arrow keys, to see what each model expected there.'),
    views,
  ]);
}

function choice(models, change) {
  const select = element('select', { id: 'tokens-model' }, models.slice(1).map((name, i) => element('option', { value: String(i + 1) }, name)));
  select.addEventListener('change', () => change(Number(select.value)));
  return element('p', { class: 'field' }, [element('label', { for: 'tokens-model' }, 'Coloured by'), select]);
}

function textView(models, { title, marks }, chosen) {
  const mean = marks.reduce((sum, { kl }) => sum + kl[chosen - 1], 0) / marks.length;
  const same = marks.filter((mark) => mark.same[chosen - 1]).length / marks.length;
  const tokens = marks.map((mark, i) => element('span', {
    class: `token kl-${step(mark.kl[chosen - 1])}${mark.same[chosen - 1] ? '' : ' other-top'}`,
    tabindex: i === 0 ? '0' : '-1',
    'data-token': String(i),
    'aria-describedby': 'token-panel',
  }, mark.text.includes('\n') ? mark.text.replaceAll('\n', '⏎\n') : mark.text));
  const flow = element('div', { class: 'token-flow', role: 'group', 'aria-label': `Tokens of the answer to: ${title}` }, tokens);
  const tell = ({ target }) => {
    const token = target.closest?.('[data-token]');
    if (token) panel.show(token, described(models, marks[Number(token.dataset.token)]));
  };
  flow.addEventListener('pointerover', tell);
  flow.addEventListener('click', tell);
  flow.addEventListener('focusin', tell);
  flow.addEventListener('pointerleave', () => panel.hide());
  flow.addEventListener('focusout', () => panel.hide());
  flow.addEventListener('keydown', (event) => walk(event, tokens));
  return element('section', { class: 'token-text' }, [
    element('h4', {}, title),
    element('p', { class: 'hint' }, `mean divergence ${significant(mean, 3)} nats, same likeliest token at ${percent(same)} of ${marks.length} positions`),
    flow,
  ]);
}

function walk(event, tokens) {
  const at = tokens.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tokens.length - 1 }[event.key];
  if (at < 0 || to === undefined || tokens[to] === undefined) return;
  event.preventDefault();
  tokens[at].tabIndex = -1;
  tokens[to].tabIndex = 0;
  tokens[to].focus();
}

function described(models, mark) {
  const rows = models.map((model, m) => element('tr', {}, [
    element('th', { scope: 'row' }, model),
    element('td', {}, percent(mark.probability[m], 2)),
    element('td', {}, mark.tops[m].map(({ text, probability }) =>
      element('span', { class: 'expected' }, [element('code', {}, visible(text)), ` ${percent(probability)}`]))),
    element('td', {}, m === 0 ? '' : significant(mark.kl[m - 1], 3)),
  ]));
  return element('table', {}, [
    element('thead', {}, element('tr', {}, [
      element('th', {}, element('code', {}, visible(mark.text))), element('th', {}, 'its probability'), element('th', {}, 'likeliest there'), element('th', {}, 'KL'),
    ])),
    element('tbody', {}, rows),
  ]);
}
