/**
 * A conversation: turns of one question and one answer, or two answers side by side. A model sees what was
 * said before; after a comparison that is the answer of its own column, unless the user kept one of the two.
 */

/** How an answer stands: waiting for its turn, waiting for the first token, answering, and the three ends. */
export const State = Object.freeze({
  QUEUED: 'queued',
  WAITING: 'waiting',
  ANSWERING: 'answering',
  DONE: 'done',
  STOPPED: 'stopped',
  FAILED: 'failed',
});

export class Answer {
  constructor(model) {
    this.model = model;
    this.restart();
  }

  restart(model = this.model) {
    this.model = model;
    this.state = State.QUEUED;
    this.content = '';
    this.thinking = '';
    this.error = '';
    this.sentAt = 0;
    this.firstAt = 0;
    this.contentAt = 0;
    this.endedAt = 0;
    this.final = null;
  }

  send() {
    this.state = State.WAITING;
    this.sentAt = performance.now();
  }

  /** Takes one event of the stream. */
  take(event) {
    const { content = '', thinking = '' } = event.message ?? {};
    if (content !== '' || thinking !== '') {
      this.state = State.ANSWERING;
      this.firstAt ||= performance.now();
      if (content !== '') this.contentAt ||= performance.now();
      this.content += content;
      this.thinking += thinking;
    }
    if (event.done) this.final = event;
  }

  end(state, error = '') {
    this.state = state;
    this.error = error;
    this.endedAt = performance.now();
  }

  get ended() {
    return this.state === State.DONE || this.state === State.STOPPED || this.state === State.FAILED;
  }
}

export class Conversation {
  constructor() {
    this.turns = [];
  }

  ask(question, models) {
    const turn = { question, answers: models.map((model) => new Answer(model)), kept: null };
    this.turns.push(turn);
    return turn;
  }

  get last() {
    return this.turns.at(-1) ?? null;
  }

  /** The messages that lead to an answer of a turn. A turn without any answer is as if never asked. */
  messages(turn, column, system) {
    const messages = [];
    if (system.trim() !== '') messages.push({ role: 'system', content: system });
    for (const earlier of this.turns.slice(0, this.turns.indexOf(turn))) {
      const answer = earlier.answers[earlier.kept ?? Math.min(column, earlier.answers.length - 1)];
      if (answer.content === '') continue;
      messages.push({ role: 'user', content: earlier.question }, { role: 'assistant', content: answer.content });
    }
    messages.push({ role: 'user', content: turn.question });
    return messages;
  }
}
