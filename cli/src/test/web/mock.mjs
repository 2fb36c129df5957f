// A server that speaks the part of Ollama's native API which the chat page uses, with answers that are written down
// here: those that no real model can be made to give (hostile markup, broken streams) and those that take forever.
import http from 'node:http';

const MODELS = [
  model('gemma4-mock:q4_k_m', 'Q4_K_M', 3_420_000_000),
  model('gemma4-mock:q6_k', 'Q6_K', 4_780_000_000),
  { ...model('embedder:latest', 'F16', 90_000_000), capabilities: ['embedding'] },
];

function model(name, quantization, size) {
  return {
    name,
    model: name,
    modified_at: '2026-08-01T12:00:00.5+02:00',
    size,
    digest: 'a'.repeat(64),
    details: {
      parent_model: '',
      format: 'gguf',
      family: 'gemma4',
      families: ['gemma4'],
      parameter_size: '5.1B',
      quantization_level: quantization,
      context_length: 131072,
    },
    capabilities: ['completion', 'tools', 'thinking'],
  };
}

export const PELICAN = `<svg viewBox="0 0 240 180">
  <style>.wheel { fill: none; stroke: #14626b; stroke-width: 6 }</style>
  <circle class="wheel" cx="60" cy="130" r="38"/><circle class="wheel" cx="180" cy="130" r="38"/>
  <path d="M60 130 L105 75 L150 130 Z M105 75 L165 75 L180 130" style="fill:none;stroke:#f5a83d;stroke-width:6"/>
  <ellipse cx="120" cy="55" rx="34" ry="22" fill="#dfe7e8" stroke="#566367" stroke-width="3"/>
  <circle cx="150" cy="28" r="13" fill="#dfe7e8" stroke="#566367" stroke-width="3"/>
  <path d="M160 24 L214 38 L160 40 Z" fill="#f5a83d"/>
  <circle cx="154" cy="25" r="2.5"/><text x="12" y="20" font-size="12">Pelican & bicycle</text>
</svg>`;

/** Every way of running a script or fetching something that a model's text may try; each sets a mark if it succeeds. */
export function hostile(collector) {
  return [
    'Some text first.',
    '<script>window.pwned = 1</script>',
    `<img src=x onerror="window.pwned = 2">`,
    `<body onload="window.pwned = 3">`,
    'Inline <b onclick="window.pwned = 4">click</b>, <a href="javascript:window.pwned = 5">html link</a>.',
    '[markdown link](javascript:window.pwned=6) [entities](&#106;avascript:window.pwned=7) [data](data:text/html,<script>window.pwned=8</script>)',
    `![picture](${collector}/picture.png) <img src="${collector}/html.png"> ![p](javascript:window.pwned=9)`,
    `<iframe src="javascript:parent.window.pwned = 10"></iframe><iframe src="${collector}/frame"></iframe>`,
    `<link rel="stylesheet" href="${collector}/style.css"><style>@import url(${collector}/import.css);body{display:none}</style>`,
    `<form action="${collector}/form"><input autofocus onfocus="window.pwned = 11"><button>Go</button></form>`,
    `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=12&gt;">`,
    `<meta http-equiv="refresh" content="0;url=${collector}/refresh"><base href="${collector}/">`,
    `<div style="background:url(${collector}/style.png);position:fixed;inset:0">cover</div>`,
    `<div data-slot="0" class="error">slot</div>`,
    `<details open ontoggle="window.pwned = 13"><summary>x</summary></details><video src=x onerror="window.pwned = 14"></video>`,
    '```html\n<script>window.pwned = 15</script>\n```',
    '```"><img/src=x/onerror=window.pwned=16>\ncode\n```',
    '| a |\n|---|\n| <img src=x onerror="window.pwned = 17"> |',
    `Last words, <sub>kept</sub>.`,
  ].join('\n\n');
}

