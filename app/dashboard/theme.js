// Before the first paint: the theme that was chosen last. A classic script, since modules run too late for
// that; header.js has the button.
(() => {
  let theme = null;
  try { theme = localStorage.getItem('rolecall.theme'); } catch { /* storage is off: follow the system */ }
  if (theme === 'light' || theme === 'dark')
    document.documentElement.dataset.theme = theme;
})();
