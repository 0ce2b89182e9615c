// Messages as a telephone shows them. Everything that somebody wrote goes in as text, never as markup.
'use strict';

/** An element: `el('p.note', {title}, child, …)`; strings become text. */
function el(spec, properties, ...children) {
  const [tag, ...classes] = spec.split('.');
  const node = document.createElement(tag || 'div');
  if (classes.length) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== 'role') node[key] = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  tick: 'M3 8.5l3 3L13 4.5', ticks: 'M1 8.5l3 3 7-7M7 11.5l7-7', clock: 'M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  failed: 'M8 4.5v4M8 11h.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z', microphone: 'M8 2a2 2 0 0 1 2 2v4a2 2 0 1 1-4 0V4a2 2 0 0 1 2-2zM3.5 8a4.5 4.5 0 0 0 9 0M8 12.5V15',
  plane: 'M2 8l12-6-4 12-2.5-5z', file: 'M4 1.5h5l3 3v10H4zM9 1.5v3h3', pin: 'M8 14.5s5-4.6 5-8.3a5 5 0 0 0-10 0c0 3.7 5 8.3 5 8.3zM8 8a1.8 1.8 0 1 0 0-3.6A1.8 1.8 0 0 0 8 8z',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14.5c.6-3 2.8-4.5 5.5-4.5s4.9 1.5 5.5 4.5', reply: 'M6 4L2 8l4 4M2 8h7c3 0 5 1.5 5 5', link: 'M9 3h4v4M13 3L7 9M6 4H3v9h9v-3',
  list: 'M2 4h12M2 8h12M2 12h12', plus: 'M8 2.5v11M2.5 8h11',
  picture: 'M2 3h12v10H2zM2 11l3.5-3.5L8.5 10.5l2-2L14 12M10.5 6h.01', clip: 'M13 7l-5.5 5.5a3 3 0 0 1-4.2-4.2L9 2.6a2 2 0 0 1 2.8 2.8L6.3 11a1 1 0 0 1-1.4-1.4L10 4.5', sticker: 'M8 14A6 6 0 1 1 14 8c-3 0-6 3-6 6zM5.8 6.5h.01M9.8 6.5h.01',
  poll: 'M3 13V8M8 13V3M13 13V6', shop: 'M2.5 6.5L3.5 2h9l1 4.5a1.8 1.8 0 0 1-3.6 0 1.9 1.9 0 0 1-3.8 0 1.8 1.8 0 0 1-3.6 0zM3.5 8.5V14h9V8.5', ticket: 'M2 4h12v2.5a1.5 1.5 0 0 0 0 3V12H2V9.5a1.5 1.5 0 0 0 0-3zM10 4v8', copy: 'M5 5h8v9H5zM3 11V2h8', forward: 'M10 4l4 4-4 4M14 8H7c-3 0-5 1.5-5 5', ad: 'M2 6.5v3h2l6 3.5V3L4 6.5zM12.5 6a3 3 0 0 1 0 4', dots: 'M3 8h.01M8 8h.01M13 8h.01',
};

/** An icon of lines. */
function icon(name, title) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  if (title) svg.append(Object.assign(document.createElementNS(svg.namespaceURI, 'title'), { textContent: title }));
  else svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** Words as WhatsApp writes them: *bold*, _slanted_, ~struck~, ```code```, addresses. */
