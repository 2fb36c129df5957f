/** How turns and answers look. The elements of an answer are updated while it streams. */

import { State } from './conversation.js';
import { button, copyButton, element } from './dom.js';
import { MarkdownView } from './markdown.js';
import { chips } from './models.js';
import { facts, seconds } from './stats.js';

/** Shortest time between two updates of a streaming answer, in milliseconds. */
const REFRESH = 60;

export class AnswerView {
  /** @param modelOf the server's entry for a model's name, or undefined */
  constructor(answer, modelOf) {
    this.answer = answer;
    this.modelOf = modelOf;
    this.head = element('header', { class: 'answer-head' });
    this.thought = element('div', { class: 'thought markdown' });
    this.thinkingLabel = element('summary', {}, 'Thinking');
    this.thinking = element('details', { class: 'thinking', hidden: true }, [this.thinkingLabel, this.thought]);
    this.content = element('div', { class: 'content markdown' });
    this.wait = element('p', { class: 'wait' });
    this.error = element('div', { class: 'error', role: 'alert', hidden: true });
    this.stats = element('p', { class: 'stats' });
    this.actions = element('div', { class: 'answer-actions' });
    this.root = element('article', { class: 'answer', 'aria-label': `Answer of ${answer.model}` }, [
      this.head,
      this.thinking,
      this.content,
      this.wait,
      this.error,
      element('footer', {}, [this.stats, this.actions]),
    ]);
    this.copy = copyButton(() => this.answer.content);
    this.timer = 0;
    this.reset();
  }

  reset() {
    this.markdown = new MarkdownView(this.content);
    this.thoughts = new MarkdownView(this.thought);
    this.content.replaceChildren();
    this.thought.replaceChildren();
    this.head.replaceChildren(element('strong', {}, this.answer.model), ...chips(this.modelOf(this.answer.model)));
    this.root.setAttribute('aria-label', `Answer of ${this.answer.model}`);
    this.update();
  }

  /** Shows the answer as it stands, at once when it has ended and else a little later, with what comes until then. */
  refresh() {
    if (this.answer.ended) {
      clearTimeout(this.timer);
      this.timer = 0;
      this.update();
    } else if (this.timer === 0) {
      this.timer = setTimeout(() => {
        this.timer = 0;
        this.update();
      }, REFRESH);
    }
  }

  update() {
    const { answer } = this;
    this.root.dataset.state = answer.state;
    if (answer.thinking !== '') {
      this.thinking.hidden = false;
      this.thinkingLabel.textContent =
        answer.contentAt > 0
          ? `Thought for ${seconds(answer.contentAt - answer.firstAt)}`
          : answer.ended ? 'Thought' : 'Thinking …';
      this.thoughts.update(answer.thinking, answer.ended || answer.contentAt > 0);
    } else {
      this.thinking.hidden = true;
    }
    this.markdown.update(answer.content, answer.ended);
    this.wait.textContent = waiting(answer);
    this.wait.hidden = this.wait.textContent === '';
    this.error.hidden = answer.state !== State.FAILED;
    this.error.textContent = answer.error;
    this.stats.replaceChildren(
      ...facts(answer).map(({ name, label, value, title }) =>
        element('span', { class: `stat ${name}`, title }, value === '' ? label : [element('b', {}, value), ` ${label}`]),
      ),
    );
  }

  /** The buttons under a finished answer. */
  offer(buttons) {
    this.actions.replaceChildren(...(this.answer.ended && this.answer.content !== '' ? [this.copy] : []), ...buttons);
  }
}

function waiting(answer) {
  if (answer.state === State.QUEUED) return 'Waits for the other model, so that neither slows the other';
  if (answer.state === State.WAITING) return 'Waiting for the first token';
  if (answer.state === State.DONE && answer.content === '') return 'The model gave no text.';
  return '';
}

export class TurnView {
  constructor(turn, modelOf) {
    this.turn = turn;
    this.answers = turn.answers.map((answer) => new AnswerView(answer, modelOf));
    this.edit = element('div', { class: 'turn-actions' });
    this.root = element('div', { class: 'turn' }, [
      element('div', { class: 'question' }, [
        element('h2', { class: 'hidden' }, 'You'),
        element('div', { class: 'question-text' }, turn.question),
        this.edit,
      ]),
      element('div', { class: 'answers', 'data-columns': String(turn.answers.length) }, this.answers.map(({ root }) => root)),
    ]);
  }

  /**
   * Offers what can be done with the turn now.
   *
   * @param last whether it is the last turn, which alone can be asked again or edited
   */
  offer({ last, busy, retry, edit, keep }) {
    this.edit.replaceChildren(...(last && !busy ? [button('Edit', edit, { title: 'Take the question back and change it' })] : []));
    this.answers.forEach((view, column) => {
      const buttons = [];
      if (last && !busy) {
        buttons.push(button('Retry', () => retry(column), { title: 'Ask the chosen model the same again' }));
      }
      if (this.turn.answers.length > 1 && view.answer.ended && view.answer.content !== '') {
        const kept = this.turn.kept === column;
        buttons.push(
          button(kept ? 'Kept' : 'Keep', () => keep(kept ? null : column), {
            'aria-pressed': String(kept),
            title: 'Both models go on from this answer',
          }),
        );
      }
      view.offer(buttons);
      view.root.classList.toggle('kept', this.turn.kept === column);
      view.root.classList.toggle('passed-over', this.turn.kept !== null && this.turn.kept !== column);
    });
  }
}
