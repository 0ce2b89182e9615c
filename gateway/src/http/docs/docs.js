// Browses and tries the API. Everything that comes from outside becomes text, never markup.
'use strict';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const asker = { csrf: '', key: '', company: '' };
let description;

const id = (name) => document.getElementById(name);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// A description: what stands between backticks is code.
function prose(text) {
  return (text || '').split('`').map((part, at) => (at % 2 ? make('code', {}, part) : part));
}

function resolve(schema, seen = []) {
  if (!schema) return {};
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop();
    if (seen.includes(name)) return {};
    return resolve(description.components.schemas[name], [...seen, name]);
  }
  if (schema.allOf) {
    const parts = schema.allOf.map((part) => resolve(part, seen));
    return {
      ...schema, type: 'object', example: schema.example,
      properties: Object.assign({}, ...parts.map((part) => part.properties)),
      required: parts.flatMap((part) => part.required || []),
    };
  }
  const choices = schema.oneOf || schema.anyOf;
  if (choices) return resolve(choices.find((choice) => choice.type !== 'null'), seen);
  return schema;
}

function typeOf(schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const types = [].concat(schema.type || []).filter((type) => type !== 'null');
  if (types[0] === 'array') return `${typeOf(schema.items)}[]`;
  if (schema.enum) return schema.enum.join(' | ');
  if (types.length) return types.join(' | ');
  const choices = schema.oneOf || schema.anyOf || schema.allOf || [];
  return choices.filter((choice) => choice.type !== 'null').map(typeOf).join(' | ');
}

function example(schema, depth = 0) {
  if (schema && schema.example !== undefined) return schema.example;
  const whole = resolve(schema);
  if (whole.example !== undefined) return whole.example;
  const type = [].concat(whole.type || [])[0];
  if (whole.enum) return whole.enum[0];
  if (whole.default !== undefined) return whole.default;
  if (type === 'array') return depth > 3 ? [] : [example(whole.items, depth + 1)];
  if (type === 'integer' || type === 'number') return 0;
  if (type === 'boolean') return false;
  if (type === 'string') return '';
  const made = {};
  if (depth < 4) {
    for (const [name, property] of Object.entries(whole.properties || {})) {
      if ((whole.required || []).includes(name)) made[name] = example(property, depth + 1);
    }
  }
  return made;
}

function fields(schema) {
  const whole = resolve(schema);
  const rows = Object.entries(whole.properties || {}).map(([name, property]) =>
    make('tr', {},
      make('td', {}, make('code', {}, name), (whole.required || []).includes(name) ? ' *' : ''),
      make('td', {}, typeOf(property)),
      make('td', {}, ...prose(property.description || resolve(property).description))));
  return rows.length ? make('table', {}, ...rows) : null;
}

function parametersOf(operation) {
  const table = make('table');
  for (const parameter of operation.parameters || []) {
    const input = make('input', { name: parameter.name, 'data-in': parameter.in, 'aria-label': parameter.name });
    if (parameter.name === 'company') input.placeholder = 'as chosen above';
    table.append(make('tr', {},
      make('td', {}, make('code', {}, parameter.name), parameter.required ? ' *' : ''),
      make('td', {}, input),
      make('td', {}, ...prose(parameter.description))));
  }
  return table.children.length ? table : null;
}

function bodyOf(operation) {
  const content = operation.requestBody && operation.requestBody.content;
  if (!content) return null;
  const [kind, media] = Object.entries(content)[0];
  const holder = make('div', { 'data-kind': kind }, make('h4', {}, 'Body'));
  if (kind === 'application/json') {
    const text = make('textarea', { name: 'body', spellcheck: 'false', 'aria-label': 'Body' });
    text.value = JSON.stringify(media.example || example(media.schema), null, 2);
    holder.append(text, fields(media.schema) || '');
  } else {
    for (const [name, property] of Object.entries(resolve(media.schema).properties || {})) {
      const file = property.format === 'binary';
      holder.append(make('p', {}, make('label', {}, `${name} `,
        make('input', { name, 'data-form': '1', type: file ? 'file' : 'text' })), ' ', ...prose(property.description)));
    }
  }
  return holder;
}

function requestOf(form, method, path) {
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll('input[data-in]')) {
    const value = input.value || (input.name === 'company' ? asker.company : '');
    if (input.dataset.in === 'path') path = path.replace(`{${input.name}}`, encodeURIComponent(value));
    else if (value) query.set(input.name, value);
  }
  const headers = { 'accept-language': navigator.language };
  if (asker.key) headers.authorization = `Bearer ${asker.key}`;
  else if (method !== 'get' && asker.csrf) headers['x-csrf-token'] = asker.csrf;
  const options = { method: method.toUpperCase(), headers, credentials: asker.key ? 'omit' : 'same-origin' };
  const text = form.querySelector('textarea[name=body]');
  if (text) {
    headers['content-type'] = 'application/json';
    options.body = text.value;
  }
  const parts = form.querySelectorAll('input[data-form]');
  if (parts.length) {
    options.body = new FormData();
    for (const part of parts) {
      if (part.type === 'file' && part.files[0]) options.body.append(part.name, part.files[0]);
      else if (part.type !== 'file' && part.value) options.body.append(part.name, part.value);
    }
  }
  return [query.size ? `${path}?${query}` : path, options];
}

