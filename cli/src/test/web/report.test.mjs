// Reports in Chromium, opened as files: PELICAN_REPORTS is a folder with whole.html, of demo:q6 and demo:q4 with three
// prompts, hostile.html, whose answers do their worst, and partial.html, cut short while weights were compared.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launch } from './browser.mjs';
import { openReport } from './report.mjs';

const url = (name) => pathToFileURL(`${process.env.PELICAN_REPORTS}/${name}.html`).href;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

const dataOf = (page) => page.evaluate(() => JSON.parse(document.getElementById('data').textContent));

const rowsOf = (table) => table.locator('tbody tr').evaluateAll((rows) =>
  rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

test('every part is there, drawn from the data', async () => {
  const report = await openReport(browser, url('whole'));
  const { page } = report;
  const data = await dataOf(page);
  assert.equal(data.complete, true);
  assert.equal(await page.locator('h1').innerText(), 'demo:q4 against demo:q6');
  assert.match(await page.locator('#notes').innerText(), /the same model in different storage/);
  assert.equal(await page.locator('#missing').isVisible(), false);
  assert.deepEqual(await page.locator('#contents a').allInnerTexts(), ['Storage', 'Weights', 'Precision', 'Probabilities', 'Answers', 'Speed']);

  const drawnBytes = data.models.flatMap(({ types }) => types).length;
  assert.equal(await page.locator('#storage .chart g[aria-label="bar"] rect').count(), drawnBytes);
  assert.equal(await page.locator('#weights .chart g[aria-label="cell"] rect').count(), data.weights[0].tensors.length);
  assert.equal(await page.locator('#quality .chart g[aria-label="rect"] rect').count(), data.quality[0].statistics.histogram.length);
  assert.equal(await page.locator('#speed .chart g[aria-label="dot"] circle').count(), 4 * 2 * 3);
  const worst = await rowsOf(page.locator('#weights .wide').first());
  assert.deepEqual(worst.map(([tensor]) => tensor), data.weights[0].worst.map(({ tensor }) => tensor));
  assert.match(await page.locator('#storage .stored').first().innerText(), /general\.file_type \(storage\)/);
  await report.close();
});

test('tokens tell what the models expected, to the pointer and to the keyboard', async () => {
  const report = await openReport(browser, url('whole'));
  const { page } = report;
  const { texts } = await dataOf(page);
  assert.equal(await page.locator('.token').count(), texts.flatMap(({ marks }) => marks).length);
  const panel = page.locator('#token-panel');
  await page.locator('.token').nth(2).hover();
  await panel.waitFor();
  const shown = await panel.innerText();
  const mark = texts[0].marks[2];
  for (const text of ['demo:q6', 'demo:q4', `${(100 * mark.probability[1]).toFixed(2)} %`]) assert.ok(shown.includes(text), `${text} in ${shown}`);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  await page.locator('.token').first().focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.token), '1');
  await panel.waitFor();
  await report.close();
});

test('answers stand side by side with the place where they part, drawings in sandboxes', async () => {
  const report = await openReport(browser, url('whole'));
  const { page } = report;
  const { behaviours } = await dataOf(page);
  assert.equal(await page.locator('.asked').count(), 3);
  const story = page.locator('.asked').nth(1);
  const parted = behaviours[1].answers.some(({ same }) => !same);
  assert.equal(await story.locator('mark').count(), parted ? 2 : 0);
  const drawing = page.locator('.asked').nth(2);
  assert.match(await drawing.locator('.given-head').first().innerText(), /well-formed/);
  assert.ok(!/cut at the limit/.test(await drawing.innerText()), 'the pelican is drawn to its end');
  const frames = drawing.locator('iframe');
  await frames.nth(1).waitFor();
  for (const frame of await frames.all()) assert.equal(await frame.getAttribute('sandbox'), '');
  const drawn = await (await frames.first().elementHandle()).contentFrame();
  assert.ok(await drawn.locator('img').evaluate((image) => image.complete && image.naturalWidth > 0));
  await page.locator('#answers-filter').selectOption('drawn');
  assert.equal(await page.locator('.asked:visible').count(), 1);
  await report.close();
});

