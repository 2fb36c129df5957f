// Ollama's own client for JavaScript against Pelican with the demo model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ollama } from 'ollama';

const host = process.env.PELICAN_URL;
const model = 'demo:latest';
const options = { temperature: 0, num_predict: 64 };
const messages = [{ role: 'user', content: 'What is 3 plus 4?' }];
/** What the demo answers at length: a drawing of some two hundred tokens. */
const LONG = 'Please draw four gold circles.';
const tools = [
  {
    type: 'function',
    function: {
      name: 'add',
      description: 'Adds two numbers',
      parameters: {
        type: 'object',
        required: ['a', 'b'],
        properties: { a: { type: 'number', description: 'one' }, b: { type: 'number', description: 'other' } },
      },
    },
  },
];
const ollama = new Ollama({ host });

test('lists, shows and tells its version', async () => {
  assert.ok(Array.isArray((await ollama.list()).models));
  assert.match((await ollama.version()).version, /^\d+\.\d+/);
  const shown = await ollama.show({ model });
  assert.equal(shown.details.family, 'gemma4');
  assert.ok(shown.capabilities.includes('completion'));
  assert.equal(shown.model_info['general.architecture'], 'gemma4');
});

test('chat gives the same text streaming and not', async () => {
  const whole = await ollama.chat({ model, messages, options });
  assert.equal(whole.message.role, 'assistant');
  assert.notEqual(whole.message.content, '');
  assert.equal(whole.done, true);
  assert.ok(whole.eval_count > 0 && whole.eval_duration > 0 && whole.prompt_eval_count > 0);
  let text = '';
  let last;
  for await (const part of await ollama.chat({ model, messages, options, stream: true })) {
    text += part.message.content;
    last = part;
  }
  assert.equal(text, whole.message.content);
  assert.equal(last.done, true);
  assert.equal(last.eval_count, whole.eval_count);
  assert.equal((await ollama.ps()).models.filter(({ name }) => name.startsWith('demo')).length, 1);
});

test('generate streams and can be aborted', async () => {
  const { response } = await ollama.generate({ model, prompt: 'What is 2 plus 2?', options });
  assert.notEqual(response, '');
  const client = new Ollama({ host });
  const stream = await client.generate({ model, prompt: LONG, options: { temperature: 0, num_predict: 1000 }, stream: true });
  await assert.rejects(
    async () => {
      for await (const part of stream) {
        assert.notEqual(part, undefined);
        client.abort();
      }
    },
    { name: 'AbortError' },
  );
  // the slot is free again
  assert.equal((await ollama.chat({ model, messages, options })).done, true);
});

test('a tool is called, and its result leads to the answer', async () => {
  const request = { model: 'scripted', tools, options, think: false };
  const asked = await ollama.chat({ ...request, messages });
  assert.equal(asked.message.tool_calls.length, 1);
  const [call] = asked.message.tool_calls;
  assert.equal(call.function.name, 'add');
  const { a, b } = call.function.arguments;
  const result = { role: 'tool', content: String(a + b), tool_name: call.function.name };
  let text = '';
  for await (const part of await ollama.chat({ ...request, messages: [...messages, asked.message, result], stream: true })) {
    text += part.message.content;
  }
  assert.equal(text, 'The sum is 7.');
});

test('embeds', { skip: process.env.PELICAN_EMBEDDINGS === 'true' ? false : 'PELICAN_EMBEDDINGS is not true' }, async () => {
  const { embeddings } = await ollama.embed({ model, input: ['one', 'another'] });
  assert.equal(embeddings.length, 2);
  for (const vector of embeddings) {
    assert.ok(vector.length > 0);
    assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-3, 'of length 1');
  }
  assert.notDeepEqual(embeddings[0], embeddings[1]);
});

test('a model that is not there is refused with its name', async () => {
  await assert.rejects(ollama.chat({ model: 'nowhere:1b', messages }), { status_code: 404, error: "model 'nowhere:1b' not found" });
});

test('a schema binds the answer', { skip: process.env.PELICAN_FORMAT === 'true' ? false : 'PELICAN_FORMAT is not true' }, async () => {
  const format = {
    type: 'object',
    properties: { sum: { type: 'integer' }, words: { type: 'array', items: { type: 'string' }, maxItems: 2 } },
    required: ['sum', 'words'],
  };
  const { message } = await ollama.chat({ model, messages, format, options: { temperature: 1, seed: 3, num_predict: 300 }, think: false });
  const value = JSON.parse(message.content);
  assert.ok(Number.isInteger(value.sum));
  assert.ok(Array.isArray(value.words) && value.words.length <= 2);
});
