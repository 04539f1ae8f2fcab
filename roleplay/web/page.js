// The clock of a call runs here from the seconds that the server gave; stamps are shown in the reader's own time.
// Gradio writes the browser's language on the page; what the page is written in is right.
setInterval(() => {
  const language = document.querySelector('.bar')?.lang;
  if (language) document.documentElement.lang = language;
  for (const clock of document.querySelectorAll('.time[data-elapsed]')) {
    if (clock.dataset.stopped) continue;
    if (!clock.since) clock.since = performance.now() - 1000 * Number(clock.dataset.elapsed);
    const seconds = Math.floor((performance.now() - clock.since) / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }
  for (const stamp of document.querySelectorAll('time[data-local]')) {
    delete stamp.dataset.local;
    stamp.textContent = new Date(stamp.dateTime).toLocaleString();
  }
}, 500);
// What was written and not yet said outlives a reload, in this tab.
setInterval(() => {
  const box = document.querySelector('#box textarea');
  const call = new URLSearchParams(location.search).get('call');
  if (!box || !call) return;
  if (box.dataset.call === call) return sessionStorage.setItem(`draft:${call}`, box.value);
  const draft = sessionStorage.getItem(`draft:${call}`);
  box.dataset.call = call;
  if (draft && !box.value && !box.disabled) {
    box.value = draft;
    box.dispatchEvent(new Event('input', { bubbles: true }));
  }
}, 300);
// Back and forward are real: the address says what is shown.
addEventListener('popstate', () => (location.search || '?') === window.shown || location.reload());
