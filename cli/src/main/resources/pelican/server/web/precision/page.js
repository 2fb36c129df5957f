/** The precision page: models of the server that it came from, and their blocks. */

import { ask, checkKey, endpointOf, tags } from '../api.js';
import { element } from '../dom.js';
import { loadSettings } from '../settings.js';
import { toyScheme } from './toy.js';
import { blockViewer } from './viewer.js';

const byId = (id) => document.getElementById(id);
const pickers = [byId('model-0'), byId('model-1'), byId('model-2')];
const connection = { endpoint: endpointOf(''), key: loadSettings().key };
let asked = 0;

function say(error) {
  byId('say').textContent = error?.message ?? '';
  if (error?.status === 401) byId('key-form').hidden = false;
}

async function connect() {
  say();
  try {
    const models = (await tags(connection)).map(({ name, details }) => ({ name, quantization: details?.quantization_level ?? '' }));
    if (models.length === 0) throw new Error('This server has no models yet.');
    byId('key-form').hidden = true;
    offer(models);
    await open();
  } catch (error) {
    say(error);
  }
}

function offer(models) {
  pickers.forEach((picker, i) => {
    const none = i === 0 ? [] : [element('option', { value: '' }, 'none')];
    picker.replaceChildren(...none, ...models.map(({ name, quantization }) =>
      element('option', { value: name }, quantization ? `${name} · ${quantization}` : name)));
  });
  // Two quantizations of one model are what the page is for: most bits first.
  const bits = ({ quantization }) => Number(/\d+/.exec(quantization)?.[0] ?? 0);
  const family = (model) => model.name.split(':')[0];
  const first = models.find((model) => models.some((other) => other !== model && family(other) === family(model))) ?? models[0];
  const own = models.filter((model) => family(model) === family(first)).sort((a, b) => bits(b) - bits(a));
  pickers.forEach((picker, i) => {
    picker.value = own[i]?.name ?? (i === 0 ? models[0].name : '');
  });
}

async function open() {
  asked += 1;
  const mine = asked;
  say();
  const models = pickers.map(({ value }) => value).filter((name, i, all) => name !== '' && all.indexOf(name) === i);
  byId('blocks').replaceChildren();
  try {
    const { tensors } = await ask(connection, 'api/precision/tensors', { models });
    if (mine !== asked) return;
    if (tensors.length === 0) throw new Error('These models have no tensor of the same shape: they are not the same model.');
    byId('blocks').replaceChildren(blockViewer({
      tensors,
      load: (tensor, block) => ask(connection, 'api/precision/block', { models, tensor, block }),
    }));
  } catch (error) {
    if (mine === asked) say(error);
  }
}

for (const picker of pickers) picker.addEventListener('change', open);
byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  try {
    connection.key = checkKey(byId('key').value);
    connect();
  } catch (error) {
    say(error);
  }
});
byId('toy').append(toyScheme());
connect();
