// The chat page in Chromium against scripted answers. With PELICAN_URL the page itself comes from that server, else
// from a static one; either way it is of another origin than the answers, so that CORS is in play throughout.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { ChatPage, launch } from './browser.mjs';
import { startMock } from './mock.mjs';
import { startStatic } from './static.mjs';

const Q4 = 'gemma4-mock:q4_k_m';
const Q6 = 'gemma4-mock:q6_k';
const REFUSED = /Failed to load resource: the server responded with a status of/;

let browser;
let mock;
let site;
let collector;
const collected = [];

before(async () => {
  collector = http.createServer((request, response) => {
    collected.push(request.url);
    response.end();
  });
  await new Promise((resolve) => collector.listen(0, '127.0.0.1', resolve));
  mock = await startMock({ collector: `http://127.0.0.1:${collector.address().port}` });
  site = process.env.PELICAN_URL ? { url: process.env.PELICAN_URL, close: () => {} } : await startStatic('localhost');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await site?.close();
  await mock?.close();
  collector?.closeAllConnections();
  collector?.close();
});

const open = async (settings = {}, context = {}) =>
  (await ChatPage.open(browser, site.url, { endpoint: mock.url, ...settings }, context)).connected();

test('lists models with quantization and size, without those for embeddings', async () => {
  const chat = await open();
  const options = await chat.page.locator('#model-0 option').allInnerTexts();
  assert.deepEqual(options, [`${Q4} · Q4_K_M · 3.4 GB · 5.1B`, `${Q6} · Q6_K · 4.8 GB · 5.1B`, 'Other name …']);
  assert.match(await chat.page.locator('#connection').innerText(), /version 0\.0\.1-mock · 2 models/);
  await chat.screenshot('welcome');
  await chat.close();
});

test('answers, keeps the transcript when the model is switched, and counts', async () => {
  const chat = await open();
  const [first] = await chat.ask('Hello one');
  assert.equal(first.state, 'done');
  assert.match(first.text, /I am gemma4-mock:q4_k_m\. Messages: 1\. System: none\. You said: Hello one/);
  assert.match(first.stats, /\d+ tokens\s+16\.0 tokens\/s\s+\S+ s to first token\s+\S+ s in all/);
  await chat.page.locator('#model-0').selectOption(Q6);
  const [second] = await chat.ask('Hello two');
  assert.match(second.text, /I am gemma4-mock:q6_k\. Messages: 3\./);
  assert.match(second.stats, /11\.1 tokens\/s/);
  assert.deepEqual(mock.chats.at(-1).messages, [
    { role: 'user', content: 'Hello one' },
    { role: 'assistant', content: first.text },
    { role: 'user', content: 'Hello two' },
  ]);
  assert.equal(await chat.page.locator('.turn').count(), 2);
  await chat.page.locator('#new-chat').click();
  assert.equal(await chat.page.locator('.turn').count(), 0);
  assert.match((await chat.ask('Hello three'))[0].text, /Messages: 1\./);
  await chat.close();
});

test('a typed model name is asked for, and a refusal is shown', async () => {
  const chat = await open();
  await chat.page.locator('#model-0').selectOption({ label: 'Other name …' });
  await chat.page.keyboard.type('nowhere:1b');
  await chat.page.keyboard.press('Enter');
  const [answer] = await chat.ask('Hello');
  assert.equal(answer.state, 'failed');
  assert.equal(await answer.root.locator('.error').innerText(), "model 'nowhere:1b' not found (HTTP 404)");
  await chat.page.locator('#model-0').selectOption(Q4);
  await answer.root.getByRole('button', { name: 'Retry' }).click();
  await chat.idle();
  assert.match((await chat.lastAnswers())[0].text, /I am gemma4-mock:q4_k_m\. Messages: 1/);
  await chat.close(REFUSED);
});