export function hostileSvg(collector) {
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="120" height="80" onload="window.pwned = 21; parent.pwned = 21; top.pwned = 21">
  <script>parent.pwned = 22; fetch('${collector}/svg-fetch')</script>
  <script href="${collector}/svg-script.js"></script>
  <image href="${collector}/svg-image.png" width="10" height="10"/><image href="x" onerror="parent.pwned = 23"/>
  <use href="${collector}/svg-use.svg#a"/><style>@import url(${collector}/svg-import.css); rect { fill: url(${collector}/svg-fill.svg#a) #228833 }</style>
  <foreignObject width="50" height="50"><iframe xmlns="http://www.w3.org/1999/xhtml" src="${collector}/svg-frame"></iframe><img src="x" onerror="parent.pwned = 24"/><form action="${collector}/svg-form"><button autofocus="autofocus" onfocus="parent.pwned = 25">b</button></form></foreignObject>
  <a href="javascript:parent.pwned = 26" target="_top"><rect width="120" height="80" fill="#228833" onclick="parent.pwned = 27"/></a>
  <animate attributeName="x" onbegin="parent.pwned = 28" dur="1s"/><set attributeName="href" to="javascript:parent.pwned = 29"/>
</svg>`;
}

/** A dozen lines that come to a thousand million shapes. */
export const BOMB = `<svg viewBox="0 0 10 10"><defs><rect id="a0" width="1" height="1"/>${Array.from(
  { length: 9 },
  (_, n) => `<g id="a${n + 1}">${`<use href="#a${n}"/>`.repeat(10)}</g>`,
).join('')}</defs><use href="#a9"/></svg>`;

const MARKDOWN = `## Quantization

A *Q4_K_M* file keeps about **4.8 bits** for each weight; Q6_K keeps 6.6.

| Type | Bits | File |
|:-----|-----:|-----:|
| Q4_K_M | 4.8 | 3.4 GB |
| Q6_K | 6.6 | 4.8 GB |

1. Weights are taken in blocks of 256.
2. Each block has its own scale:
   - \`scale × (q - zero)\`
   - [x] done

\`\`\`java
float weight(int q, float scale, float zero) {
  return scale * (q - zero);
}
\`\`\`

> See <https://example.org/quantization> for more.`;

function script(request, collector) {
  const question = request.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const system = request.messages.find(({ role }) => role === 'system')?.content;
  if (question.includes('markdown')) return { content: MARKDOWN };
  if (question.includes('think')) return { thinking: request.think ? 'First I look at the question. Then I answer it.' : '', content: 'Thought about it.' };
  if (question.includes('svg block')) return { content: `Here it is:\n\n\`\`\`svg\n${PELICAN}\n\`\`\`\n\nA pelican on a bicycle.` };
  if (question.includes('bare svg')) return { content: `Here it is: ${PELICAN} That was a pelican. In code, \`<svg>…</svg>\` stays text.` };
  if (question.includes('broken svg')) return { content: '```svg\n<svg viewBox="0 0 9 9"><rect wid"th="9" height="9"/></svg>\n```' };
  if (question.includes('bomb')) return { content: `\`\`\`svg\n${BOMB}\n\`\`\`` };
  if (question.includes('hostile svg')) return { content: `${hostileSvg(collector)}\n\n\`\`\`svg\n${hostileSvg(collector)}\n\`\`\`` };
  if (question.includes('hostile')) return { thinking: hostile(collector), content: hostile(collector) };
  if (question.includes('deep')) return { content: `${'> '.repeat(20000)}deep` };
  if (question.includes('cut at limit')) return { content: 'It is cut', reason: 'length' };
  return { content: `I am ${request.model}. Messages: ${request.messages.length}. System: ${system ?? 'none'}. You said: ${question}` };
}

/**
 * Starts the server.
 *
 * @param key what requests must carry as a bearer token, or undefined
 * @param collector address for hostile answers to try to reach
 * @returns `{url, requests, chats, aborted, close}`; the lists grow as requests come
 */
export async function startMock({ key, collector = 'http://127.0.0.1:9' } = {}) {
  const state = { requests: [], chats: [], aborted: [] };
  const server = http.createServer(async (request, response) => {
    state.requests.push({ method: request.method, url: request.url, headers: request.headers });
    if (!cors(request, response)) return;
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      json(response, 401, { error: 'unauthorized' });
      return;
    }
    if (request.url === '/api/version') json(response, 200, { version: '0.0.1-mock' });
    else if (request.url === '/api/tags') json(response, 200, { models: MODELS });
    else if (request.url === '/api/chat' && request.method === 'POST') await chat(request, response, state, collector);
    else {
      response.writeHead(404, { 'Content-Type': 'text/plain' });
      response.end('404 page not found');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...state,
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => close(server),
  };
}

function cors(request, response) {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === `http://${host}`) return true;
  if (!/^https?:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/.test(origin)) {
    response.writeHead(403);
    response.end();
    return false;
  }
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Vary', 'Origin');
  if (request.method !== 'OPTIONS') return true;
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE, HEAD',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, Accept',
    'Access-Control-Max-Age': '43200',
  });
  response.end();
  return false;
}

function json(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function chat(request, response, state, collector) {
  let text = '';
  for await (const chunk of request) text += chunk;
  const body = JSON.parse(text);
  state.chats.push(body);
  const question = body.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (!MODELS.some(({ name }) => name === body.model)) {
    json(response, 404, { error: `model '${body.model}' not found` });
    return;
  }
  if (question.includes('error first')) {
    json(response, 503, { error: 'server busy, please try again.  maximum pending requests exceeded' });
    return;
  }
  let gone = false;
  response.on('close', () => {
    if (response.writableFinished) return;
    gone = true;
    state.aborted.push(body.model);
  });
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const event = (fields) =>
    response.write(`${JSON.stringify({ model: body.model, created_at: new Date().toISOString(), ...fields })}\n`);
  const delta = (message) => event({ message: { role: 'assistant', content: '', ...message }, done: false });
  if (question.includes('slow')) {
    for (let n = 0; !gone; n += 1) {
      delta({ content: `word${n} ` });
      await pause(30);
    }
    return;
  }
  if (question.includes('error mid')) {
    delta({ content: 'It begins well' });
    response.end(`${JSON.stringify({ error: 'model runner has unexpectedly stopped' })}\n`);
    return;
  }
  if (question.includes('not json')) {
    delta({ content: 'It begins well' });
    response.end('<html>\n');
    return;
  }
  if (question.includes('cut off')) {
    delta({ content: 'It begins well' });
    await pause(100);
    response.destroy();
    return;
  }
  const { thinking = '', content, reason = 'stop' } = script(body, collector);
  // pieces of uneven length, and lines that arrive in two parts, as on a real network
  for (const piece of thinking.match(/[\s\S]{1,23}/g) ?? []) delta({ thinking: piece });
  let tokens = 0;
  for (const piece of content.match(/[\s\S]{1,17}/g) ?? []) {
    const line = Buffer.from(`${JSON.stringify({ model: body.model, message: { role: 'assistant', content: piece }, done: false })}\n`);
    response.write(line.subarray(0, 40));
    await pause(1);
    response.write(line.subarray(40));
    tokens += 1;
  }
  event({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: reason,
    total_duration: 2_500_000_000,
    load_duration: 120_000_000,
    prompt_eval_count: 18,
    prompt_eval_duration: 300_000_000,
    eval_count: tokens,
    eval_duration: tokens * (body.model.includes('q6') ? 90_000_000 : 62_500_000),
  });
  response.end();
}

function close(server) {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}