test('the precision viewer shows the numbers of its blocks, and the simplest scheme follows its slider', async () => {
  const report = await openReport(browser, url('whole'));
  const { page } = report;
  const { samples } = await dataOf(page);
  const sample = samples[0];
  const shown = await rowsOf(page.locator('#precision .block-view .wide').first());
  assert.equal(shown.length, 32);
  shown.forEach(([index, , first, , second, error], i) => {
    const [a, b] = sample.stored.map(({ weights }) => weights[i]);
    assert.equal(Number(index), sample.first + i);
    for (const [text, value] of [[first, a], [second, b]]) assert.ok(Math.abs(Number(text) - value) <= 1e-6 * Math.abs(value), `${text}: ${value}`);
    assert.ok(Math.abs(Number(error) - (b - a)) <= 0.006 * Math.abs(b - a) + 1e-12, `${error}: ${b - a}`);
  });
  const tensor = page.locator('#precision select').first();
  await tensor.selectOption({ index: 3 });
  await page.locator(`#precision .block-view [aria-label^="Block 0 of ${samples.map(({ tensor: name }) => name).filter((name, i, all) => all.indexOf(name) === i)[3]}"]`).waitFor();

  const toy = page.locator('.toy');
  const bits = toy.locator('input[type=range]');
  for (const [number, most] of [['2', 1], ['8', 127]]) {
    await bits.fill(number);
    const rows = await rowsOf(toy.locator('.wide'));
    const weights = rows.map(([weight]) => Number(weight));
    assert.equal(weights[0], 0.156347);
    const scale = Math.max(...weights.map(Math.abs)) / most;
    rows.forEach(([, , integer, restored], i) => {
      assert.equal(Number(integer), Math.sign(weights[i]) * Math.round(Math.abs(weights[i]) / scale) || 0);
      assert.ok(Math.abs(Number(restored) - integer * scale) < 1e-5);
    });
  }
  await toy.locator('textarea').fill('1, 2, nothing');
  assert.match(await toy.locator('[role=alert]').innerText(), /weights: 'nothing', expected a number/);
  await report.close();
});

for (const [name, context] of [
  ['dark', { colorScheme: 'dark' }],
  ['on a phone', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
]) {
  test(`it fits, ${name}`, async () => {
    const report = await openReport(browser, url('whole'), context);
    const { page } = report;
    const [wide, there] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= there, `${wide} pixels on ${there}`);
    const [background, letters] = await page.locator('body').evaluate((body) => [getComputedStyle(body).backgroundColor, getComputedStyle(body).color]);
    const light = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 380;
    assert.equal(light(background), name !== 'dark');
    assert.equal(light(letters), name === 'dark');
    await report.close();
  });
}

test('on paper nothing stays folded', async () => {
  const report = await openReport(browser, url('whole'));
  const { page } = report;
  const pdf = await page.pdf();
  assert.ok(pdf.length > 20_000);
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.locator('details:not([open])').count(), 0);
  await report.close();
});

test('what a model answers stays text', async () => {
  const report = await openReport(browser, url('hostile'));
  const { page } = report;
  const data = await dataOf(page);
  const hostile = data.behaviours[1].answers[0].text;
  assert.match(hostile, /^<\/script>/);
  assert.equal(await page.locator('.asked').nth(1).locator('.given-text').first().evaluate((node) => node.textContent), hostile);
  await page.locator('.token').last().click();
  await page.locator('#token-panel').waitFor();
  const frames = page.locator('.asked').nth(2).locator('iframe');
  await frames.nth(1).waitFor();
  for (const frame of await frames.all()) {
    const inside = await (await frame.elementHandle()).contentFrame();
    await inside.locator('img').click();
  }
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('main img, main script, main foreignObject').count(), 0);
  await report.close();
});

test('a report that was cut short says what is missing', async () => {
  const report = await openReport(browser, url('partial'));
  const { page } = report;
  const data = await dataOf(page);
  assert.equal(data.complete, false);
  const banner = await page.locator('#missing').innerText();
  for (const text of data.missing) assert.ok(banner.includes(text), text);
  assert.match(await page.locator('#weights').innerText(), /Cut short: the weights' errors: only \d+ of \d+ steps done/);
  for (const id of ['precision', 'quality', 'answers', 'speed']) assert.match(await page.locator(`#${id}`).innerText(), /Not in this report/);
  await report.close();
});
