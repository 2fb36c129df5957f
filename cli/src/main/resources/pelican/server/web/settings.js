/** What the page keeps between visits: never a word of a conversation, and the key only when asked to. */

const STORE = 'pelican.settings';

const DEFAULTS = {
  endpoint: '',
  theme: '',
  models: ['', ''],
  typed: [],
  compare: false,
  atOnce: false,
  think: false,
  remember: false,
  key: '',
  temperature: '',
  seed: '',
  num_predict: '',
};

/** The stored settings; a value of another type than the default's is taken for damaged and left out. */
export function loadSettings() {
  const settings = structuredClone(DEFAULTS);
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(STORE)) ?? {};
  } catch {
    return settings;
  }
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const found = stored[name];
    if (Array.isArray(value)) {
      if (Array.isArray(found) && found.every((item) => typeof item === 'string')) settings[name] = found;
    } else if (typeof found === typeof value) {
      settings[name] = found;
    }
  }
  settings.models = [settings.models[0] ?? '', settings.models[1] ?? ''];
  return settings;
}

export function saveSettings(settings) {
  const stored = { ...settings, key: settings.remember ? settings.key : '' };
  try {
    localStorage.setItem(STORE, JSON.stringify(stored));
  } catch {
    // storage is off or full: the settings last as long as the page
  }
}

/**
 * The `options` of a request, from the parameter fields.
 *
 * @throws RangeError naming the field, the value and what was expected
 */
export function requestOptions(settings) {
  const options = {};
  const number = (name, low, high, whole) => {
    const text = settings[name].trim();
    if (text === '') return;
    const value = Number(text);
    if (!Number.isFinite(value) || value < low || value > high || (whole && !Number.isInteger(value))) {
      throw new RangeError(`${name}: '${text}' is not ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}`);
    }
    options[name] = value;
  };
  number('temperature', 0, 10, false);
  number('seed', -(2 ** 31), 2 ** 31 - 1, true);
  number('num_predict', -1, 2 ** 31 - 1, true);
  return options;
}