test('stop by key and by button ends the request and keeps what came', async () => {
  const chat = await open();
  for (const stop of [() => chat.page.keyboard.press('Escape'), () => chat.page.locator('#stop').click()]) {
    const before = mock.aborted.length;
    await chat.send('slow please');
    await chat.page.locator('.turn').last().locator('.content', { hasText: 'word3' }).waitFor();
    await stop();
    await chat.idle();
    const [answer] = await chat.lastAnswers();
    assert.equal(answer.state, 'stopped');
    assert.match(answer.text, /^word0 word1 word2 word3/);
    assert.match(answer.stats, /stopped/);
    for (let wait = 0; wait < 600 && mock.aborted.length === before; wait += 1) await chat.page.waitForTimeout(50);
    assert.equal(mock.aborted.length, before + 1, 'the server saw the connection go');
  }
  await chat.close();
});

test('retry asks the same again, edit takes the question back', async () => {
  const chat = await open();
  await chat.ask('First');
  await chat.ask('Second');
  const asked = mock.chats.length;
  await chat.page.locator('.turn').last().getByRole('button', { name: 'Retry' }).click();
  await chat.idle();
  assert.equal(mock.chats.length, asked + 1);
  assert.deepEqual(mock.chats.at(-1), mock.chats.at(-2));
  assert.equal(await chat.page.locator('.turn').count(), 2);
  await chat.page.getByRole('button', { name: 'Edit' }).click();
  assert.equal(await chat.page.locator('#prompt').inputValue(), 'Second');
  assert.equal(await chat.page.locator('.turn').count(), 1);
  await chat.page.locator('#prompt').press('End');
  await chat.page.keyboard.press('Shift+Enter');
  await chat.page.keyboard.type('line');
  await chat.page.keyboard.press('Enter');
  await chat.idle();
  assert.equal(mock.chats.at(-1).messages.at(-1).content, 'Second\nline');
  await chat.close();
});

test('two models side by side, each with its own history until one answer is kept', async () => {
  const chat = await open();
  await chat.page.locator('#compare').click();
  await chat.page.locator('#model-1').selectOption(Q6);
  const answers = await chat.ask('Compare this');
  assert.deepEqual(answers.map(({ model, state }) => [model, state]), [[Q4, 'done'], [Q6, 'done']]);
  assert.match(answers[0].stats, /16\.0 tokens\/s\s+\S+ s to first token/);
  assert.match(answers[1].stats, /11\.1 tokens\/s\s+\S+ s to first token/);
  await chat.ask('And this');
  const own = mock.chats.slice(-2).map(({ messages }) => messages[1].content);
  assert.deepEqual(own, answers.map(({ text }) => text));
  await chat.page.locator('.turn').first().getByRole('button', { name: 'Keep' }).nth(1).click();
  await chat.ask('Then this');
  for (const { messages } of mock.chats.slice(-2)) assert.equal(messages[1].content, answers[1].text);
  await chat.page.locator('#new-chat').click();
  await chat.ask('markdown, compared');
  await chat.screenshot('compare-light');
  await chat.close();
});

test('a comparison is stopped as a whole, and an error on one side leaves the other', async () => {
  const chat = await open({ compare: true, models: [Q4, 'nowhere:1b'], typed: ['nowhere:1b'] });
  assert.deepEqual((await chat.ask('Hello')).map(({ state }) => state), ['done', 'failed']);
  await chat.page.locator('#model-1').selectOption(Q6);
  await chat.send('slow comparison');
  await chat.page.locator('.turn').last().locator('.content', { hasText: 'word2' }).first().waitFor();
  await chat.page.keyboard.press('Escape');
  await chat.idle();
  assert.deepEqual((await chat.lastAnswers()).map(({ state }) => state), ['stopped', 'stopped']);
  await chat.page.locator('#open-settings').click();
  await chat.page.locator('#parameters-group summary').click();
  await chat.page.locator('#at-once').check();
  await chat.send('slow at once');
  for (const side of [0, 1]) await chat.page.locator('.turn').last().locator('.content').nth(side).getByText('word2').waitFor();
  await chat.page.locator('#stop').click();
  await chat.idle();
  await chat.close(REFUSED);
});

