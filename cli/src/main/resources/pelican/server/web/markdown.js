/**
 * Markdown of a model as elements, while it streams. What a model writes is never trusted: HTML in it is shown as
 * text, the result passes the sanitizer, nothing is loaded from anywhere, and the page's Content-Security-Policy
 * allows no script but the page's own.
 */

import { Marked } from './vendor/marked.js';
import DOMPurify from './vendor/purify.js';
import { drawing, svgOf } from './svg.js';
import { copyButton, element } from './dom.js';

/** Tags without attributes that models like to write into Markdown; all other HTML is shown as it was written. */
const PLAIN_TAG = /^<\/?(?:b|i|u|s|em|strong|sub|sup|kbd|mark|small|del|ins|br)\s*\/?>$/i;

const SANITIZER = {
  ALLOWED_TAGS: [
    'p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'a', 'img', 'div',
    'table', 'thead', 'tbody', 'tr', 'th', 'td', 'b', 'i', 'u', 's', 'em', 'strong', 'sub', 'sup', 'kbd', 'mark', 'small',
    'del', 'ins',
  ],
  ALLOWED_ATTR: ['href', 'title', 'src', 'alt', 'align', 'start', 'class', 'data-slot'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // the expression below is held against every other attribute's value
  ADD_URI_SAFE_ATTR: ['title', 'alt', 'align', 'start', 'class', 'data-slot'],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:|data:image\/)/i,
  RETURN_DOM_FRAGMENT: true,
};

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') {
    if (!/^(?:https?:\/\/|mailto:)/i.test(node.getAttribute('href') ?? '')) {
      node.removeAttribute('href');
      return;
    }
    node.target = '_blank';
    node.rel = 'noopener noreferrer nofollow';
  } else if (node.tagName === 'IMG' && !/^data:image\//i.test(node.getAttribute('src') ?? '')) {
    node.remove();
  }
});

const escape = (text) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

/** What the renderer leaves to be put in place after sanitizing: code and drawings. */
let slots = [];

function slot(content) {
  slots.push(content);
  return `<div data-slot="${slots.length - 1}"></div>`;
}

/** The index of the first `<svg` that stands in no inline code, or undefined. */
function svgStart(source) {
  for (const match of source.matchAll(/<svg[\s>]/gi)) {
    const line = source.slice(source.lastIndexOf('\n', match.index) + 1, match.index);
    if ((line.split('`').length - 1) % 2 === 0) return match.index;
  }
  return undefined;
}

const marked = new Marked({
  gfm: true,
  extensions: [
    {
      name: 'svg',
      level: 'block',
      start: svgStart,
      tokenizer(source) {
        const match = /^ {0,3}<svg[\s>][\s\S]*?(<\/svg\s*>[^\S\n]*\n?|$(?![\s\S]))/i.exec(source);
        return match ? { type: 'svg', raw: match[0], text: match[0].trim(), closed: match[1] !== '' } : undefined;
      },
      renderer: ({ text, closed }) => slot({ svg: text, closed }),
    },
  ],
  renderer: {
    html: ({ text, block }) => {
      if (PLAIN_TAG.test(text.trim())) return text;
      return block ? slot({ code: text.replace(/\n+$/, ''), language: 'html' }) : escape(text);
    },
    code: ({ text, lang, raw }) => {
      const language = (lang ?? '').trim().split(/\s+/)[0];
      const closed = /^ {0,3}(`{3,}|~{3,})/.test(raw) ? /\n {0,3}(`{3,}|~{3,})\s*$/.test(raw) : true;
      if (/^(svg|xml|html|)$/i.test(language) && svgOf(text, language)) return slot({ svg: text, closed });
      return slot({ code: text, language });
    },
    image: ({ href, title, text }) => {
      if (/^data:image\//i.test(href)) return `<img src="${escape(href)}" alt="${escape(text)}" title="${escape(title ?? '')}">`;
      // loading it would tell a stranger's server that the answer was read
      return `<a href="${escape(href)}">${escape(text || href)} (picture)</a>`;
    },
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

/** An element that shows a growing Markdown text. Blocks that did not change keep their elements, and so their state. */
export class MarkdownView {
  constructor(container) {
    this.container = container;
    this.blocks = [];
  }

  /** Shows `text`; `complete` says that no more will come, which makes unfinished drawings final. */
  update(text, complete) {
    let tokens;
    try {
      tokens = marked.lexer(text).filter((token) => token.type !== 'space');
    } catch (error) {
      this.plain(text, error);
      return;
    }
    tokens.forEach((token, index) => {
      const block = this.blocks[index];
      const last = index === tokens.length - 1;
      if (block && block.raw === token.raw && !last && !complete) return;
      slots = [];
      let html;
      try {
        html = marked.parser([token]);
      } catch (error) {
        this.plain(text, error);
        return;
      }
      const key = html + JSON.stringify(slots) + (complete && slots.some((s) => s.closed === false));
      if (block?.key === key) {
        block.raw = token.raw;
        return;
      }
      const holder = element('div', { class: 'block' });
      holder.append(DOMPurify.sanitize(html, SANITIZER));
      fill(holder, slots, complete);
      if (block) block.holder.replaceWith(holder);
      else this.container.append(holder);
      this.blocks[index] = { raw: token.raw, key, holder };
    });
    for (const block of this.blocks.splice(tokens.length)) block.holder.remove();
  }

  /** The parser recurses: text that nests thousands of levels deep is beyond it, and is shown as it is. */
  plain(text, error) {
    this.blocks = [];
    this.container.replaceChildren(
      element('p', { class: 'error-text' }, `Shown as plain text, because its Markdown could not be read: ${error.message}`),
      element('pre', {}, text),
    );
  }
}

function fill(holder, contents, complete) {
  for (const place of holder.querySelectorAll('[data-slot]')) {
    const content = contents[Number(place.dataset.slot)];
    if (content === undefined) place.remove();
    else if (content.svg !== undefined) place.replaceWith(drawing(content.svg, content.closed, complete));
    else place.replaceWith(codeBlock(content.code, content.language));
  }
}

function codeBlock(code, language) {
  return element('div', { class: 'code' }, [
    element('div', { class: 'code-head' }, [element('span', {}, language || 'text'), copyButton(() => code)]),
    element('pre', { tabindex: '0' }, element('code', {}, code)),
  ]);
}
