/** The numbers under an answer, and names of sizes. */

import { State } from './conversation.js';

/** Seconds with as many digits as matter: 0.042 s, 0.42 s, 4.2 s, 42 s. */
export function seconds(milliseconds) {
  const value = milliseconds / 1000;
  if (value >= 59.5) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${value.toFixed(value < 0.1 ? 3 : value < 1 ? 2 : value < 10 ? 1 : 0)} s`;
}

/** Bytes in decimal units, as `ollama list` has them: 9.6 GB, 42 GB, 512 B. */
export function bytes(count) {
  if (!Number.isFinite(count) || count < 0) return '';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.floor(value)} ${units[unit]}`;
}

const rate = (count, nanoseconds) => (count > 0 && nanoseconds > 0 ? count / (nanoseconds / 1e9) : null);

/**
 * What is known of an answer, as `{label, value, title}` in reading order. The count and the rate are the server's own
 * (`eval_count`, `eval_duration`); the time to the first token is measured here, from sending the request on, so a
 * model's loading and the way there and back are in it. A stopped answer has no count: the server did not send one.
 */
export function facts(answer) {
  const list = [];
  const final = answer.final ?? {};
  const speed = rate(final.eval_count, final.eval_duration);
  if (final.eval_count > 0) {
    list.push({ name: 'tokens', label: final.eval_count === 1 ? 'token' : 'tokens', value: String(final.eval_count), title: 'Tokens of the answer, thinking included' });
  }
  if (speed !== null) {
    list.push({ name: 'rate', label: 'tokens/s', value: speed.toFixed(speed < 10 ? 2 : 1), title: 'Tokens per second while answering, as the server measured' });
  }
  if (answer.firstAt > 0) {
    list.push({ name: 'first', label: 'to first token', value: seconds(answer.firstAt - answer.sentAt), title: details(final) });
  }
  if (answer.ended && answer.sentAt > 0) {
    list.push({ name: 'total', label: 'in all', value: seconds(answer.endedAt - answer.sentAt), title: 'From sending the question to the end' });
  }
  if (answer.state === State.STOPPED) list.push({ name: 'note', label: 'stopped', value: '', title: 'Stopped before its end' });
  if (final.done_reason === 'length') {
    list.push({ name: 'note', label: 'cut at its limit', value: '', title: 'num_predict or the context was reached' });
  }
  return list;
}

function details(final) {
  const parts = ['From sending the question to the first token'];
  if (final.load_duration > 0) parts.push(`loading ${seconds(final.load_duration / 1e6)}`);
  if (final.prompt_eval_count > 0) {
    const speed = rate(final.prompt_eval_count, final.prompt_eval_duration);
    parts.push(`prompt of ${final.prompt_eval_count} tokens${speed === null ? '' : ` at ${speed.toFixed(1)} tokens/s`}`);
  }
  return parts.join('; ');
}
