/** Ollama's native API, as far as the page speaks it. */

/** A refusal by the server, or no server. `status` is 0 where there was no HTTP answer or the stream had begun. */
export class ApiError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/**
 * The base address of a typed endpoint, without a slash at its end; empty text means the page's own server.
 *
 * @throws ApiError if it is no http or https address
 */
export function endpointOf(text) {
  const typed = text.trim();
  if (typed === '') return new URL('.', document.baseURI).href.replace(/\/+$/, '');
  let url;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `http://${typed}`);
  } catch {
    url = null;
  }
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ApiError(`Endpoint: '${typed}' is not an address such as http://localhost:11434`);
  }
  if (url.username || url.password) throw new ApiError('Endpoint: a name or password belongs into the API key field');
  return (url.origin + url.pathname).replace(/\/+$/, '').replace(/\/(api|v1)$/, '');
}

/** @throws ApiError if the key cannot stand in an HTTP header */
export function checkKey(key) {
  if (!/^[\x21-\x7e]*$/.test(key)) throw new ApiError('API key: only printable ASCII characters without spaces can be sent');
  return key;
}

export async function version(connection, signal) {
  return (await json(connection, 'api/version', signal)).version ?? '';
}

export async function tags(connection, signal) {
  const { models } = await json(connection, 'api/tags', signal);
  if (!Array.isArray(models)) throw new ApiError(`${connection.endpoint} does not list models as Ollama does`);
  return models;
}

/** The JSON answer to a value that is posted. */
export async function ask(connection, path, value, signal) {
  return json(connection, path, signal, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  });
}

async function json(connection, path, signal, init = {}) {
  const response = await call(connection, path, { ...init, signal });
  try {
    return await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(`${connection.endpoint}/${path} did not answer with JSON: is it a server for models?`);
  }
}

/**
 * The events of a chat answer, in order; the last has `done: true`.
 *
 * @throws ApiError for a refusal, an error line in mid-stream, or a stream that breaks off
 */
export async function* chat(connection, request, signal) {
  const response = await call(connection, 'api/chat', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  let done = false;
  try {
    for await (const line of lines(response.body)) {
      let event;
      try {
        event = JSON.parse(line);
      } catch {
        throw new ApiError(`The server sent a line that is not JSON: ${line.slice(0, 120)}`);
      }
      if (event.error !== undefined) throw new ApiError(messageOf(event.error));
      yield event;
      done ||= event.done === true;
    }
  } catch (error) {
    // what a browser calls "network error" when the connection is cut
    if (error instanceof TypeError) throw new ApiError('The connection broke off before the answer was complete');
    throw error;
  }
  if (!done) throw new ApiError('The stream ended before the answer was complete');
}

async function call({ endpoint, key }, path, init) {
  const headers = { Accept: 'application/json, application/x-ndjson', ...init.headers };
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(`${endpoint}/${path}`, { ...init, headers, credentials: 'omit', cache: 'no-store' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(`No answer from ${endpoint}. Is the server running${foreign(endpoint)}?`);
  }
  if (!response.ok) throw new ApiError(await refusal(response), response.status);
  return response;
}

/** Browsers do not tell a refused origin from a dead server, so the message has to name both. */
function foreign(endpoint) {
  return new URL(endpoint).origin === location.origin
    ? ''
    : `, and does it allow pages from ${location.origin} (OLLAMA_ORIGINS)`;
}

async function refusal(response) {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text);
    if (error !== undefined) return messageOf(error);
  } catch {
    // not JSON: a proxy, or a server of another kind
  }
  return text.trim().slice(0, 300) || response.statusText || 'refused without a reason';
}

function messageOf(error) {
  return typeof error === 'string' ? error : String(error?.message ?? JSON.stringify(error));
}

/** The non-empty lines of a body of UTF-8 text; the reader lets go of the connection when its user stops early. */
async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split('\n');
      rest = parts.pop();
      for (const part of parts) if (part.trim() !== '') yield part;
    }
    if (rest.trim() !== '') yield rest;
  } finally {
    reader.cancel().catch(() => {});
  }
}
