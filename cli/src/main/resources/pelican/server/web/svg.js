/**
 * SVG that a model wrote, drawn beside its source. It is drawn as a picture inside a sandboxed frame: pictures run no
 * script and load nothing, and the frame, with an origin of its own and a policy that allows only that picture, would
 * hold back even a browser's mistake. Put into the frame as markup instead, it would lose its <style> elements and
 * style attributes, because a srcdoc frame inherits the page's policy, which allows no inline style.
 */

import { copyButton, element } from './dom.js';

const FRAME_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** Longest source that is drawn, in UTF-16 units. */
const MAX_SOURCE = 1_000_000;

/** Most elements that a drawing may come to with every <use> written out; a few lines can demand billions. */
const MAX_ELEMENTS = 20_000;

/** Tallest drawing, in CSS pixels. */
const MAX_HEIGHT = 420;

const HELD_STYLE = 'held-style';

/** Whether a code block is an SVG drawing: one so called, or markup that is nothing but one. */
export function svgOf(text, language) {
  const start = /^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!doctype svg[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*<svg[\s>]/i.test(text);
  return start && (/^svg$/i.test(language) || /<\/svg\s*>\s*$/i.test(text));
}

/** The figure of a source. While it is still being written (`closed` false, answer not complete) only the source shows. */
export function drawing(source, closed, complete) {
  const canvas = element('div', { class: 'canvas' });
  const figure = element('figure', { class: 'drawing' }, [
    canvas,
    element('div', { class: 'code' }, [
      element('div', { class: 'code-head' }, [element('span', {}, 'svg'), copyButton(() => source)]),
      element('pre', { tabindex: '0' }, element('code', {}, source)),
    ]),
  ]);
  if (!closed && !complete) {
    canvas.append(element('p', { class: 'hint' }, 'Drawing …'));
    return figure;
  }
  draw(source).then(
    (frame) => canvas.replaceChildren(frame),
    (error) => canvas.replaceChildren(element('p', { class: 'error-text' }, `Not drawn: ${error.message}`)),
  );
  return figure;
}

async function draw(source) {
  if (source.length > MAX_SOURCE) throw new Error(`its source is longer than ${MAX_SOURCE} characters`);
  const svg = parse(source);
  if (svg === null) throw new Error('there is no svg element in it');
  if (expandedSize(svg) > MAX_ELEMENTS) throw new Error(`it comes to more than ${MAX_ELEMENTS} elements`);
  const { width, height } = size(svg);
  svg.setAttribute('width', width);
  svg.setAttribute('height', height);
  const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(serialize(svg))}`;
  await decoded(url);

  const frame = element('iframe', {
    sandbox: '',
    title: 'Drawing',
    scrolling: 'no',
    referrerpolicy: 'no-referrer',
    srcdoc: `<!doctype html><meta http-equiv="Content-Security-Policy" content="${FRAME_POLICY}"><body marginwidth="0" marginheight="0"><img width="100%" alt="" src="${url.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">`,
  });
  frame.style.aspectRatio = `${width} / ${height}`;
  frame.style.maxWidth = `${Math.max(40, Math.round(Math.min(width * 4, (MAX_HEIGHT * width) / height)))}px`;
  return frame;
}

/**
 * The first svg element of a text, in a document where nothing runs or loads. The HTML parser forgives what models get
 * wrong: a missing namespace, a bare ampersand, an end tag left out. Styles go by another name meanwhile: the page's
 * policy reaches into the parsed document, which does not matter there but fills the console with complaints.
 */
function parse(source) {
  const held = source.replace(/(<\/?|[\s"'/])style(?=[\s=>/])/gi, `$1${HELD_STYLE}`);
  return new DOMParser().parseFromString(held, 'text/html').querySelector('svg');
}

function serialize(svg) {
  return new XMLSerializer().serializeToString(svg).replaceAll(HELD_STYLE, 'style');
}

/** Whether the browser can draw it is known only from trying; the picture is in its cache when the frame asks for it. */
function decoded(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = resolve;
    image.onerror = () => reject(new Error('the browser cannot read it as SVG'));
    image.src = url;
  });
}

/** Width and height in CSS pixels from the attributes, else from the viewBox, else what CSS takes for a picture without. */
function size(svg) {
  const length = (name) => {
    const match = /^\s*([0-9.]+)\s*(?:px)?\s*$/.exec(svg.getAttribute(name) ?? '');
    const value = match ? Number(match[1]) : NaN;
    return value > 0 && value < 1e5 ? value : null;
  };
  const box = (svg.getAttribute('viewBox') ?? '').trim().split(/[\s,]+/).map(Number);
  const boxed = box.length === 4 && box[2] > 0 && box[3] > 0 && box[2] / box[3] > 1e-3 && box[2] / box[3] < 1e3;
  const ratio = boxed ? box[2] / box[3] : null;
  const width = length('width');
  const height = length('height');
  if (width !== null && height !== null) return { width, height };
  if (width !== null) return { width, height: ratio ? width / ratio : 150 };
  if (height !== null) return { width: ratio ? height * ratio : 300, height };
  if (boxed) return ratio > 1 ? { width: 300, height: 300 / ratio } : { width: 300 * ratio, height: 300 };
  return { width: 300, height: 150 };
}

/** How many elements there are with every <use> replaced by what it refers to. */
function expandedSize(svg) {
  const known = new Map();
  const count = (node) => {
    if (known.has(node)) return known.get(node);
    known.set(node, 0); // a reference to itself is an error that browsers do not draw
    let sum = 1;
    for (const child of node.children) sum += count(child);
    if (node.localName === 'use') {
      const name = node.getAttribute('href') ?? node.getAttribute('xlink:href') ?? '';
      const target = name.startsWith('#') && svg.querySelector(`#${CSS.escape(name.slice(1))}`);
      if (target) sum += count(target);
    }
    known.set(node, sum);
    return sum;
  };
  return count(svg);
}
