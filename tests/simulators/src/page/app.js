// The page itself: whom one plays, what stands on their telephone, and what can go wrong.
'use strict';

const $ = (id) => document.getElementById(id);
const WHATSAPP = ['cloud', 'dialog360', 'gupshup', 'zenvia', 'twilio'];
const COLOURS = { cloud: '#1778f2', dialog360: '#12a594', gupshup: '#7c5cff', zenvia: '#e5484d', twilio: '#f5622d', erp: '#6b7280' };
const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🙏'];
const SAMPLES = { picture: '100000000000001', voice: '100000000000002', document: '100000000000003' };

let state = null;
let chat = null;
let drawn = '';
let atEnd = true;
let provider = 'cloud';
let customer = 'marina';
let tab = localStorage.getItem('ramal-sim-tab') || 'now';
let quoting = null;
let editing = null;
let recorder = null;
let skew = 0;
let wire = [];
let wireOnlyThis = true;
let templates = [];
const readsAlone = () => localStorage.getItem('ramal-sim-reads') !== 'no';

// ---- asking the simulator

async function ask(method, path, body) {
  const response = await fetch('/_sim' + path, { method, headers: body === undefined ? {} : { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  if (!response.ok) throw new Error(answer?.error || response.statusText);
  return answer;
}

/** Does something and says what went wrong, if it did. */
async function attempt(what) {
  try { return await what(); } catch (error) { toast(error.message); return null; }
}

const acts = (act) => attempt(() => ask('POST', `/chats/${provider}/${customer}`, act));
const writes = (content, more) => acts({ act: 'write', content, reply_to: quoting, ...more });

async function keeps(blob, name) {
  const response = await fetch('/_sim/files?name=' + encodeURIComponent(name), { method: 'POST', headers: { 'content-type': blob.type || 'application/octet-stream' }, body: blob });
  if (!response.ok) throw new Error((await response.json()).error);
  return (await response.json()).file;
}

// ---- what is shown

const now = () => Date.now() + skew;
const carrier = () => state.providers.find((one) => one.provider === provider);
const person = () => state.customers.find((one) => one.id === customer);
const initials = (name) => name.split(/\s+/).filter((part) => /^\p{L}/u.test(part)).map((part) => part[0]).slice(0, 2).join('').toUpperCase() || '?';
const hue = (text) => [...text].reduce((sum, letter) => (sum * 37 + letter.charCodeAt(0)) % 360, 11);
const avatar = (one) => el('span.avatar', { style: `--hue:${hue(one.id)}`, 'aria-hidden': 'true' }, initials(one.name));

function spell(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  if (minutes >= 1440) return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  return minutes ? `${minutes} min` : `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

const clockOf = (ms) => new Date(ms).toLocaleTimeString(LANGUAGE, { hour: '2-digit', minute: '2-digit' });
const momentOf = (ms) => new Date(ms).toLocaleString(LANGUAGE, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' });

function dayOf(ms) {
  const days = Math.round((new Date(now()).setHours(0, 0, 0, 0) - new Date(ms).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return w('today');
  if (days === 1) return w('yesterday');
  return new Date(ms).toLocaleDateString(LANGUAGE, { day: 'numeric', month: 'long', year: 'numeric' });
}

function drawCarriers() {
  $('carriers').replaceChildren(...state.providers.map((one) => {
    const unread = state.chats.filter((entry) => entry.provider === one.provider).reduce((sum, entry) => sum + entry.unread, 0);
    const faults = state.faults.filter((fault) => !fault.provider || fault.provider === one.provider).length;
    return el('button.carrier', { type: 'button', role: 'tab', 'aria-selected': String(one.provider === provider), style: `--tint:${COLOURS[one.provider]}`, title: one.webhook ? one.webhook.url : w('no_webhook'), onclick: () => choose(one.provider, customer) },
      el('i.dot' + (one.webhook ? '' : '.none')), one.name,
      faults ? el('b.flag', { title: w('tab_faults') }, '⚡') : null,
      unread ? el('b.badge', { title: w('unread') }, unread) : null);
  }));
}

function drawCustomers() {
  const entries = state.customers.map((one) => ({ one, entry: state.chats.find((chat) => chat.provider === provider && chat.customer === one.id) }));
  entries.sort((a, b) => (b.entry?.last?.at_ms || 0) - (a.entry?.last?.at_ms || 0));
  $('customers').replaceChildren(...entries.map(({ one, entry }) => {
    const away = one.hides_phone && !['cloud', 'dialog360', 'erp'].includes(provider);
    const last = entry?.last;
    return el('li', {}, el('button.customer', { type: 'button', 'aria-current': one.id === customer ? 'true' : null, disabled: away, title: away ? w('no_phone') : one.shown, onclick: () => choose(provider, one.id) },
      avatar(one),
      el('span.who', {}, el('b', {}, one.name), el('small', {}, last ? preview(last) : one.hides_phone ? '@' + one.username : one.shown)),
      el('span.when', {}, last ? el('time', {}, clockOf(last.at_ms)) : null,
        entry?.unread ? el('b.badge', {}, entry.unread) : WHATSAPP.includes(provider) && entry ? el('i.ring' + (entry.is_open ? '.open' : ''), { title: `${w('window')}: ${w(entry.is_open ? 'window_open' : 'window_closed')}` }) : null)));
  }));
}

function drawPhone() {
  const one = carrier();
  $('peer-name').textContent = state.company;
  const typing = chat && chat.chat.typing_until_ms > now();
  $('peer-line').textContent = typing ? w('typing') : one.number;
  $('peer-line').classList.toggle('typing', Boolean(typing));
  $('carrier-chip').textContent = one.name;
  $('carrier-chip').style.setProperty('--tint', COLOURS[provider]);
  const unheard = !one.webhook;
  $('unheard').hidden = !unheard;
  if (unheard) $('unheard').replaceChildren(el('span', {}, w('no_webhook_more')), el('button', { type: 'button', onclick: setWebhook }, w('set_webhook')));
  const offline = person()?.offline;
  $('signs').replaceChildren(offline ? '✈' : el('i.bars'), el('i.battery'));
}

function drawTalk() {
  const shown = JSON.stringify([provider, customer, chat.messages, LANGUAGE]);
  if (shown === drawn) return;
  const talk = $('talk');
  const isOther = !drawn.startsWith(JSON.stringify([provider, customer]).slice(0, -1));
  atEnd = isOther || talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
  drawn = shown;
  const byId = new Map(chat.messages.map((message) => [message.id, message]));
  const lines = [];
  let day = '';
  for (const message of chat.messages) {
    const of = dayOf(message.at_ms);
    if (of !== day) lines.push(el('div.between.day', {}, el('span', {}, of)));
    day = of;
    lines.push(bubble(message, byId.get(message.reply_to), hand));
  }
  if (!lines.length) lines.push(el('p.nothing', {}, w('nothing_yet')));
  talk.replaceChildren(...lines);
  toEnd();
}

/** Stays at the end while pictures come, unless the person scrolled up. */
function toEnd() {
  if (atEnd) $('talk').scrollTop = $('talk').scrollHeight;
}

/** What can be done with a message. */
const hand = {
  get company() { return state.company; },
  plays: (message) => { if (message.author !== 'customer' && ['delivered', 'read'].includes(message.progress)) acts({ act: 'play', message: message.id }); },
  presses: (message, option) => acts({ act: 'press', message: message.id, option }),
  copies: async (text) => { await navigator.clipboard?.writeText(text).catch(() => {}); toast(w('copied')); },
  shows: (message) => { const row = $('m' + message.id); row?.scrollIntoView({ behavior: 'smooth', block: 'center' }); row?.classList.add('lit'); setTimeout(() => row?.classList.remove('lit'), 1200); },
  opens(message) {
    const content = message.content;
    openSheet(content.open || w('choose'), content.options.map((option) => el('button.option', { type: 'button', onclick: () => { closeSheet(); hand.presses(message, option.id); } },
      el('b', {}, option.title), option.description ? el('small', {}, option.description) : null)));
  },
  grants(message) {
    if (message.content.what === 'location') return acts({ act: 'write', content: somewhere(), reply_to: message.id });
    const one = person();
    return acts({ act: 'write', content: { kind: 'contacts', cards: [{ name: one.name, phones: ['+' + one.phone] }] }, reply_to: message.id });
  },
  menus(message, anchor) {
    const mine = message.author === 'customer';
    const items = [el('div.emoji', {}, EMOJI.map((emoji) => el('button', { type: 'button', 'aria-label': emoji, 'aria-pressed': String(message.reactions.customer === emoji), onclick: () => { closeMenu(); acts({ act: 'react', message: message.id, emoji: message.reactions.customer === emoji ? null : emoji }); } }, emoji)))];
    const item = (text, act) => items.push(el('button', { type: 'button', role: 'menuitem', onclick: () => { closeMenu(); act(); } }, text));
    item(w('reply'), () => quote(message.id));
    if (mine && message.content.kind === 'text') item(w('edit'), () => edit(message));
    if (mine) item(w('revoke'), () => acts({ act: 'revoke', message: message.id }));
    openMenu(anchor, items);
  },
};

const somewhere = () => ({ kind: 'location', latitude: -23.55052, longitude: -46.633308, name: w('location_name'), address: w('location_address') });

// ---- writing

function quote(id) {
  quoting = id;
  editing = null;
  drawQuote();
  $('words').focus();
}

function edit(message) {
  editing = message.id;
  quoting = null;
  $('words').value = message.content.text;
  drawQuote();
  fit();
  $('words').focus();
}

function drawQuote() {
  const id = editing || quoting;
  const message = chat?.messages.find((one) => one.id === id);
  $('quoting').hidden = !message;
  if (!message) return;
  const head = editing ? w('edit') : message.author === 'customer' ? w('you') : state.company;
  $('quoting').replaceChildren(el('div', {}, el('b', {}, head), el('span', {}, preview(message))), el('button', { type: 'button', 'aria-label': w('cancel'), onclick: unquote }, '✕'));
}

function unquote() {
  if (editing) $('words').value = '';
  quoting = editing = null;
  drawQuote();
  fit();
}

async function submit(event) {
  event?.preventDefault();
  const text = $('words').value.trim();
  if (!text) return;
  const done = editing ? await acts({ act: 'edit', message: editing, text }) : await writes({ kind: 'text', text });
  if (!done) return;
  $('words').value = '';
  quoting = editing = null;
  drawQuote();
  fit();
  $('words').focus();
}

/** The field grows with what is in it, and the button says what it does. */
function fit() {
  const field = $('words');
  field.style.height = 'auto';
  field.style.height = Math.min(field.scrollHeight, 120) + 'px';
  const has = field.value.trim() !== '';
  $('send').hidden = !has;
  $('speak').hidden = has;
}

async function speak() {
  if (recorder) {
    const blob = await recorder.stop();
    recorder = null;
    $('speak').classList.remove('on');
    $('words').placeholder = w('message');
    await attempt(async () => writes({ kind: 'file', shape: 'audio', file: await keeps(blob, 'voz.ogg'), voice: true }));
    return;
  }
  try {
    recorder = await record();
    $('speak').classList.add('on');
    $('words').placeholder = w('recording');
  } catch { toast(w('no_microphone')); }
}

const shapeOf = (mime) => (mime === 'image/webp' ? 'sticker' : /^(image|video|audio)\//.test(mime) ? mime.split('/')[0] : 'document');

async function picked(event) {
  const [file] = event.target.files;
  event.target.value = '';
  if (!file) return;
  const caption = $('words').value.trim() || null;
  await attempt(async () => {
    const id = await keeps(file, file.name);
    await writes({ kind: 'file', shape: shapeOf(file.type), file: id, name: file.name, caption: /^(image|video)\//.test(file.type) ? caption : null });
    if (caption) { $('words').value = ''; fit(); }
  });
}

/** A sticker, drawn here: the telephone of a customer has some. */
async function sticker() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 256, height: 256 });
  const pen = canvas.getContext('2d');
  pen.font = '200px serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(['🥳', '😺', '📦', '🙌'][Math.floor(Math.random() * 4)], 128, 140);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/webp', 0.9));
  await attempt(async () => writes({ kind: 'file', shape: 'sticker', file: await keeps(blob, 'figurinha.webp') }));
}

function attach(event) {
  const items = [];
  const item = (sign, text, act) => items.push(el('button', { type: 'button', role: 'menuitem', onclick: () => { closeMenu(); act(); } }, icon(sign), text));
  const caption = () => $('words').value.trim() || null;
  item('picture', w('a_photo'), () => { writes({ kind: 'file', shape: 'image', file: SAMPLES.picture, caption: caption() }); $('words').value = ''; fit(); });
  item('microphone', w('a_voice'), () => writes({ kind: 'file', shape: 'audio', file: SAMPLES.voice, voice: true }));
  item('file', w('a_document'), () => writes({ kind: 'file', shape: 'document', file: SAMPLES.document, name: 'boleto.pdf' }));
  item('clip', w('a_file'), () => $('pick').click());
  item('pin', w('a_location'), () => writes(somewhere()));
  item('person', w('a_contact'), () => writes({ kind: 'contacts', cards: [{ name: w('contact_name'), phones: ['+55 11 91234-5678'] }] }));
  if (provider === 'erp') {
    item('ticket', w('a_ticket'), () => acts({ act: 'new_ticket' }));
  } else {
    item('sticker', w('a_sticker'), sticker);
    item('forward', w('a_forward'), () => writes({ kind: 'text', text: caption() || w('forward_text') }, { forwarded: true }).then(() => { $('words').value = ''; fit(); }));
    item('ad', w('a_ad'), () => writes({ kind: 'text', text: w('ad_text') }, { from_ad: true }));
    item('poll', w('a_poll'), () => writes({ kind: 'unsupported', what: 'poll' }));
    item('shop', w('a_echo'), async () => { const text = await asks(w('echo_ask'), w('echo_text')); if (text) acts({ act: 'write_from_phone', text }); });
  }
  openMenu(event.currentTarget, items);
}

// ---- things that open

function openMenu(anchor, items) {
  const menu = $('menu');
  if (!menu.hidden && menu.anchor === anchor) return closeMenu();
  menu.anchor = anchor;
  menu.replaceChildren(...items);
  menu.hidden = false;
  anchor.setAttribute('aria-expanded', 'true');
  const phone = menu.parentElement.getBoundingClientRect();
  const at = anchor.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  menu.style.left = Math.max(12, Math.min(at.left - phone.left, menu.parentElement.clientWidth - box.width - 12)) + 'px';
  const above = at.top - phone.top - box.height - 8;
  menu.style.top = (above > 60 ? above : Math.min(at.bottom - phone.top + 8, phone.height - box.height - 12)) + 'px';
  menu.querySelector('button')?.focus({ preventScroll: true });
}

function closeMenu() {
  const menu = $('menu');
  menu.anchor?.setAttribute('aria-expanded', 'false');
  menu.anchor = null;
  menu.hidden = true;
}

function openSheet(title, children) {
  $('sheet').replaceChildren(el('div.card-sheet', {}, el('header', {}, el('b', {}, title), el('button', { type: 'button', 'aria-label': w('cancel'), onclick: closeSheet }, '✕')), ...children));
  $('sheet').hidden = false;
}

function closeSheet() { $('sheet').hidden = true; }

function toast(text) {
  $('toast').textContent = text;
  $('toast').hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $('toast').hidden = true; }, 3500);
}

/** A form in a window of its own. Gives the values, or nothing. */
function form(title, fields) {
  const dialog = $('dialog');
  const inputs = fields.map((field) => el('input', { type: field.type || 'text', name: field.name, value: field.value || '', checked: field.checked, required: field.required, pattern: field.pattern, inputMode: field.mode || '', placeholder: field.hint || '' }));
  return new Promise((done) => {
    const close = (values) => { dialog.close(); done(values); };
    dialog.replaceChildren(el('form', { method: 'dialog', onsubmit: (event) => { event.preventDefault(); close(Object.fromEntries(inputs.map((input) => [input.name, input.type === 'checkbox' ? input.checked : input.value.trim()]))); } },
      el('h2', {}, title),
      ...fields.map((field, at) => el('label' + (field.type === 'checkbox' ? '.check' : ''), {}, field.type === 'checkbox' ? [inputs[at], el('span', {}, field.label)] : [el('span', {}, field.label), inputs[at]])),
      el('footer', {}, el('button.quiet', { type: 'button', onclick: () => close(null) }, w('cancel')), el('button.go', { type: 'submit' }, w('save')))));
    dialog.oncancel = () => done(null);
    dialog.showModal();
    inputs[0]?.select();
  });
}

async function asks(label, value, more) {
  const values = await form(label, [{ name: 'value', label, value, required: true, ...more }]);
  return values?.value;
}

async function addCustomer() {
  const values = await form(w('a_customer'), [
    { name: 'name', label: w('name'), required: true },
    { name: 'phone', label: w('number'), required: true, pattern: '[0-9]{8,15}', mode: 'numeric', hint: '5511912340000' },
    { name: 'without_nine', label: w('without_nine'), type: 'checkbox' },
    { name: 'username', label: w('username') },
  ]);
  if (!values) return;
  const wa_id = values.without_nine && /^55\d\d9\d{8}$/.test(values.phone) ? values.phone.slice(0, 4) + values.phone.slice(5) : '';
  const id = (values.name.normalize('NFD').replace(/[^a-z0-9]/gi, '').toLowerCase() || 'cliente') + values.phone.slice(-4);
  const made = await attempt(() => ask('POST', '/customers', { id, name: values.name, phone: values.phone, wa_id, username: values.username || null, hides_phone: Boolean(values.username) }));
  if (made) choose(provider, id);
}

async function setWebhook() {
  const one = carrier();
  const url = await asks(w('webhook_ask'), one.webhook?.url || state.target + '/webhooks/');
  if (!url) return;
  const answer = await attempt(() => ask('PUT', '/accounts/' + provider, { webhook: { url, headers: one.webhook?.headers || {} } }));
  if (answer?.handshake && answer.handshake !== 'ok') toast(answer.handshake);
}

// ---- the controls beside the telephone

function drawPanel() {
  // Whoever is choosing from a list goes on choosing.
  const chosen = document.activeElement;
  if (chosen?.tagName === 'SELECT' && $('panel').contains(chosen)) return;
  for (const button of $('tabs').children) button.setAttribute('aria-selected', String(button.dataset.tab === tab));
  const draw = { now: drawNow, faults: drawFaults, wire: drawWire, templates: drawTemplates }[tab];
  const open = new Set([...$('panel').querySelectorAll('details[open]')].map((one) => one.dataset.id));
  const scroll = $('panel').scrollTop;
  $('panel').replaceChildren(...draw());
  $('panel').querySelectorAll('details').forEach((one) => { if (open.has(one.dataset.id)) one.open = true; });
  $('panel').scrollTop = scroll;
}

const box = (title, ...children) => el('section.box', {}, el('h3', {}, title), ...children);
const fact = (label, ...value) => el('div.fact', {}, el('span', {}, label), el('b', {}, ...value));
const flip = (label, more, on, act) => el('label.flip', {}, el('span', {}, el('b', {}, label), more ? el('small', {}, more) : null), el('input', { type: 'checkbox', role: 'switch', checked: on, onchange: (event) => act(event.target.checked) }));

function drawNow() {
  const one = person();
  if (!one) return [];
  const account = carrier();
  const change = (more) => attempt(() => ask('POST', '/customers', { ...bare(one), ...more }));
  const advance = (minutes) => attempt(() => ask('POST', '/clock', { advance_ms: minutes * 60000 }));
  const step = (word, minutes) => el('button', { type: 'button', onclick: () => advance(minutes) }, w(word));
  return [
    provider === 'erp' ? erpBox() : windowBox(),
    box(w('clock'),
      el('p.big', {}, momentOf(now()), state.moved_ms ? el('small', {}, `${w('moved')} ${spell(state.moved_ms)}`) : null),
      el('p.hint', {}, w('clock_explains')),
      el('div.steps', {}, step('minute', 1), step('hour', 60), step('almost', 1430), step('day', 1440))),
    box(w('handset') + ' · ' + one.name,
      fact(w('wa_id'), shown(one.wa_id)), fact(w('user_id'), el('code', {}, one.user_id)),
      flip(w('reads_alone'), w('reads_alone_more'), readsAlone(), (on) => { localStorage.setItem('ramal-sim-reads', on ? 'yes' : 'no'); look(); }),
      flip(w('offline'), w('offline_more'), one.offline, (on) => attempt(() => ask('PUT', `/customers/${one.id}/offline`, { offline: on }))),
      flip(w('hides_reading'), w('hides_reading_more'), one.hides_reading, (on) => change({ hides_reading: on })),
      flip(w('no_whatsapp'), w('no_whatsapp_more'), one.no_whatsapp, (on) => change({ no_whatsapp: on })),
      flip(w('hides_phone'), w('hides_phone_more'), one.hides_phone, (on) => change({ hides_phone: on, username: on ? one.username || one.id : one.username })),
      el('button.quiet', { type: 'button', onclick: async () => { const phone = await asks(w('new_number'), one.phone, { pattern: '[0-9]{8,15}', mode: 'numeric' }); if (phone) acts({ act: 'change_number', phone }); } }, w('change_number'))),
    box(w('account') + ' · ' + account.name,
      fact(w('number'), account.number),
      el('div.fact', {}, el('span', {}, w('base')), el('button.link', { type: 'button', title: w('copy_base'), onclick: () => hand.copies(`${location.origin}/${account.prefix}`) }, `${location.origin}/${account.prefix}`)),
      el('div.fact', {}, el('span', {}, w('webhook')), el('button.link', { type: 'button', onclick: setWebhook }, account.webhook?.url || w('set_webhook'))),
      provider === 'erp' ? fact(w('signature'), w(account.is_signed ? 'signed' : 'unsigned')) : null,
      ...account.retried.map((one) => el('div.retry', {}, el('span', {}, `⟳ ${one.label}`), el('small', {}, `${one.attempts} ${w('attempts')}${one.due_ms ? ` · ${w('next_try')} ${spell(one.due_ms - now())}` : ''}`))),
      account.retried.length ? el('button', { type: 'button', onclick: () => attempt(() => ask('POST', '/hurry')) }, w('hurry')) : null),
  ];
}

/** A customer without what the simulator adds. */
function bare(one) {
  const { shown: _, ...rest } = one;
  return rest;
}

function shown(digits) {
  const found = /^55(\d\d)(\d{4,5})(\d{4})$/.exec(digits);
  return found ? `+55 ${found[1]} ${found[2]}-${found[3]}` : '+' + digits;
}

function windowBox() {
  const until = chat?.chat.open_until_ms;
  const left = until ? until - now() : 0;
  const open = left > 0;
  const share = open ? left / 86400000 : 0;
  const free = chat?.chat.free_until_ms;
  return box(w('window'),
    el('div.window' + (open ? '.open' : ''), {},
      el('div.dial', { style: `--share:${share}` }, el('b', {}, open ? spell(left) : '—')),
      el('div', {}, el('b', {}, w(open ? 'window_open' : 'window_closed')),
        el('p.hint', {}, open ? `${w('window_explains_open')} ${spell(left)}.` : until ? w('window_explains_closed') : `${w('window_never')}. ${w('window_explains_closed')}`),
        free > now() ? el('p.hint', {}, `${w('free_until')} ${momentOf(free)}.`) : null)));
}

function erpBox() {
  const entry = chat?.chat || {};
  return box(w('ticket'), fact(w('ticket'), entry.ticket || '—'), fact(w('protocol'), entry.protocol || '—'), fact(w('state'), entry.status || '—'), el('p.hint', {}, w('no_window')));
}

const FAULTS = [
  ['group_webhooks', ['drop', {}], ['lose_answer', {}], ['delay', { ms: 10000 }], ['duplicate', {}], ['reorder', {}], ['wrong_signature', {}]],
  ['group_answers', ['too_many', { retry_after_s: 5 }], ['server_error', {}], ['never_answer', {}], ['slow_answer', { ms: 3000 }]],
];
const CODES = [131047, 131026, 131056, 131049, 131053, 131042, 190];
let faultTimes = 1;
let faultChance = 1000;

function drawFaults() {
  const on = state.faults.filter((fault) => !fault.provider || fault.provider === provider);
  const add = (fault, more) => attempt(() => ask('POST', '/faults', { provider, fault, ...more, times: faultTimes || null, permille: faultChance }));
  const name = (fault) => w('f_' + fault.fault) + (fault.code ? ` · ${fault.code}` : '');
  const option = (value, text, chosen) => el('option', { value: String(value), selected: value === chosen }, text);
  return [
    el('p.hint', {}, w('faults_explain')),
    box(w('active'), on.length ? el('ul.active', {}, on.map((fault) => el('li', {}, el('b', {}, '⚡ ' + name(fault)), el('small', {}, `${fault.times ? `${fault.times}×` : w('always')}${fault.permille < 1000 ? ` · ${fault.permille / 10} ${w('chance')}` : ''}`)))) : el('p.hint', {}, w('none_active')),
      on.length ? el('button', { type: 'button', onclick: () => attempt(() => ask('DELETE', '/faults?provider=' + provider)) }, w('clear')) : null),
    el('div.dials', {},
      el('select', { 'aria-label': w('times'), onchange: (event) => { faultTimes = Number(event.target.value); event.target.blur(); } }, [1, 2, 5, 20].map((count) => option(count, `${count}×`, faultTimes)), option(0, w('always'), faultTimes)),
      el('select', { 'aria-label': w('chance'), onchange: (event) => { faultChance = Number(event.target.value); event.target.blur(); } }, [1000, 500, 200, 50].map((share) => option(share, `${share / 10} ${w('chance')}`, faultChance)))),
    ...FAULTS.filter(([group]) => provider !== 'erp' || group === 'group_webhooks').map(([group, ...faults]) => box(w(group), el('div.faults', {}, faults.map(([fault, more]) => el('button', { type: 'button', onclick: () => add(fault, more) }, el('b', {}, w('f_' + fault)), el('small', {}, w(`f_${fault}_more`))))))),
    provider === 'erp' ? null : box(w('group_outcome'), el('div.codes', {}, CODES.map((code) => el('div', {}, el('span', {}, el('code', {}, String(code)), ' ', w('code_' + code)), el('span', {}, el('button', { type: 'button', onclick: () => add('fail', { code }) }, w('f_fail')), el('button', { type: 'button', onclick: () => add('refuse', { code }) }, w('f_refuse'))))))),
  ].filter(Boolean);
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON */ }
  if (/^[\w.%+-]+=/.test(text) && !text.includes('\n')) return [...new URLSearchParams(text)].map(([name, value]) => `${name} = ${value}`).join('\n');
  return text;
}

function drawWire() {
  const all = wire.filter((one) => !wireOnlyThis || one.provider === provider).slice(-120).reverse();
  return [
    el('p.hint', {}, w('wire_explains')),
    el('div.dials', {}, el('label.check', {}, el('input', { type: 'checkbox', checked: wireOnlyThis, onchange: (event) => { wireOnlyThis = event.target.checked; drawPanel(); } }), w('only_this')), el('button.quiet', { type: 'button', onclick: () => { wire = wire.slice(-1).map((one) => ({ ...one, provider: null })); drawPanel(); } }, w('clear_wire'))),
    all.length ? el('div.wire', {}, all.map((one) => el('details', { 'data-id': String(one.id) },
      el('summary', {}, el('i.way.' + one.direction, { title: w('wire_' + one.direction), style: `--tint:${COLOURS[one.provider]}` }, one.direction === 'in' ? '→' : '←'), el('b', {}, one.label || one.method), one.note ? el('em', {}, one.note) : null, el('span.came' + (one.status >= 200 && one.status < 300 ? '.good' : '.bad'), {}, one.status || '—'), el('time', {}, new Date(one.at_ms).toLocaleTimeString(LANGUAGE))),
      el('p.url', {}, `${one.method} ${one.url}`),
      one.body ? [el('h4', {}, w('question')), el('pre', {}, pretty(one.body))] : null,
      el('h4', {}, w('answer')), el('pre', {}, one.status ? pretty(one.answer) || '∅' : `${w('no_answer')}: ${one.answer}`)))) : el('p.nothing', {}, w('wire_none')),
  ];
}

function drawTemplates() {
  const all = templates.filter((one) => one.provider === provider);
  const states = ['APPROVED', 'PENDING', 'REJECTED', 'PAUSED', 'DISABLED'];
  return [
    el('p.hint', {}, w('templates_explain')),
    ...(all.length ? all.map((one) => el('article.template', {},
      el('header', {}, el('code', {}, one.name), el('small', {}, `${one.language} · ${one.category}`),
        el('select.' + one.state, { 'aria-label': w('state'), onchange: (event) => (event.target.blur(), attempt(() => ask('POST', '/templates', { provider, id: one.id, state: event.target.value, reason: event.target.value === 'REJECTED' ? 'INVALID_FORMAT' : null }))).then(loadTemplates) }, states.map((state) => el('option', { value: state, selected: state === one.state }, w(state))))),
      one.header ? el('b', {}, one.header.text || '▣ ' + one.header.file) : null,
      el('p', {}, ...one.body.split(/(\{\{.+?\}\})/).map((part) => (part.startsWith('{{') ? el('mark', {}, part) : part))),
      one.footer ? el('small', {}, one.footer) : null,
      one.buttons.length ? el('div.chips', {}, one.buttons.map((button) => el('span', {}, button.text || button.example))) : null)) : [el('p.nothing', {}, w('no_templates'))]),
  ];
}

// ---- what comes

async function loadState() {
  state = await ask('GET', '/state');
  skew = state.now_ms - Date.now();
  if (!person()) customer = state.customers[0]?.id;
  drawCarriers();
  drawCustomers();
  drawPhone();
}

async function loadChat() {
  const [of, who] = [provider, customer];
  const found = await ask('GET', `/chats/${of}/${who}`);
  if (of !== provider || who !== customer) return;
  chat = found;
  drawTalk();
  drawPhone();
  drawQuote();
  look();
}

async function loadWire() {
  const last = wire.length ? wire[wire.length - 1].id : 0;
  const more = await ask('GET', '/wire?after=' + last);
  const fresh = more.filter((one) => one.id > (wire.length ? wire[wire.length - 1].id : 0));
  wire = [...wire, ...fresh].slice(-500);
}

async function loadTemplates() {
  templates = await ask('GET', '/templates');
  if (tab === 'templates') drawPanel();
}

/** Looks at what came, as a person with the conversation open does. */
function look() {
  if (!readsAlone() || document.visibilityState !== 'visible' || !chat) return;
  if (matchMedia('(max-width: 760px)').matches && document.body.dataset.view !== 'stage') return;
  if (chat.messages.some((message) => message.author !== 'customer' && message.progress === 'delivered')) acts({ act: 'read' });
}

async function refresh(topics) {
  const all = topics.some((one) => one.topic === 'everything');
  const chats = topics.filter((one) => one.topic === 'chat');
  if (all || topics.some((one) => one.topic === 'wire')) await loadWire();
  if (all || chats.length || topics.some((one) => one.topic === 'state')) await loadState();
  if (all || chats.some((one) => one.provider === provider && one.customer === customer)) await loadChat();
  if (tab === 'templates') await loadTemplates();
  else drawPanel();
}

/** Changes that come while one is shown are shown together. */
let waiting = [];
let busy = false;
async function changed(topics) {
  waiting.push(...topics);
  if (busy) return;
  busy = true;
  while (waiting.length) {
    const now = waiting;
    waiting = [];
    try { await refresh(now); } catch { /* the stream says when it is gone */ }
  }
  busy = false;
}

function listen() {
  const events = new EventSource('/_sim/events');
  const live = (is) => { $('live').className = 'live' + (is ? ' on' : ''); $('live').textContent = w(is ? 'live' : 'lost'); };
  events.onopen = () => { live(true); wire = []; drawn = ''; changed([{ topic: 'everything' }]); };
  events.onmessage = (event) => changed(JSON.parse(event.data));
  events.onerror = () => live(false);
}

function choose(of, who) {
  provider = of;
  customer = who;
  if (person()?.hides_phone && !['cloud', 'dialog360', 'erp'].includes(provider)) customer = state.customers.find((one) => !one.hides_phone)?.id || customer;
  history.replaceState(null, '', `#${provider}/${customer}`);
  quoting = editing = null;
  chat = null;
  closeMenu();
  closeSheet();
  document.body.style.setProperty('--carrier', COLOURS[provider]);
  drawCarriers();
  drawCustomers();
  attempt(loadChat).then(drawPanel);
  view('stage');
}

function view(name) {
  document.body.dataset.view = name;
  for (const button of document.querySelectorAll('.views button')) button.setAttribute('aria-pressed', String(button.dataset.view === name));
}

function begin() {
  for (const node of document.querySelectorAll('[data-word]')) node.textContent = w(node.dataset.word);
  for (const node of document.querySelectorAll('.languages a')) node.setAttribute('aria-current', String(node.lang === LANGUAGE));
  $('words').placeholder = w('message');
  $('attach').append(icon('plus', w('a_file')));
  $('speak').append(icon('microphone', w('record')));
  $('send').append(icon('plane', w('send')));
  const [of, who] = location.hash.slice(1).split('/');
  if (COLOURS[of]) provider = of;
  if (who) customer = decodeURIComponent(who);
  document.body.style.setProperty('--carrier', COLOURS[provider]);
  $('composer').addEventListener('submit', submit);
  $('words').addEventListener('input', fit);
  $('words').addEventListener('keydown', (event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event); if (event.key === 'Escape') unquote(); });
  $('speak').addEventListener('click', speak);
  $('attach').addEventListener('click', attach);
  $('pick').addEventListener('change', picked);
  $('talk').addEventListener('load', toEnd, true);
  $('talk').addEventListener('wheel', () => { atEnd = false; }, { passive: true });
  $('talk').addEventListener('touchmove', () => { atEnd = false; }, { passive: true });
  $('add-customer').addEventListener('click', addCustomer);
  $('back').addEventListener('click', () => view('people'));
  $('sheet').addEventListener('click', (event) => { if (event.target === $('sheet')) closeSheet(); });
  for (const button of document.querySelectorAll('.views button')) button.addEventListener('click', () => view(button.dataset.view));
  for (const button of $('tabs').children) button.addEventListener('click', () => { tab = button.dataset.tab; localStorage.setItem('ramal-sim-tab', tab); if (tab === 'templates') loadTemplates(); drawPanel(); });
  document.addEventListener('pointerdown', (event) => { if (!$('menu').hidden && !$('menu').contains(event.target) && !$('menu').anchor?.contains(event.target)) closeMenu(); });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') { closeMenu(); closeSheet(); } });
  document.addEventListener('visibilitychange', look);
  view(location.hash ? 'stage' : 'people');
  setInterval(() => { $('phone-clock').textContent = clockOf(now()); if (state && tab === 'now') drawPanel(); if (state && chat) drawPhone(); }, 5000);
  $('phone-clock').textContent = clockOf(now());
  listen();
}

begin();
