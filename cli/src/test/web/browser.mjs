// Chromium, and a page in it that is watched: its errors, and every request that leaves for an address not expected.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';

const TIMEOUT = 60_000;

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
}

/** The chat page as a test sees it. */
export class ChatPage {
  /**
   * Opens the page.
   *
   * @param url where the page is
   * @param settings what it finds in localStorage, as an earlier visit would have left it; `endpoint` is where it asks
   * @param context options of the browser's context
   */
  static async open(browser, url, settings = {}, context = {}) {
    const chat = new ChatPage();
    chat.context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...context });
    chat.context.setDefaultTimeout(TIMEOUT);
    chat.page = await chat.context.newPage();
    chat.errors = [];
    chat.allowed = [new URL(url).origin];
    if (settings.endpoint) chat.allowed.push(new URL(settings.endpoint).origin);
    chat.strangers = [];
    chat.page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') chat.errors.push(message.text());
    });
    chat.page.on('pageerror', (error) => chat.errors.push(String(error.stack)));
    chat.context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'data:' && protocol !== 'about:' && !chat.allowed.includes(origin)) chat.strangers.push(request.url());
    });
    chat.context.on('page', (page) => chat.strangers.push(`a new window: ${page.url()}`));
    await chat.page.addInitScript((stored) => {
      if (window === top && localStorage.getItem('pelican.settings') === null) {
        localStorage.setItem('pelican.settings', JSON.stringify(stored));
      }
    }, settings);
    await chat.page.goto(url);
    return chat;
  }

  async connected() {
    await this.page.locator('#connection[data-state=connected]').waitFor();
    return this;
  }

  /** Sends a question with the Enter key and does not wait. */
  async send(question) {
    await this.page.locator('#prompt').fill(question);
    await this.page.locator('#prompt').press('Enter');
    await this.page.locator('.question-text', { hasText: question }).last().waitFor();
  }

  async idle() {
    await this.page.locator('#send').waitFor();
    await this.page.locator('#stop').waitFor({ state: 'hidden' });
  }

  /** Sends a question, waits for the end, and gives the answers of the turn, each `{state, text, model}`. */
  async ask(question) {
    await this.send(question);
    await this.idle();
    return this.lastAnswers();
  }

  async lastAnswers() {
    const answers = [];
    for (const answer of await this.page.locator('.turn').last().locator('.answer').all()) {
      answers.push({
        state: await answer.getAttribute('data-state'),
        text: await answer.locator('.content').innerText(),
        model: await answer.locator('.answer-head strong').innerText(),
        stats: await answer.locator('.stats').innerText(),
        root: answer,
      });
    }
    return answers;
  }

  /** A screenshot into the folder that PELICAN_SCREENSHOTS names; without it none is taken. */
  async screenshot(name) {
    const folder = process.env.PELICAN_SCREENSHOTS;
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  /** Closes the page and holds it to what every test expects; `expected` are errors that the test provoked. */
  async close(...expected) {
    await this.context.close();
    assert.deepEqual(this.strangers, [], 'requests to other addresses');
    assert.deepEqual(this.errors.filter((text) => !expected.some((pattern) => pattern.test(text))), [], 'errors in the console');
  }
}
