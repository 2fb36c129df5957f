// The chat page against Pelican itself with the demo model: at / of the server, and from another origin.
// PELICAN_URL is where the server listens; PELICAN_LOCKED_URL, where given, a second one that wants PELICAN_KEY.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { ChatPage, launch } from './browser.mjs';
import { startStatic } from './static.mjs';

const { PELICAN_URL: server, PELICAN_LOCKED_URL: locked, PELICAN_KEY: key } = process.env;
const MODELS = ['demo:latest', 'demo:q6'];
const GREEDY = { models: MODELS, typed: MODELS, temperature: '0', num_predict: '200' };
const REFUSED = /Failed to load resource: the server responded with a status of/;
const DRAWING = 'Draw a red circle.';

let browser;
let site;

before(async () => {
  assert.ok(server, 'PELICAN_URL must say where the server is');
  browser = await launch();
  site = await startStatic('localhost');
});

after(async () => {
  await browser?.close();
  await site?.close();
});

test('the root is the page for a browser and plain text for others, and its policy is strict', async () => {
  const page = await fetch(`${server}/`, { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type'), /^text\/html/);
  const policy = page.headers.get('content-security-policy') ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(part), `${part} in ${policy}`);
  }
  assert.ok(!/unsafe|script-src[^;]*(\*|data:)/.test(policy), policy);
  const plain = await fetch(`${server}/`, { headers: { Accept: '*/*' } });
  assert.match(plain.headers.get('content-type'), /^text\/plain/);
  assert.equal((await fetch(`${server}/ui/../../../module-info.class`)).status, 404);
  assert.equal((await fetch(`${server}/ui/%2e%2e/%2e%2e/cli/version.properties`)).status, 404);
});

for (const [place, settings] of [
  ['at /', {}],
  ['from another origin', { endpoint: server }],
]) {
  test(`send, switch, compare, draw, stop and retry, ${place}`, async () => {
    const chat = await ChatPage.open(browser, settings.endpoint ? site.url : server, { ...GREEDY, ...settings });
    await chat.connected();
    const [first] = await chat.ask('What is 3 plus 4?');
    assert.equal(first.state, 'done', first.text);
    assert.notEqual(first.text.trim(), '');
    assert.match(first.stats, /\d+ tokens?\s+[\d.]+ tokens\/s\s+\S+ s to first token/);

    await chat.page.locator('#model-0').selectOption(MODELS[1]);
    const [second] = await chat.ask('What is 2 plus 2?');
    assert.equal(second.model, MODELS[1]);
    assert.equal(second.state, 'done');
    assert.equal(await chat.page.locator('.turn').count(), 2);

    await chat.page.locator('.turn').last().getByRole('button', { name: 'Retry' }).click();
    await chat.idle();
    assert.equal((await chat.lastAnswers())[0].text, second.text, 'greedy answers are the same again');

    await chat.page.locator('#new-chat').click();
    await chat.page.locator('#model-0').selectOption(MODELS[0]);
    await chat.page.locator('#compare').click();
    const drawings = await chat.ask(DRAWING);
    assert.deepEqual(drawings.map(({ model, state }) => [model, state]), MODELS.map((model) => [model, 'done']));
    for (const { root, stats } of drawings) {
      await root.locator('.drawing iframe').first().waitFor();
      assert.match(stats, /tokens\/s\s+\S+ s to first token/);
    }
    await chat.screenshot(settings.endpoint ? 'real-compare-foreign' : 'real-compare');

    // An endless answer: the demo is asked for a great length, and stopped as soon as it has begun.
    await chat.page.locator('#compare').click();
    await chat.page.locator('#open-settings').click();
    await chat.page.locator('#parameters-group summary').click();
    await chat.page.locator('#num_predict').fill('');
    await chat.page.locator('#temperature').fill('2');
    await chat.page.locator('#close-settings').click();
    await chat.send('Tell me a long story.');
    await chat.page.locator('.turn').last().locator('.answer[data-state=answering], .answer[data-state=done]').waitFor();
    await chat.page.keyboard.press('Escape');
    await chat.idle();
    assert.match((await chat.lastAnswers())[0].state, /^(stopped|done)$/);
    await chat.close();
  });
}

/** The status and headers of the answer to the question that a browser asks before it sends JSON to another origin. */
const preflight = (origin) =>
  new Promise((resolve, reject) => {
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type' };
    const request = http.request(`${server}/api/chat`, { method: 'OPTIONS', headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, headers: response.headers });
    });
    request.on('error', reject);
    request.end();
  });

test('pages of this machine may ask, others may not', async () => {
  const own = await preflight(site.url);
  assert.equal(own.status, 204);
  assert.equal(own.headers['access-control-allow-origin'], site.url);
  assert.match(own.headers['access-control-allow-methods'], /POST/);
  assert.match(own.headers['access-control-allow-headers'].toLowerCase(), /authorization.*content-type/);
  const elsewhere = await startStatic('elsewhere.localhost');
  try {
    const foreign = await preflight(elsewhere.url);
    assert.equal(foreign.status, 403);
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
    const chat = await ChatPage.open(browser, elsewhere.url, { endpoint: server });
    await chat.page.locator('#connect-error').getByText(`does it allow pages from ${elsewhere.url}`).waitFor();
    await chat.close(/CORS policy/, /net::ERR_FAILED/, REFUSED);
  } finally {
    await elsewhere.close();
  }
});

test('a key is asked for across origins', { skip: locked ? false : 'PELICAN_LOCKED_URL is not set' }, async () => {
  const chat = await ChatPage.open(browser, site.url, { ...GREEDY, endpoint: locked });
  await chat.page.locator('#connection[data-state=failed]').waitFor();
  await chat.page.locator('#connect-error').getByText('HTTP 401').waitFor();
  await chat.page.locator('#key').fill(key);
  await chat.page.keyboard.press('Enter');
  await chat.connected();
  assert.equal((await chat.ask('What is 3 plus 4?'))[0].state, 'done');
  await chat.close(/Failed to load resource: the server responded with a status of 401/);
});
