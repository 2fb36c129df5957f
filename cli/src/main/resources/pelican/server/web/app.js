/** The chat page: what happens when something is pressed, sent, answered or refused. */

import { ApiError, chat, checkKey, endpointOf, tags, version } from './api.js';
import { Conversation, State } from './conversation.js';
import { button } from './dom.js';
import { ModelPicker, answering } from './models.js';
import { loadSettings, requestOptions, saveSettings } from './settings.js';
import { TurnView } from './view.js';

const EXAMPLES = [
  'Explain in two sentences what quantization does to a language model.',
  'Draw a pelican riding a bicycle as an SVG.',
  'Write a haiku about memory bandwidth.',
];

const byId = (id) => document.getElementById(id);
const settings = loadSettings();
const transcript = byId('transcript');
const prompt = byId('prompt');
const welcome = byId('welcome');

let connection = { endpoint: '', key: '' };
let models = [];
let conversation = new Conversation();
let views = [];
let running = null;
let connecting = null;

const modelOf = (name) => models.find((model) => model.name === name);
const pickers = [0, 1].map((index) => {
  const picker = new ModelPicker(byId(`picker-${index}`), (name) => {
    settings.models[index] = name;
    if (!modelOf(name) && !settings.typed.includes(name)) settings.typed = [...settings.typed, name].slice(-20);
    saveSettings(settings);
    offerModels();
    prompt.focus();
  });
  picker.choose(settings.models[index]);
  return picker;
});

function announce(text) {
  byId('announcer').textContent = text;
}

// --- connection ---

function showConnection(state, text) {
  byId('connection').dataset.state = state;
  byId('connection-text').textContent = text;
  byId('connection').title = text;
}

/** Connects to the endpoint and key in the fields and lists the models there. */
async function connect() {
  connecting?.abort();
  const attempt = new AbortController();
  connecting = attempt;
  byId('connect-error').textContent = '';
  showConnection('connecting', 'Connecting');
  try {
    connection = { endpoint: endpointOf(settings.endpoint), key: checkKey(settings.key) };
    const [found, number] = await Promise.all([tags(connection, attempt.signal), version(connection, attempt.signal)]);
    models = answering(found);
    const count = models.length === 1 ? '1 model' : `${models.length} models`;
    // The page that shows it asks the server that it came from, and only Pelican has it.
    byId('precision').hidden = connection.endpoint !== endpointOf('');
    showConnection('connected', `${new URL(connection.endpoint).host} · ${number === '' ? '' : `version ${number} · `}${count}`);
  } catch (error) {
    if (attempt.signal.aborted) return;
    models = [];
    const text = describe(error);
    showConnection('failed', error.status === 401 ? 'An API key is needed' : 'Not connected');
    byId('connect-error').textContent = text;
    announce(text);
    openSettings(true);
    if (error.status === 401) byId('key').focus();
  }
  offerModels();
}

function offerModels() {
  const names = models.map(({ name }) => name);
  if (pickers[0].value === '' && names.length > 0) pickers[0].value = names[0];
  if (pickers[1].value === '' && names.length > 0) pickers[1].value = names.find((name) => name !== pickers[0].value) ?? names[0];
  for (const picker of pickers) picker.offer(models, settings.typed);
}

function describe(error) {
  if (error instanceof ApiError) return error.status > 0 ? `${error.message} (HTTP ${error.status})` : error.message;
  return error instanceof RangeError ? error.message : String(error);
}

// --- asking ---

function chosenModels() {
  return (settings.compare ? pickers : pickers.slice(0, 1)).map(({ value }) => value);
}

function ask(question) {
  const names = chosenModels();
  if (names.some((name) => name === '')) {
    announce('Choose a model first');
    pickers[names.indexOf('')].select.focus();
    return false;
  }
  welcome.hidden = true;
  const turn = conversation.ask(question, names);
  const view = new TurnView(turn, modelOf);
  views.push(view);
  transcript.append(view.root);
  growth.observe(view.root);
  run(turn, view, turn.answers.map((_, column) => column));
  scrollDown();
  return true;
}

/** Lets the answers of some columns be written, one after the other unless both at once are asked for. */
async function run(turn, view, columns) {
  running = new AbortController();
  const { signal } = running;
  offerActions();
  announce('Answering');
  const job = (column) => answer(turn, view, column, signal);
  if (settings.atOnce) await Promise.all(columns.map(job));
  else for (const column of columns) await job(column);
  if (running?.signal === signal) running = null;
  offerActions();
  if (!signal.aborted) announce(turn.answers.some(({ state }) => state === State.FAILED) ? 'The answer failed' : 'The answer is complete');
}

async function answer(turn, view, column, signal) {
  const answer = turn.answers[column];
  const answerView = view.answers[column];
  if (signal.aborted) {
    answer.end(State.STOPPED);
    answerView.refresh();
    return;
  }
  try {
    const request = {
      model: answer.model,
      messages: conversation.messages(turn, column, byId('system').value),
      stream: true,
      options: requestOptions(settings),
      ...thinkOf(answer.model),
    };
    answer.send();
    answerView.update();
    for await (const event of chat(connection, request, signal)) {
      answer.take(event);
      answerView.refresh();
    }
    answer.end(State.DONE);
  } catch (error) {
    if (signal.aborted) answer.end(State.STOPPED);
    else answer.end(State.FAILED, describe(error));
  }
  answerView.refresh();
}