test('thinking is asked for, and shown folded', async () => {
  const chat = await open();
  const [without] = await chat.ask('think not');
  assert.equal(mock.chats.at(-1).think, false);
  assert.equal(await without.root.locator('.thinking').isVisible(), false);
  await chat.page.locator('#think').check();
  const [answer] = await chat.ask('think now');
  assert.equal(mock.chats.at(-1).think, true);
  assert.equal(answer.text, 'Thought about it.');
  const thought = answer.root.locator('.thought');
  assert.equal(await thought.isVisible(), false);
  assert.match(await answer.root.locator('summary').innerText(), /^Thought for /);
  await answer.root.locator('summary').click();
  assert.equal(await thought.innerText(), 'First I look at the question. Then I answer it.');
  await chat.screenshot('thinking-light');
  await chat.close();
});

test('system prompt and parameters go with the request, and a bad parameter is named', async () => {
  const chat = await open();
  await chat.page.locator('#open-settings').click();
  await chat.page.locator('#system-group summary').click();
  await chat.page.locator('#system').fill('Be brief.');
  await chat.page.locator('#parameters-group summary').click();
  await chat.page.locator('#temperature').fill('0.5');
  await chat.page.locator('#seed').fill('42');
  await chat.page.locator('#num_predict').fill('20');
  await chat.screenshot('settings-light');
  await chat.ask('Hello');
  const { messages, options } = mock.chats.at(-1);
  assert.deepEqual(messages[0], { role: 'system', content: 'Be brief.' });
  assert.deepEqual(options, { temperature: 0.5, seed: 42, num_predict: 20 });
  await chat.page.locator('#temperature').fill('warm');
  const [answer] = await chat.ask('Hello again');
  assert.equal(await answer.root.locator('.error').innerText(), "temperature: 'warm' is not a number from 0 to 10");
  await chat.close();
});

test('errors before and in the stream are shown, with what had come', async () => {
  const chat = await open();
  const expected = [
    ['error first', 'server busy, please try again.  maximum pending requests exceeded (HTTP 503)', ''],
    ['error mid', 'model runner has unexpectedly stopped', 'It begins well'],
    ['not json', 'The server sent a line that is not JSON: <html>', 'It begins well'],
    ['cut off', 'The connection broke off before the answer was complete', 'It begins well'],
  ];
  for (const [question, error, text] of expected) {
    const [answer] = await chat.ask(question);
    assert.equal(answer.state, 'failed');
    assert.equal(await answer.root.locator('.error').textContent(), error);
    assert.equal(answer.text, text);
  }
  assert.match((await chat.ask('cut at limit'))[0].stats, /cut at its limit/);
  await chat.screenshot('errors-light');
  await chat.close(REFUSED, /net::ERR_/);
});

test('no server, and an address that is none, are told apart', async () => {
  const chat = await ChatPage.open(browser, site.url, { endpoint: 'http://127.0.0.1:9' });
  await chat.page.locator('#connection[data-state=failed]').waitFor();
  const error = chat.page.locator('#connect-error');
  assert.match(await error.innerText(), /^No answer from http:\/\/127\.0\.0\.1:9\. Is the server running, and does it allow pages from http/);
  await chat.page.locator('#endpoint').fill('ftp://here');
  await chat.page.locator('#apply').click();
  await error.getByText("Endpoint: 'ftp://here' is not an address").waitFor();
  await chat.page.locator('#endpoint').fill(mock.url);
  chat.allowed.push(new URL(mock.url).origin);
  await chat.page.locator('#apply').click();
  await chat.connected();
  await chat.close(/net::ERR_/);
});

test('SVG is drawn in a sandboxed frame beside its source', async () => {
  const chat = await open();
  for (const question of ['an svg block', 'a bare svg']) {
    const [answer] = await chat.ask(question);
    const frame = answer.root.locator('.drawing iframe');
    await frame.waitFor();
    assert.equal(await answer.root.locator('.drawing').count(), 1);
    assert.equal(await frame.getAttribute('sandbox'), '');
    assert.match(await frame.getAttribute('srcdoc'), /Content-Security-Policy" content="default-src 'none'/);
    assert.match(await answer.root.locator('.drawing pre').innerText(), /^<svg viewBox[\s\S]*<\/svg>$/);
    const image = frame.contentFrame().locator('img');
    assert.deepEqual(await image.evaluate(async (img) => [await img.decode(), img.naturalWidth, img.naturalHeight].slice(1)), [300, 225]);
    assert.ok(await drawn(chat, frame), 'the frame shows the colours of the drawing, its style element and attribute included');
  }
  assert.match((await chat.lastAnswers())[0].text, /In code, <svg>…<\/svg> stays text\./);
  await chat.screenshot('svg-light');
  const [broken] = await chat.ask('a broken svg');
  await broken.root.getByText('Not drawn: the browser cannot read it as SVG').waitFor();
  const [bomb] = await chat.ask('a bomb');
  await bomb.root.getByText('Not drawn: it comes to more than 20000 elements').waitFor();
  await chat.close();
});

