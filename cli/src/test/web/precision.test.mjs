// The precision page of a server with the demo model: PELICAN_URL, and PELICAN_LOCKED_URL, which wants PELICAN_KEY.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { openReport } from './report.mjs';

const { PELICAN_URL: server, PELICAN_LOCKED_URL: locked, PELICAN_KEY: key } = process.env;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

const shownBlock = (page) => page.locator('.block-view .wide').first().locator('tbody tr').evaluateAll((rows) =>
  rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

test('every block of two quantizations, with the numbers of the file', async () => {
  const view = await openReport(browser, `${server}/precision`);
  const { page } = view;
  await page.locator('.block-view svg').first().waitFor();
  const models = ['demo:q6', 'demo:latest'];
  await page.locator('#model-1').selectOption(models[1]);
  await page.locator('#model-0').selectOption(models[0]);
  await page.locator('.viewer select').first().selectOption({ label: 'blk.0.attn_q.weight · Q6_K, Q4_K' });
  const number = page.locator('.viewer input[inputmode=numeric]');
  await number.fill('77');
  await number.press('Enter');
  await page.locator('[aria-label="Block 77 of blk.0.attn_q.weight"]').waitFor();
  const answer = await fetch(`${server}/api/precision/block`, {
    method: 'POST',
    body: JSON.stringify({ models, tensor: 'blk.0.attn_q.weight', block: 77 }),
  });
  const { stored, first } = await answer.json();
  const rows = await shownBlock(page);
  rows.forEach(([index, how, a, , b], i) => {
    assert.equal(Number(index), first + i);
    assert.equal(how.split(' · ')[1], String(stored[0].groups[Math.floor(i / 16)].integers[i % 16]));
    for (const [text, value] of [[a, stored[0].weights[i]], [b, stored[1].weights[i]]]) {
      assert.ok(Math.abs(Number(text) - value) <= 1e-6 * Math.abs(value), `${text}: ${value}`);
    }
  });
  await page.getByRole('button', { name: 'Next' }).click();
  await page.locator('[aria-label="Block 78 of blk.0.attn_q.weight"]').waitFor();
  await number.fill('999999999');
  await number.press('Enter');
  assert.match(await page.locator('.viewer [role=alert]').innerText(), /block: '999999999', expected 0 to \d+/);
  await view.close();
});

test('it begins with a tensor whose storage differs, and equal ones show no error', async () => {
  const view = await openReport(browser, `${server}/precision`);
  const { page } = view;
  await page.locator('.block-view svg').first().waitFor();
  const tensor = page.locator('.viewer select').first();
  assert.match(await tensor.locator('option:checked').innerText(), / · \w+, \w+/);
  await tensor.selectOption({ label: 'rope_freqs.weight · F32' });
  await page.locator('[aria-label="Block 0 of rope_freqs.weight"]').waitFor();
  const errors = page.locator('.block-view .chart').nth(1);
  await errors.locator('svg').waitFor();
  const bars = await errors.locator('g[aria-label="rule"] line').evaluateAll((lines) => lines.map((line) => line.getBoundingClientRect().height));
  assert.ok(bars.length >= 32);
  assert.deepEqual(bars.filter((height) => height > 0), []);
  const outside = await page.locator('.block-view svg').evaluateAll((charts) => charts.flatMap((chart) =>
    [...chart.querySelectorAll('text')].filter((text) => text.getBoundingClientRect().left < chart.getBoundingClientRect().left).map((text) => text.textContent)));
  assert.deepEqual(outside, []);
  await view.close();
});

test('it fits a phone', async () => {
  const view = await openReport(browser, `${server}/precision`, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  await view.page.locator('.block-view svg').first().waitFor();
  const [wide, there] = await view.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= there, `${wide} pixels on ${there}`);
  await view.close();
});

test('a key is asked for where the server wants one', async () => {
  const view = await openReport(browser, `${locked}/precision`);
  const { page } = view;
  await page.locator('#key-form').waitFor();
  await page.locator('#key').fill(key);
  await page.locator('#key').press('Enter');
  await page.locator('.block-view svg').first().waitFor();
  assert.equal(await page.locator('#key-form').isVisible(), false);
  await view.close(/401/);
});
