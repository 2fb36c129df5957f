// A report in Chromium, watched: what it writes to the console, and what it asks for.
import assert from 'node:assert/strict';

/**
 * @param url of the report, or of the precision page
 * @param context options of the browser's context
 * @returns `{page, close}`; `close(...expected)` fails for errors other than the expected, and for requests elsewhere
 */
export async function openReport(browser, url, context = {}) {
  const own = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...context });
  own.setDefaultTimeout(60_000);
  const page = await own.newPage();
  const errors = [];
  const strangers = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  own.on('request', (request) => {
    const asked = new URL(request.url());
    const home = asked.protocol === 'file:' ? asked.href.split('#')[0] === url.split('#')[0] : asked.origin === new URL(url).origin;
    if (!home && asked.protocol !== 'data:' && asked.protocol !== 'about:') strangers.push(request.url());
  });
  own.on('page', (other) => strangers.push(`a new window: ${other.url()}`));
  page.on('dialog', (dialog) => {
    errors.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(url);
  await page.locator('.chart svg').first().waitFor();
  return {
    page,
    async close(...expected) {
      await own.close();
      assert.deepEqual(strangers, [], 'requests elsewhere');
      assert.deepEqual(errors.filter((text) => !expected.some((pattern) => pattern.test(text))), [], 'errors in the console');
    },
  };
}