/** Whether a screenshot of a frame has pixels of the wheels (from a style element) and of the bicycle (a style attribute). */
async function drawn(chat, frame) {
  await frame.scrollIntoViewIfNeeded();
  const picture = (await frame.screenshot()).toString('base64');
  return chat.page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data: pixels } = context.getImageData(0, 0, image.width, image.height);
    const count = (red, green, blue) => {
      let found = 0;
      for (let at = 0; at < pixels.length; at += 4) {
        if (Math.abs(pixels[at] - red) + Math.abs(pixels[at + 1] - green) + Math.abs(pixels[at + 2] - blue) < 12) found += 1;
      }
      return found;
    };
    return count(0x14, 0x62, 0x6b) > 200 && count(0xf5, 0xa8, 0x3d) > 200;
  }, picture);
}

test('hostile Markdown and SVG are inert', async () => {
  const chat = await open();
  await chat.page.locator('#think').check();
  const [markdown] = await chat.ask('be hostile');
  const [svg] = await chat.ask('a hostile svg');
  await svg.root.locator('.drawing iframe').nth(1).waitFor();
  const marks = () => chat.page.evaluate(() => window.pwned);
  for (const summary of await chat.page.locator('.thinking:visible summary').all()) await summary.click();
  // what is there is pressed, as a user might
  for (const link of await chat.page.locator('.content a:not([href^=http])').all()) await link.click();
  for (const frame of await svg.root.locator('.drawing iframe').all()) await frame.click();
  await chat.page.waitForTimeout(500);
  assert.equal(await marks(), undefined, 'no script of an answer ran');
  assert.deepEqual(collected, [], 'nothing was fetched from elsewhere');
  assert.equal(new URL(chat.page.url()).origin, new URL(site.url).origin, 'the page was not led away');
  const found = await chat.page.evaluate(() => {
    const all = [...document.querySelectorAll('.content *, .thought *')];
    return {
      tags: [...new Set(all.map(({ localName }) => localName))].sort(),
      handlers: all.flatMap((node) => [...node.attributes]).filter(({ name }) => /^on|^style$/.test(name) && name !== 'style').length,
      links: all.filter((node) => node.hasAttribute('href')).map((node) => new URL(node.href).protocol),
      frames: all.filter(({ localName }) => localName === 'iframe').map((node) => node.getAttribute('sandbox')),
    };
  });
  for (const tag of ['script', 'style', 'link', 'meta', 'base', 'form', 'input', 'video', 'svg', 'math', 'object', 'embed', 'img']) {
    assert.ok(!found.tags.includes(tag), `${tag} in the page`);
  }
  assert.equal(found.handlers, 0);
  assert.ok(found.links.every((protocol) => protocol === 'http:'), found.links.join());
  assert.deepEqual(found.frames, ['', '']);
  // it is shown as text, not lost
  for (const part of ['<script>window.pwned = 1</script>', '<img src=x onerror="window.pwned = 2">', 'Last words, kept.']) {
    assert.ok(markdown.text.includes(part), part);
  }
  assert.ok(await chat.page.locator('#prompt').isVisible());
  await chat.screenshot('hostile-light');
  await chat.close();
});

test('Markdown nested beyond measure is shown as text', async () => {
  const chat = await open();
  const [answer] = await chat.ask('deep');
  assert.equal(answer.state, 'done');
  assert.match(answer.text, /deep$/);
  await chat.close();
});

