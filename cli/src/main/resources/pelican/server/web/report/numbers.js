/** How reports write numbers. */

export function percent(share, digits = 1) {
  return `${(100 * share).toFixed(digits)} %`;
}

/** Bytes as kB, MB or GB, powers of ten. */
export function size(bytes) {
  if (bytes < 1e3) return `${bytes} B`;
  const [unit, name] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  const value = bytes / unit;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${name}`;
}

/** Weights as thousands, millions or billions. */
export function amount(count) {
  if (count < 1e3) return `${count}`;
  const [unit, name] = count < 1e6 ? [1e3, 'K'] : count < 1e9 ? [1e6, 'M'] : [1e9, 'B'];
  return `${(count / unit).toFixed(2)}${name}`;
}

/** A number in some significant digits; JSON has what is no number as a text. */
export function significant(value, digits = 4) {
  const number = Number(value);
  if (!Number.isFinite(number) || number === 0) return String(number);
  const magnitude = Math.abs(number);
  if (magnitude < 1e-4 || magnitude >= 1e7) return number.toExponential(digits - 1).replace('e+', 'e');
  return number.toPrecision(digits).includes('e') ? String(Math.round(number)) : number.toPrecision(digits);
}

export function estimate({ value, uncertainty }) {
  return `${significant(value)} ± ${significant(uncertainty, 2)}`;
}

const RAISED = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' };

/** A power of ten; halves and quarters of decades have no mark of their own. */
export function power(exponent) {
  if (!Number.isInteger(exponent)) return '';
  return `10${[...String(exponent)].map((digit) => RAISED[digit]).join('')}`;
}

/** A text of at most so many characters, the middle left out. */
export function shortened(text, most) {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}
