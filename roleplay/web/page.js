// What the page does in the browser alone: clocks, filters, drafts, language and theme, voice, and finding its way back.
const $ = (query, from = document) => from.querySelector(query);
const all = (query, from = document) => [...from.querySelectorAll(query)];
const asked = (name) => new URLSearchParams(location.search).get(name);

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, '0')}`;

// Clocks run here from the seconds that the server gave; stamps are shown in the reader's own time.
setInterval(() => {
  const bar = $('.bar');
  if (bar) {
    document.documentElement.lang = bar.lang; // gradio writes the browser's own
    const heading = all('h1').find((part) => part.checkVisibility());
    document.title = [heading?.textContent.trim(), bar.dataset.title].filter(Boolean).join(' · ');
  }
  for (const clock of all('.time[data-elapsed]')) {
    if (clock.dataset.stopped) continue;
    const set = `${clock.dataset.elapsed} ${clock.dataset.stamp}`; // a shown part is changed in place: it may be set anew
    if (clock.set !== set) Object.assign(clock, { set, since: performance.now() - 1000 * Number(clock.dataset.elapsed) });
    const seconds = Math.floor((performance.now() - clock.since) / 1000);
    clock.classList.toggle('late', seconds > Number(clock.dataset.limit || Infinity));
    clock.textContent = minutes(seconds);
  }
  for (const stamp of all('time[data-local]')) {
    const shown = stamp.dataset.local === 'date' ? { dateStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' };
    delete stamp.dataset.local;
    stamp.textContent = new Date(stamp.dateTime).toLocaleString(document.documentElement.lang, shown);
  }
  for (const field of all('input[data-utc]')) {
    const at = new Date(field.dataset.utc);
    delete field.dataset.utc;
    field.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }
}, 500);

// The ring card tells for how long it has stood, reloads included; one that is left and comes again begins anew.
setInterval(() => {
  const field = $('[data-rung]'), persona = asked('start');
  if (!persona) return sessionStorage.removeItem('rung');
  if (field?.dataset.rung !== persona) return; // not shown yet, or nothing rings: the trainee dials
  const [whose, since] = (sessionStorage.getItem('rung') || '').split(' ');
  if (whose !== persona) sessionStorage.setItem('rung', `${persona} ${Date.now()}`);
  const seconds = whose === persona ? (Date.now() - since) / 1000 : 0, clock = $('[data-ringing]');
  field.value = seconds.toFixed(1);
  clock.textContent = minutes(seconds);
  clock.parentElement.classList.toggle('late', seconds > Number(clock.dataset.ringing));
}, 200);

// What was written and not yet said outlives a reload, in this tab.
setInterval(() => {
  const box = $('#box textarea'), call = asked('call');
  if (!box || !call) return;
  if (box.dataset.call === call) return sessionStorage.setItem(`draft:${call}`, box.value);
  const draft = sessionStorage.getItem(`draft:${call}`);
  box.dataset.call = call;
  if (draft && !box.value && !box.disabled) write(box, draft);
}, 300);

function write(box, text) {
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
}

// A form that the server has made anew shows what the server says; what was unfolded stays so.
const unfolded = new Set();
addEventListener('toggle', (event) => {
  const name = event.target.dataset?.keep;
  if (name) unfolded[event.target.open ? 'add' : 'delete'](name);
}, true);
new MutationObserver(() => {
  const form = $('form[data-version]');
  if (!form || form.shown === form.dataset.version) return;
  form.shown = form.dataset.version;
  form.reset();
  for (const part of all('[data-keep]', form)) part.open ||= unfolded.has(part.dataset.keep);
  $('.wrong', form)?.scrollIntoView({ block: 'center' });
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['data-version'] });

// The newest words stay in view.
new MutationObserver(() => {
  const chat = $('#chat');
  if (!chat) return;
  const last = chat.textContent.length;
  if (chat.last === last) return;
  chat.last = last;
  requestAnimationFrame(() => chat.scrollTo({ top: chat.scrollHeight }));
}).observe(document, { childList: true, subtree: true, characterData: true });

// The newest hint stays in view too, on a phone as well.
new MutationObserver(() => {
  const cards = all('#hints .hintcard'), box = $('#hints');
  if (!box || box.many === cards.length) return;
  const more = cards.length > (box.many || 0);
  box.many = cards.length;
  if (more) requestAnimationFrame(() => cards.at(-1).scrollIntoView({ block: 'nearest' }));
}).observe(document, { childList: true, subtree: true });

// Filters: which cards are shown is decided here and kept for this tab.
function filter() {
  const form = $('[data-filters]');
  if (!form) return;
  const fields = all('input, select', form);
  const wish = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const words = wish.text.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of all('.card')) {
    const fits = Object.entries(wish).every(([name, value]) => name === 'text'
      ? words.every((word) => card.dataset.text.includes(word))
      : value === 'all' || card.dataset[name].split(' ').includes(value));
    card.hidden = !fits;
    shown += fits;
  }
  const count = $('[data-count]');
  count.textContent = shown ? count.dataset.count.replace('{number}', shown) : count.dataset.nobody;
  sessionStorage.setItem('wish', JSON.stringify(wish));
}
new MutationObserver(() => {
  const form = $('[data-filters]:not([data-ready])');
  if (!form) return;
  form.dataset.ready = '1';
  const wish = JSON.parse(sessionStorage.getItem('wish') || '{}');
  for (const field of all('input, select', form)) if (field.name in wish) field.value = wish[field.name];
  filter();
}).observe(document, { childList: true, subtree: true });
addEventListener('input', (event) => event.target.closest?.('[data-filters]') && filter());

// A link to a part of the page stays on it: gradio's base address would lead away from what is shown.
addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  const part = link && document.getElementById(link.hash.slice(1));
  if (!part) return;
  event.preventDefault();
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
  part.scrollIntoView();
});

addEventListener('click', (event) => {
  const on = (query) => event.target.closest?.(query);
  const button = on('[data-surprise], [data-language], [data-theme], [data-print], [data-voice]');
  if (!button || button.disabled) return;
  if (button.matches('[data-surprise]')) {
    const cards = all('.card:not([hidden])');
    if (cards.length) cards[Math.floor(Math.random() * cards.length)].click();
  }
  if (button.matches('button[data-language]')) {
    document.cookie = `roleplay_language=${button.dataset.language}; path=/; max-age=31536000; samesite=lax`;
    sessionStorage.removeItem('wish');
    location.reload();
  }
  if (button.matches('[data-theme]')) {
    localStorage.setItem('theme', document.body.classList.toggle('dark') ? 'dark' : 'light');
  }
  if (button.matches('[data-print]')) print();
  if (button.dataset.voice) voice(button.dataset.voice);
});
document.addEventListener('DOMContentLoaded', () => {
  const theme = localStorage.getItem('theme');
  if (theme) setTimeout(() => document.body.classList.toggle('dark', theme === 'dark'), 0);
});

// What is unfolded over the page is folded again by Escape or a click beside it.
addEventListener('click', (event) => {
  const open = $('.transfer[open]');
  if (open && !open.contains(event.target)) open.open = false;
});
addEventListener('keydown', (event) => {
  const open = $('.transfer[open]');
  if (!open || event.key !== 'Escape') return;
  open.open = false;
  $('summary', open).focus();
});

// Voice, by the browser's own speech engine, off until it is asked for; what the engine cannot do is not offered.
const Listener = window.SpeechRecognition || window.webkitSpeechRecognition;
let listener = null, spoken = null;
function voiceOf(last) {
  const voices = window.speechSynthesis?.getVoices() || [];
  return [last.dataset.accent, last.lang, last.lang.slice(0, 2)].reduce(
    (found, lang) => found || voices.find((one) => one.lang.replace('_', '-').startsWith(lang)), undefined);
}
const speaks = () => localStorage.getItem('speak') === '1';
function voice(what) {
  if (what === 'speak') {
    localStorage.setItem('speak', speaks() ? '0' : '1');
    if (!speaks()) speechSynthesis.cancel();
    return;
  }
  if (listener) return listener.stop();
  const box = $('#box textarea');
  if (!box || box.disabled) return;
  const before = box.value;
  listener = new Listener();
  Object.assign(listener, { lang: $('[data-spoken]')?.lang || 'zh-CN', interimResults: true, continuous: true });
  listener.onresult = (event) => write(box, before + [...event.results].map((result) => result[0].transcript).join(''));
  listener.onend = () => { listener = null; };
  listener.onerror = (event) => {
    listener = null;
    if (!['aborted', 'no-speech'].includes(event.error)) $('[data-unheard]').hidden = false;
  };
  $('[data-unheard]').hidden = true;
  listener.start();
}
setInterval(() => {
  const last = $('[data-spoken]');
  for (const button of all('[data-voice]')) {
    const speak = button.dataset.voice === 'speak';
    button.hidden = speak ? !(last && voiceOf(last)) : !Listener;
    button.setAttribute('aria-pressed', String(speak ? speaks() : Boolean(listener)));
  }
  if (!last) return;
  const line = `${asked('call')}:${last.dataset.spoken}`;
  if (spoken !== null && spoken !== line && speaks() && last.textContent.trim()) {
    const words = new SpeechSynthesisUtterance(last.textContent);
    Object.assign(words, { lang: last.lang, voice: voiceOf(last), volume: document.body.classList.contains('louder') ? 1 : 0.7 });
    speechSynthesis.cancel();
    speechSynthesis.speak(words);
  }
  spoken = line;
  document.body.classList.toggle('louder', Boolean($('#said [data-louder]')));
}, 250);

// Lost and found again: the server is asked for; once it is back, the page shows what was kept.
let lost = 0;
async function look() {
  if (!$('[data-offline]')) return;
  const there = await fetch('../health', { cache: 'no-store' }).then((answer) => answer.ok, () => false);
  lost = there ? 0 : lost + 1;
  const notice = $('[data-offline]');
  if (notice && there && !notice.hidden) return location.reload();
  if (notice) notice.hidden = lost < 2;
}
setInterval(() => !document.hidden && look(), 4000);
addEventListener('offline', () => { lost = 2; look(); });
addEventListener('online', look);

// Back and forward are real: the address says what is shown. Paper is light, with all parts unfolded.
addEventListener('popstate', () => (location.search || '?') === window.shown || location.reload());
let dark = false;
addEventListener('beforeprint', () => {
  dark = document.body.classList.contains('dark');
  document.body.classList.remove('dark');
  all('.report details:not(.ground), .report .ground.first').forEach((part) => { part.open = true; }); // each ground once
});
addEventListener('afterprint', () => document.body.classList.toggle('dark', dark));