test('a key is asked for, sent, and remembered only when told to', async () => {
  const locked = await startMock({ key: 'secret-key' });
  try {
    const chat = await ChatPage.open(browser, site.url, { endpoint: locked.url });
    await chat.page.locator('#connect-error').getByText('unauthorized (HTTP 401)').waitFor();
    assert.equal(await chat.page.locator('#connection').innerText(), 'An API key is needed');
    await chat.page.locator('#key').fill('secret-key');
    await chat.page.keyboard.press('Enter');
    await chat.connected();
    assert.equal((await chat.ask('Hello'))[0].state, 'done');
    assert.ok(locked.requests.some(({ method }) => method === 'OPTIONS'), 'there was a preflight');
    const stored = () => chat.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    assert.ok(!(await stored()).includes('secret-key'));
    assert.ok(!(await stored()).includes('Hello'), 'nor is the conversation kept');
    await chat.page.locator('#remember').check();
    assert.ok((await stored()).includes('secret-key'));
    await chat.page.reload();
    await chat.connected();
    await chat.page.locator('#open-settings').click();
    await chat.page.locator('#remember').uncheck();
    assert.ok(!(await stored()).includes('secret-key'));
    await chat.close(REFUSED);
  } finally {
    await locked.close();
  }
});

test('an origin that the server does not allow is explained', async () => {
  const elsewhere = await startStatic('elsewhere.localhost');
  try {
    const chat = await ChatPage.open(browser, elsewhere.url, { endpoint: mock.url });
    await chat.page.locator('#connect-error').getByText(`does it allow pages from ${elsewhere.url}`).waitFor();
    await chat.close(/CORS policy/, /net::ERR_FAILED/);
  } finally {
    await elsewhere.close();
  }
});

test('light and dark follow the system and the switch; labels and keys reach everything', async () => {
  const chat = await open({}, { colorScheme: 'dark' });
  const dark = () => chat.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await dark(), 'rgb(19, 23, 24)');
  await chat.ask('markdown please');
  await chat.page.locator('#think').check();
  await chat.ask('think and tell');
  await chat.ask('svg block');
  await chat.page.locator('.drawing iframe').waitFor();
  await chat.screenshot('dark');
  await chat.page.locator('#theme').click();
  assert.equal(await dark(), 'rgb(246, 247, 247)');
  await chat.page.reload();
  await chat.connected();
  assert.equal(await dark(), 'rgb(246, 247, 247)', 'the choice lasts');
  await chat.page.locator('#open-settings').click();
  for (const group of ['#system-group', '#parameters-group']) await chat.page.locator(`${group} summary`).click();
  const unnamed = await chat.page.evaluate(() =>
    [...document.querySelectorAll('input, select, textarea, button')]
      .filter((node) => node.labels?.length === 0 && !node.ariaLabel && node.textContent.trim() === '')
      .map((node) => node.outerHTML),
  );
  assert.deepEqual(unnamed, [], 'controls without a name');
  await chat.page.locator('#endpoint').focus();
  const reached = new Set();
  for (let step = 0; step < 40; step += 1) {
    await chat.page.keyboard.press('Tab');
    reached.add(await chat.page.evaluate(() => document.activeElement.id));
  }
  for (const id of ['key', 'remember', 'apply', 'system', 'temperature', 'model-0', 'compare', 'prompt', 'think', 'send', 'theme']) {
    assert.ok(reached.has(id), `${id} is not reached by the Tab key`);
  }
  await chat.close();
});

test('a phone has room for everything', async () => {
  const chat = await open({}, { viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true });
  const fits = async (what) => assert.ok(await chat.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), what);
  await chat.screenshot('phone-welcome');
  await chat.ask('markdown please');
  await chat.screenshot('phone-markdown');
  await chat.ask('svg block');
  await chat.page.locator('.drawing iframe').waitFor();
  await fits('a drawing');
  await chat.screenshot('phone-svg');
  await chat.page.locator('#compare').click();
  await chat.ask('Compare this');
  await fits('a comparison');
  await chat.screenshot('phone-compare');
  await chat.page.locator('#open-settings').click();
  await fits('the settings');
  await chat.screenshot('phone-settings');
  await chat.close();
});