function rich(text) {
  const out = el('span.words', { dir: 'auto' });
  const pattern = /```([\s\S]+?)```|\*(\S(?:[^*\n]*\S)?)\*|_(\S(?:[^_\n]*\S)?)_|~(\S(?:[^~\n]*\S)?)~|(https?:\/\/[^\s<>"]+)/g;
  let at = 0;
  for (const found of text.matchAll(pattern)) {
    out.append(text.slice(at, found.index));
    const [, code, bold, slanted, struck, url] = found;
    if (code) out.append(el('code', {}, code));
    else if (bold) out.append(el('b', {}, bold));
    else if (slanted) out.append(el('i', {}, slanted));
    else if (struck) out.append(el('s', {}, struck));
    else out.append(el('a', { href: url, target: '_blank', rel: 'noreferrer noopener' }, url));
    at = found.index + found[0].length;
  }
  out.append(text.slice(at));
  return out;
}

/** Words without the marks of their looks. */
const plain = (text) => text.replace(/(^|\W)[*_~](\S(?:[^*_~\n]*\S)?)[*_~](?=\W|$)/g, '$1$2');

/** One line that says what a message is. */
function preview(message) {
  if (!message) return '';
  if (message.revoked) return '🚫 ' + w('revoked');
  const content = message.content;
  const file = { image: '📷 ' + w('picture'), video: '🎬 ' + w('film'), audio: '🎤 ' + w(content.voice ? 'voice' : 'sound'), document: '📄 ' + (content.name || w('document')), sticker: '💟 ' + w('sticker') };
  switch (content.kind) {
    case 'text': return plain(content.text);
    case 'file': return content.caption ? file[content.shape].split(' ')[0] + ' ' + plain(content.caption) : file[content.shape];
    case 'location': return '📍 ' + (content.name || w('location'));
    case 'contacts': return '👤 ' + content.cards.map((card) => card.name).join(', ');
    case 'question': case 'link': case 'template': return plain(content.body);
    case 'pressed': return content.title;
    case 'asks': return content.text;
    case 'notice': return w(content.event);
    default: return w(content.what || 'unsupported');
  }
}

/** A file, by what it is. */
function fileOf(file, onplay) {
  const url = file.file ? '/_sim/files/' + encodeURIComponent(file.file) : null;
  if (!url) return el('div.paper', {}, icon('file'), el('span', {}, file.name || w('document')), el('small', {}, '…'));
  if (file.shape === 'image') return el('a.picture', { href: url, target: '_blank' }, el('img', { src: url, alt: file.caption || w('picture'), loading: 'lazy' }));
  if (file.shape === 'sticker') return el('img.sticker', { src: url, alt: w('sticker') });
  if (file.shape === 'video') return el('video.picture', { src: url, controls: true, preload: 'metadata' });
  if (file.shape === 'audio') return sound(url, file.voice, onplay);
  const size = file.bytes > 1048576 ? (file.bytes / 1048576).toFixed(1) + ' MB' : Math.max(1, Math.round(file.bytes / 1024)) + ' kB';
  const kind = (file.mime.split(';')[0].split('/')[1] || '').toUpperCase().slice(0, 12);
  return el('a.paper', { href: url, target: '_blank' }, icon('file'), el('span', {}, file.name || w('document')), el('small', {}, `${kind} · ${size}`));
}

/** What is known of sounds that were heard before: their length and their wave. */
const WAVES = new Map();
const BARS = 34;

/** Measures a sound: how long it is, and how loud each piece of it. */
async function measured(url) {
  if (!WAVES.has(url)) {
    WAVES.set(url, (async () => {
      const bytes = await (await fetch(url)).arrayBuffer();
      const local = URL.createObjectURL(new Blob([bytes], { type: 'audio/ogg' }));
      const decoded = await new OfflineAudioContext(1, 8000, 8000).decodeAudioData(bytes);
      const samples = decoded.getChannelData(0);
      const piece = Math.max(1, Math.floor(samples.length / BARS));
      const loud = Array.from({ length: BARS }, (_, at) => {
        let sum = 0;
        for (let from = at * piece; from < (at + 1) * piece && from < samples.length; from += 8) sum += samples[from] ** 2;
        return Math.sqrt(sum / (piece / 8));
      });
      const most = Math.max(...loud, 1e-6);
      return { local, duration: decoded.duration, wave: loud.map((one) => one / most) };
    })());
  }
  return WAVES.get(url);
}

/** A sound with its wave. */
function sound(url, isVoice, onplay) {
  const audio = el('audio', { src: url, preload: 'none' });
  const bars = Array.from({ length: BARS }, () => el('i', { style: 'height:14%' }));
  const time = el('small', {}, '0:00');
  let duration = 0;
  const show = (seconds) => { time.textContent = `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`; };
  measured(url).then((found) => {
    duration = found.duration;
    audio.src = found.local;
    found.wave.forEach((share, at) => { bars[at].style.height = `${Math.round(14 + 86 * share)}%`; });
    show(duration);
  }).catch(() => { /* it is played as it is */ });
  const button = el('button.play', { type: 'button', 'aria-label': w(isVoice ? 'voice' : 'sound'), onclick: () => { if (audio.paused) audio.play(); else audio.pause(); } }, '▶');
  audio.addEventListener('play', () => { button.textContent = '❚❚'; if (onplay) onplay(); });
  audio.addEventListener('pause', () => { button.textContent = '▶'; });
  audio.addEventListener('ended', () => show(duration));
  audio.addEventListener('timeupdate', () => {
    const done = audio.currentTime / (duration || audio.duration || 1);
    bars.forEach((bar, at) => bar.classList.toggle('done', at / BARS < done));
    if (!audio.ended) show(audio.currentTime);
  });
  return el('div.sound', {}, button, el('div.wave', {}, bars), time, audio);
}

/** A place, as a small map that is drawn, not fetched: nothing leaves this machine. */
function place(content) {
  const url = `https://www.openstreetmap.org/?mlat=${content.latitude}&mlon=${content.longitude}#map=16/${content.latitude}/${content.longitude}`;
  return el('a.place', { href: url, target: '_blank', rel: 'noreferrer noopener', title: w('map') },
    el('div.map', {}, icon('pin')),
    el('b', {}, content.name || w('location')),
    el('small', {}, content.address || `${content.latitude.toFixed(5)}, ${content.longitude.toFixed(5)}`));
}

/** What is in a message. `hand` knows what can be done with it. */
function inside(message, hand) {
  const content = message.content;
  switch (content.kind) {
    case 'text': return [rich(content.text)];
    case 'file': return [fileOf(content, () => hand.plays(message)), content.caption ? rich(content.caption) : null];
    case 'location': return [place(content)];
    case 'contacts': return content.cards.map((card) => el('div.card', {}, icon('person'), el('b', {}, card.name), el('small', {}, (card.phones || []).join(' · '))));
    case 'pressed': return [content.description ? el('b', {}, content.title) : rich(content.title), content.description ? el('small.under', {}, content.description) : null];
    case 'question': return [content.header ? el('b.above', {}, content.header) : null, rich(content.body), content.footer ? el('small.under', {}, content.footer) : null];
    case 'link': return [rich(content.body)];
    case 'asks': return [rich(content.text)];
    case 'template': return [
      content.file ? fileOf(content.file, () => hand.plays(message)) : null,
      content.header ? el('b.above', {}, content.header) : null, rich(content.body),
      content.footer ? el('small.under', {}, content.footer) : null];
    default: return [el('i', {}, w(content.what || 'unsupported')), el('small.under', {}, w('unsupported'))];
  }
}

/** What can be pressed below a message. */
function below(message, hand) {
  const content = message.content;
  const pressed = (text) => message.pressed === text;
  const button = (mark, text, act, done) => el('button.press' + (done ? '.done' : ''), { type: 'button', disabled: done || message.revoked, onclick: act }, mark ? icon(mark) : null, text);
  if (content.kind === 'question' && content.among === 'buttons') return content.options.map((option) => button('reply', option.title, () => hand.presses(message, option.id), pressed(option.title)));
  if (content.kind === 'question') return [button('list', content.open || w('choose'), () => hand.opens(message), false)];
  if (content.kind === 'link') return [el('a.press', { href: content.url, target: '_blank', rel: 'noreferrer noopener' }, icon('link'), content.title)];
  if (content.kind === 'asks') return [button(content.what === 'location' ? 'pin' : 'person', w('asks_' + content.what), () => hand.grants(message), false)];
  if (content.kind !== 'template') return [];
  return content.buttons.map((one) => {
    if (one.does === 'reply') return button('reply', one.text, () => hand.presses(message, one.text), pressed(one.text));
    if (one.does === 'url') return el('a.press', { href: one.url, target: '_blank', rel: 'noreferrer noopener' }, icon('link'), one.text);
    if (one.does === 'copy') return button('copy', `${w('copy')} ${one.code}`, () => hand.copies(one.code), false);
    return el('a.press', { href: 'tel:' + one.phone }, one.text);
  });
}

/** How far a message came. Of a company's message the marks are those that the company sees. */
function marks(message) {
  const mine = message.author === 'customer';
  const title = mine && message.progress !== 'failed' ? w('mine_' + (message.progress === 'played' ? 'read' : message.progress)) : w(message.progress);
  const name = { accepted: 'clock', sent: 'tick', delivered: 'ticks', read: 'ticks', played: 'ticks', failed: 'failed' }[message.progress];
  return el('span.marks.' + message.progress, { title }, icon(name, title));
}

/** Why a message did not arrive: in the page's words where it has some, else in the provider's. */
function because(problem) {
  if (!problem) return '';
  const known = w('code_' + problem.code);
  return ` · ${problem.code} · ${known.startsWith('code_') ? problem.details : known}`;
}

/** A message, or a line between messages. */
function bubble(message, quoted, hand) {
  if (message.content.kind === 'notice') return el('div.between', {}, el('span', {}, w(message.content.event) + (message.content.text ? ` · ${message.content.text}` : '')));
  const mine = message.author === 'customer';
  const here = mine || ['delivered', 'read', 'played'].includes(message.progress);
  const failed = message.progress === 'failed';
  const time = new Date(message.at_ms).toLocaleTimeString(LANGUAGE, { hour: '2-digit', minute: '2-digit' });
  const reactions = [message.reactions.customer, message.reactions.company].filter(Boolean);
  const body = message.revoked ? [el('i.gone', {}, '🚫 ' + w('revoked'))] : inside(message, hand);
  const bare = !message.revoked && message.content.kind === 'file' && message.content.shape === 'sticker';
  const box = el('div.bubble' + (mine ? '.mine' : '') + (here ? '' : '.away') + (failed ? '.failed' : '') + (bare ? '.bare' : ''), {},
    message.forwarded ? el('small.over', {}, icon('forward'), w('forwarded')) : null,
    message.from_ad ? el('small.over', {}, icon('ad'), w('from_ad')) : null,
    message.author === 'phone' ? el('small.over', {}, w('by_phone')) : null,
    quoted ? el('button.quote', { type: 'button', onclick: () => hand.shows(quoted) }, el('b', {}, quoted.author === 'customer' ? w('you') : hand.company), el('span', {}, preview(quoted))) : null,
    ...body,
    el('span.foot', {}, message.before.length ? el('span', { title: message.before.join(' → ') }, w('edited')) : null, el('time', {}, time), marks(message)));
  const row = el('div.row' + (mine ? '.mine' : ''), { id: 'm' + message.id }, box,
    message.revoked || failed ? null : el('button.more', { type: 'button', 'aria-label': w('react'), onclick: (event) => hand.menus(message, event.currentTarget) }, icon('dots')));
  const wrap = el('div.message' + (mine ? '.mine' : ''), {}, row);
  if (!message.revoked) { const buttons = below(message, hand); if (buttons.length) box.append(el('div.buttons', {}, buttons)); }
  if (reactions.length) box.append(el('span.reactions', {}, reactions.join('')));
  if (failed) wrap.append(el('p.aside.bad', { title: message.problem?.details }, w('failed') + because(message.problem)));
  else if (message.untold) wrap.append(el('p.aside', {}, w('untold')));
  else if (!here) wrap.append(el('p.aside', {}, w(message.progress)));
  return wrap;
}