/** A model that cannot think refuses `think: true`; one that can thinks unless told not to. */
function thinkOf(name) {
  const capabilities = modelOf(name)?.capabilities;
  if (Array.isArray(capabilities) && !capabilities.includes('thinking')) return {};
  return { think: settings.think };
}

function retry(view, column) {
  const { turn } = view;
  const current = chosenModels();
  turn.kept = null;
  turn.answers[column].restart(turn.answers.length > 1 ? pickers[column].value : current[0]);
  view.answers[column].reset();
  run(turn, view, [column]);
}

function edit(view) {
  const { question } = view.turn;
  view.root.remove();
  views.pop();
  conversation.turns.pop();
  welcome.hidden = views.length > 0;
  prompt.value = question;
  grow();
  offerActions();
  prompt.focus();
}

function offerActions() {
  const busy = running !== null;
  byId('send').hidden = busy;
  byId('stop').hidden = !busy;
  views.forEach((view, index) => {
    view.offer({
      last: index === views.length - 1,
      busy,
      retry: (column) => retry(view, column),
      edit: () => edit(view),
      keep: (column) => {
        view.turn.kept = column;
        offerActions();
      },
    });
  });
}

function stop() {
  if (running === null) return;
  running.abort();
  announce('Stopped');
  prompt.focus();
}

function newChat() {
  running?.abort();
  running = null;
  conversation = new Conversation();
  views = [];
  transcript.replaceChildren(welcome);
  welcome.hidden = false;
  offerActions();
  announce('New chat');
  prompt.focus();
}

// --- the view follows the text, unless the reader has scrolled back ---

let following = true;
let scrolledTo = 0;
transcript.addEventListener('scroll', () => {
  const { scrollTop, scrollHeight, clientHeight } = transcript;
  // growing text leaves the position where it is: only a way back is the reader's doing
  if (scrollTop < scrolledTo - 4) following = false;
  else if (scrollHeight - scrollTop - clientHeight < 48) following = true;
  scrolledTo = scrollTop;
});

function follow() {
  if (following) transcript.scrollTop = transcript.scrollHeight;
}

/** Turns grow with their text, and again when a drawing is ready. */
const growth = new ResizeObserver(follow);

function scrollDown() {
  following = true;
  follow();
}

// --- the prompt ---

function grow() {
  prompt.style.height = 'auto';
  prompt.style.height = `${Math.min(prompt.scrollHeight + 2, innerHeight * 0.4)}px`;
}

function send() {
  const question = prompt.value;
  if (running !== null || question.trim() === '') return;
  if (!ask(question)) return;
  prompt.value = '';
  grow();
}

prompt.addEventListener('input', grow);
prompt.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
byId('stop').addEventListener('click', stop);
byId('new-chat').addEventListener('click', newChat);
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  if (running !== null) stop();
  else if (!byId('settings').hidden) openSettings(false);
});
byId('examples').replaceChildren(
  ...EXAMPLES.map((text) => {
    const item = document.createElement('li');
    item.append(
      button(text, () => {
        prompt.value = text;
        grow();
        prompt.focus();
      }),
    );
    return item;
  }),
);

// --- settings ---

function openSettings(open) {
  byId('settings').hidden = !open;
  byId('open-settings').setAttribute('aria-expanded', String(open));
}

function showCompare() {
  byId('picker-1').hidden = !settings.compare;
  byId('compare').setAttribute('aria-pressed', String(settings.compare));
  document.body.classList.toggle('comparing', settings.compare);
}

byId('open-settings').addEventListener('click', () => {
  const open = byId('settings').hidden;
  openSettings(open);
  if (open) byId('endpoint').focus();
});
byId('close-settings').addEventListener('click', () => {
  openSettings(false);
  byId('open-settings').focus();
});
byId('compare').addEventListener('click', () => {
  settings.compare = !settings.compare;
  saveSettings(settings);
  showCompare();
});
byId('theme').addEventListener('click', () => {
  const dark = settings.theme === '' ? matchMedia('(prefers-color-scheme: dark)').matches : settings.theme === 'dark';
  settings.theme = dark ? 'light' : 'dark';
  document.documentElement.dataset.theme = settings.theme;
  saveSettings(settings);
});
byId('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  settings.endpoint = byId('endpoint').value.trim();
  settings.key = byId('key').value.trim();
  settings.remember = byId('remember').checked;
  saveSettings(settings);
  connect();
});
byId('remember').addEventListener('change', () => {
  settings.remember = byId('remember').checked;
  saveSettings(settings);
});

/** Ties a field of the settings to its element. */
function tie(id, name, property, event = 'change') {
  byId(id)[property] = settings[name];
  byId(id).addEventListener(event, () => {
    settings[name] = byId(id)[property];
    saveSettings(settings);
  });
}

byId('endpoint').value = settings.endpoint;
byId('key').value = settings.key;
byId('remember').checked = settings.remember;
for (const name of ['temperature', 'seed', 'num_predict']) tie(name, name, 'value', 'input');
tie('at-once', 'atOnce', 'checked');
tie('think', 'think', 'checked');

showCompare();
offerActions();
connect();
prompt.focus();