async function show(response, holder, began) {
  const kind = response.headers.get('content-type') || '';
  const took = Math.round(performance.now() - began);
  const line = make('p', { class: response.ok ? 'good' : 'bad' }, `${response.status} ${response.statusText} · ${took} ms`);
  if (kind.startsWith('audio/')) {
    const sound = make('audio', { controls: '', src: URL.createObjectURL(await response.blob()) });
    holder.replaceChildren(line, sound);
    return;
  }
  const text = await response.text();
  let pretty = text;
  if (kind.includes('json')) pretty = JSON.stringify(JSON.parse(text), null, 2);
  holder.replaceChildren(line, pretty ? make('pre', {}, pretty.slice(0, 200000)) : '');
}

function operationOf(path, method, operation) {
  const answer = make('div', { role: 'status' });
  const responses = Object.entries(operation.responses || {}).map(([status, response]) => {
    const media = Object.values(response.content || {})[0];
    return make('tr', {}, make('td', {}, make('code', {}, status)), make('td', {}, media ? typeOf(media.schema) : ''));
  });
  const form = make('form', {}, parametersOf(operation), bodyOf(operation), make('p', {}, make('button', {}, 'Send')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const [url, options] = requestOf(form, method, path);
    const began = performance.now();
    try {
      await show(await fetch(url, options), answer, began);
    } catch (error) {
      answer.replaceChildren(make('p', { class: 'bad' }, String(error)));
    }
  });
  const details = make('details', { class: 'operation' },
    make('summary', {}, make('span', { class: `method ${method}` }, method.toUpperCase()),
      make('span', { class: 'path' }, path), make('span', { class: 'summary' }, ...prose(operation.summary))));
  details.addEventListener('toggle', () => {
    if (details.children.length > 1) return;
    details.append(make('div', {}, operation.description ? make('p', {}, ...prose(operation.description)) : null,
      form, answer, make('h4', {}, 'Answers'), make('table', {}, ...responses)));
  });
  details.dataset.text = `${method} ${path} ${operation.summary || ''}`.toLowerCase();
  return details;
}

function showAll() {
  id('version').textContent = description.info.version;
  const main = id('operations');
  main.replaceChildren(make('p', {}, ...prose(description.info.description)));
  id('tags').replaceChildren();
  for (const tag of description.tags || []) {
    const section = make('section', { id: tag.name }, make('h2', {}, tag.name), make('p', {}, ...prose(tag.description)));
    for (const [path, item] of Object.entries(description.paths)) {
      for (const method of METHODS) {
        const operation = item[method];
        if (operation && (operation.tags || []).includes(tag.name)) section.append(operationOf(path, method, operation));
      }
    }
    main.append(section);
    id('tags').append(make('a', { href: `#${tag.name}` }, tag.name));
  }
}

function say(text, identity) {
  id('said').textContent = text;
  if (identity) id('identity').querySelector('summary').textContent = identity;
}

async function whoAmI() {
  const response = await fetch('/api/v1/session');
  if (!response.ok) return;
  const session = await response.json();
  asker.csrf = session.csrf;
  say('', `${session.name} (${session.role})`);
}

id('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(event.target)));
  const headers = { 'content-type': 'application/json', 'accept-language': navigator.language };
  const response = await fetch('/api/v1/session', { method: 'POST', headers, body });
  if (response.ok) {
    event.target.reset();
    asker.key = '';
    await whoAmI();
  } else {
    say((await response.json()).message);
  }
});

id('key').addEventListener('submit', (event) => {
  event.preventDefault();
  asker.key = new FormData(event.target).get('key').trim();
  say('', asker.key ? `Key ${asker.key.split('_')[1] || ''}` : 'Not logged in');
});

id('company').addEventListener('submit', (event) => {
  event.preventDefault();
  asker.company = new FormData(event.target).get('company').trim();
  say(asker.company ? `Company ${asker.company}` : '');
});

id('logout').addEventListener('click', async () => {
  if (asker.csrf) await fetch('/api/v1/session', { method: 'DELETE', headers: { 'x-csrf-token': asker.csrf } });
  asker.csrf = '';
  asker.key = '';
  say('', 'Not logged in');
});

id('search').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const operation of document.querySelectorAll('.operation')) {
    operation.hidden = !operation.dataset.text.includes(wanted);
  }
});

fetch('/api/openapi.json').then((response) => response.json()).then((read) => {
  description = read;
  showAll();
  return whoAmI();
}).catch((error) => id('operations').replaceChildren(make('p', { class: 'bad' }, String(error))));
