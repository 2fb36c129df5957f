// Runs before the first paint, so that a stored choice does not flash in the other colours.
try {
  const theme = JSON.parse(localStorage.getItem('pelican.settings'))?.theme;
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // nothing stored, or storage is off: the system's choice
}
