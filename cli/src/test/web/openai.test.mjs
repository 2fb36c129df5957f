// OpenAI's client for JavaScript against Pelican's /v1 endpoints with the demo model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: `${process.env.PELICAN_URL}/v1`, apiKey: 'unused', maxRetries: 0 });
const model = 'demo:latest';
const messages = [{ role: 'user', content: 'What is 3 plus 4?' }];
/** What the demo answers at length: a drawing of some two hundred tokens. */
const LONG = [{ role: 'user', content: 'Please draw four gold circles.' }];
const settings = { model, messages, temperature: 0, max_tokens: 64 };
const tools = [
  {
    type: 'function',
    function: {
      name: 'add',
      description: 'Adds two numbers',
      parameters: { type: 'object', required: ['a', 'b'], properties: { a: { type: 'number' }, b: { type: 'number' } } },
    },
  },
];

test('lists models', async () => {
  const listed = await client.models.list();
  assert.equal(listed.object, 'list');
  assert.equal((await client.models.retrieve(model)).id, model);
});

test('chat gives the same text streaming and not', async () => {
  const whole = await client.chat.completions.create(settings);
  const [{ message, finish_reason: reason }] = whole.choices;
  assert.equal(message.role, 'assistant');
  assert.notEqual(message.content, '');
  assert.match(reason, /^(stop|length)$/);
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  let text = '';
  let usage;
  for await (const chunk of await client.chat.completions.create({ ...settings, stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, message.content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('a stream can be aborted, and the next request is answered', async () => {
  const stream = await client.chat.completions.create({ ...settings, messages: LONG, max_tokens: 1000, stream: true });
  for await (const chunk of stream) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    stream.controller.abort();
  }
  assert.equal((await client.chat.completions.create(settings)).object, 'chat.completion');
});

test('completions and responses', async () => {
  const completion = await client.completions.create({ model, prompt: 'What is 2 plus 2?', temperature: 0, max_tokens: 32 });
  assert.notEqual(completion.choices[0].text, '');
  const response = await client.responses.create({ model, input: 'What is 2 plus 2?', temperature: 0, max_output_tokens: 32 });
  assert.notEqual(response.output_text, '');
});

test('a tool is called, and its result leads to the answer', async () => {
  const request = { ...settings, model: 'scripted', tools, reasoning_effort: 'none' };
  const asked = await client.chat.completions.create(request);
  const [{ message, finish_reason: reason }] = asked.choices;
  assert.equal(reason, 'tool_calls');
  const [call] = message.tool_calls;
  assert.equal(call.function.name, 'add');
  const { a, b } = JSON.parse(call.function.arguments);
  const answered = await client.chat.completions.create({
    ...request,
    messages: [...messages, message, { role: 'tool', tool_call_id: call.id, content: String(a + b) }],
  });
  assert.equal(answered.choices[0].message.content, 'The sum is 7.');
});

test('embeds, as numbers and packed', { skip: process.env.PELICAN_EMBEDDINGS === 'true' ? false : 'PELICAN_EMBEDDINGS is not true' }, async () => {
  for (const encoding_format of ['float', 'base64']) {
    const { data } = await client.embeddings.create({ model, input: ['one', 'another'], encoding_format });
    assert.equal(data.length, 2);
    assert.ok(data[0].embedding.length > 0);
  }
});

test('a model that is not there is refused with its name', async () => {
  await assert.rejects(client.chat.completions.create({ ...settings, model: 'nowhere:1b' }), (error) => {
    assert.equal(error.status, 404);
    assert.match(error.message, /nowhere:1b/);
    return true;
  });
});

test('a schema binds the answer', { skip: process.env.PELICAN_FORMAT === 'true' ? false : 'PELICAN_FORMAT is not true' }, async () => {
  const schema = { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'], additionalProperties: false };
  const { choices } = await client.chat.completions.create({
    ...settings,
    temperature: 1,
    response_format: { type: 'json_schema', json_schema: { name: 'sum', schema, strict: true } },
  });
  assert.ok(Number.isInteger(JSON.parse(choices[0].message.content).sum));
});
