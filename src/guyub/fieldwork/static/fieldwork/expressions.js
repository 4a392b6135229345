// Works out the expressions of a form in the browser; step by step as guyub/fieldwork/evaluation.py does on
// the server, over the same trees (guyub/fieldwork/expressions.py describes them). A test compares the two.
//
// evaluate(tree, around): `around` has `now` (local time in ISO form), `position`, `itself`, and the functions
// nodes(path, chosen), choiceLabel(path, value) and column(name).

const MAX_TEXT = 100000;
const MONTHS =
  "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split(" ");
const DAYS = "Minggu Senin Selasa Rabu Kamis Jumat Sabtu".split(" ");
const NUMBER = /^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/;
const DATE =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$/;
const TIME =
  /^([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$/;
const strip = (text) => text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");
const signs = (text) => Array.from(text);

export function evaluate(tree, around) {
  const kind = tree[0];
  switch (kind) {
    case "num":
    case "str":
      return tree[1];
    case "self":
      return [around.itself];
    case "ref":
      return around.nodes(tree[1]);
    case "column":
      return around.column(tree[1]);
    case "or":
      return tree.slice(1).some((part) => toBoolean(evaluate(part, around)));
    case "and":
      return tree.slice(1).every((part) => toBoolean(evaluate(part, around)));
    case "neg":
      return -toNumber(evaluate(tree[1], around));
    case "position":
      return around.position;
    case "regex":
      return matches(tree[2], toText(evaluate(tree[1], around)));
    case "choice-name":
      return around.choiceLabel(tree[2], toText(evaluate(tree[1], around)));
    case "indexed": {
      const chosen = {};
      for (let i = 2; i < tree.length; i += 2) {
        const number = toNumber(evaluate(tree[i + 1], around));
        chosen[tree[i]] = number > 0 && number < 1000000 ? Math.trunc(number) : 0;
      }
      return around.nodes(tree[1], chosen);
    }
    case "call":
      return call(tree, around);
  }
  const left = evaluate(tree[1], around);
  const right = evaluate(tree[2], around);
  if (kind in COMPARISONS) return compare(kind, left, right);
  return ARITHMETIC[kind](toNumber(left), toNumber(right));
}

function call(tree, around) {
  const name = tree[1];
  if (name === "if") return evaluate(toBoolean(evaluate(tree[2], around)) ? tree[3] : tree[4], around);
  if (name === "today") return around.now.slice(0, 10);
  if (name === "now") return around.now;
  if (name === "once") return around.itself !== "" ? around.itself : evaluate(tree[2], around);
  return FUNCTIONS[name](...tree.slice(2).map((part) => evaluate(part, around)));
}

export function toText(value) {
  if (Array.isArray(value)) return value.length ? toText(value[0]) : "";
  if (typeof value === "boolean") return value ? "true" : "false";
  return typeof value === "number" ? numberText(value) : value;
}

export function numberText(number) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (number === 0) return "0";
  const [mantissa, exponent] = Math.abs(number).toString().split("e");
  const [whole, rest = ""] = mantissa.split(".");
  const digits = whole + rest;
  const place = whole.length + Number(exponent || 0);
  let text;
  if (place <= 0) text = "0." + "0".repeat(-place) + digits;
  else if (place >= digits.length) text = digits + "0".repeat(place - digits.length);
  else text = digits.slice(0, place) + "." + digits.slice(place);
  return (number < 0 ? "-" : "") + text;
}

export function toNumber(value) {
  if (Array.isArray(value)) return value.length ? toNumber(value[0]) : NaN;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return value;
  const text = strip(value);
  if (NUMBER.test(text)) return Number(text);
  const days = dateNumber(text);
  return days === null ? NaN : days;
}

export function toBoolean(value) {
  if (Array.isArray(value)) return value.length > 0 && toBoolean(value[0]);
  if (typeof value === "string") return value !== "";
  if (typeof value === "boolean") return value;
  return !Number.isNaN(value) && value !== 0;
}

function daysOf(year, month, day) {
  if (month <= 2) year -= 1;
  const era = Math.floor(year / 400);
  const ofEra = year - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719468;
}

function dayOf(days) {
  days += 719468;
  const era = Math.floor(days / 146097);
  const ofEra = days - era * 146097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / 146096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const month = shifted + (shifted < 10 ? 3 : -9);
  return [year + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - Math.floor((153 * shifted + 2) / 5) + 1];
}

function dateNumber(text) {
  const found = DATE.exec(text);
  if (!found) return null;
  const [year, month, day] = found.slice(1, 4).map(Number);
  if (!(year && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return null;
  const days = daysOf(year, month, day);
  if (dayOf(days)[2] !== day) return null;
  if (found[4] === undefined) return days;
  const part = partOfDay(found[4], found[5], found[6]);
  return part === null ? null : days + part;
}

function partOfDay(hours, minutes, seconds) {
  const second = Number(seconds || 0);
  if (Number(hours) > 23 || Number(minutes) > 59 || second >= 60) return null;
  return (Number(hours) * 3600 + Number(minutes) * 60 + second) / 86400;
}

function dateText(days) {
  if (!(days >= -719162 && days < 2932897)) return "";
  const [year, month, day] = dayOf(Math.floor(days));
  const two = (number) => String(number).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

const COMPARISONS = {
  "=": null,
  "!=": null,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

function compare(kind, left, right) {
  if (Array.isArray(left)) return left.some((node) => compare(kind, node, right));
  if (Array.isArray(right)) return right.some((node) => compare(kind, left, node));
  if (kind !== "=" && kind !== "!=") return COMPARISONS[kind](toNumber(left), toNumber(right));
  let same;
  if (typeof left === "boolean" || typeof right === "boolean") same = toBoolean(left) === toBoolean(right);
  else if (typeof left === "string" && typeof right === "string") same = left === right;
  else same = toNumber(left) === toNumber(right);
  return same === (kind === "=");
}

const ARITHMETIC = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  div: (left, right) => left / right,
  mod: (left, right) => left % right,
};

export function words(value) {
  return toText(value)
    .split(/[ \t\r\n]+/)
    .filter((word) => word);
}

// Adding 0 makes the negative zero, which whole numbers of Python don't have, a plain one.
const whole = (number, rounded) => (Number.isFinite(number) ? rounded(number) + 0 : number);

function round(value, places = 0) {
  const number = toNumber(value);
  const shift = toNumber(places);
  if (!(Math.abs(shift) <= 12)) return NaN;
  if (!Number.isFinite(number)) return number;
  const power = Number(`1e${Math.trunc(Math.abs(shift))}`);
  if (shift < 0) return (Math.floor(number / power + 0.5) + 0) * power;
  return whole(number * power + 0.5, Math.floor) / power;
}

function numbers(values) {
  return values.flatMap((value) =>
    (Array.isArray(value) ? value : [value]).filter((node) => node !== "").map(toNumber),
  );
}

function extreme(values, better) {
  const found = numbers(values);
  if (!found.length || found.some(Number.isNaN)) return NaN;
  return found.reduce((best, number) => (better(number, best) ? number : best));
}

const texts = (values) =>
  values.flatMap((value) => (Array.isArray(value) ? value.map(toText) : [toText(value)]));
const cut = (text) => (text.length > MAX_TEXT ? signs(text).slice(0, MAX_TEXT).join("") : text);
const nodesOf = (value) => (Array.isArray(value) ? value : [toText(value)]);

function index(number, length) {
  if (Number.isNaN(number)) return 0;
  const place = Math.trunc(Math.max(-1e9, Math.min(number, 1e9)));
  return Math.max(0, Math.min(place >= 0 ? place : length + place, length));
}

function substr(value, start, end = Infinity) {
  const text = signs(toText(value));
  return text.slice(index(toNumber(start), text.length), index(toNumber(end), text.length)).join("");
}

function translate(value, source, target) {
  const replaced = new Map();
  const after = signs(toText(target));
  signs(toText(source)).forEach((sign, place) => {
    if (!replaced.has(sign)) replaced.set(sign, place < after.length ? after[place] : "");
  });
  return signs(toText(value))
    .map((sign) => (replaced.has(sign) ? replaced.get(sign) : sign))
    .join("");
}

function date(value) {
  const days = toNumber(value);
  return Number.isNaN(days) ? "" : dateText(days);
}

function dateTime(value) {
  const text = strip(toText(value));
  const written = typeof value === "string" || Array.isArray(value);
  return written && text.includes("T") && dateNumber(text) !== null ? text : date(value);
}

function formatDate(value, pattern) {
  const day = date(value);
  if (!day) return "";
  const found = DATE.exec(strip(toText(value)));
  const [hours, minutes, written] = found && found[4] ? found.slice(4, 7) : ["00", "00", "00"];
  const seconds = written || "00";
  const month = MONTHS[Number(day.slice(5, 7)) - 1];
  const weekDay = DAYS[(((Math.floor(toNumber(value)) + 4) % 7) + 7) % 7];
  const parts = {
    Y: day.slice(0, 4),
    y: day.slice(2, 4),
    m: day.slice(5, 7),
    n: String(Number(day.slice(5, 7))),
    B: month,
    b: month.slice(0, 3),
    d: day.slice(8),
    e: String(Number(day.slice(8))),
    A: weekDay,
    a: weekDay.slice(0, 3),
    H: hours,
    h: String(Number(hours)),
    M: minutes,
    S: seconds.slice(0, 2),
    3: (seconds.slice(3) + "000").slice(0, 3),
    "%": "%",
  };
  return toText(pattern).replace(/%([YymnBbdeAaHhMS3%])/g, (_all, letter) => parts[letter]);
}

function decimalTime(value) {
  const found = TIME.exec(strip(toText(value)));
  const part = found ? partOfDay(found[1], found[2], found[3]) : null;
  return part === null ? NaN : part;
}

function at(value, place) {
  const number = toNumber(place);
  const found = words(value);
  return number >= 0 && number < found.length ? found[Math.trunc(number)] : "";
}

function before(value, mark) {
  const place = toText(value).indexOf(toText(mark));
  return place >= 0 ? toText(value).slice(0, place) : "";
}

function after(value, mark) {
  const place = toText(value).indexOf(toText(mark));
  return place >= 0 ? toText(value).slice(place + toText(mark).length) : "";
}

function power(value, times) {
  const number = toNumber(value);
  let result = 1;
  for (let i = 0; i < Math.trunc(toNumber(times)); i += 1) result *= number;
  return result;
}

const FUNCTIONS = {
  true: () => true,
  false: () => false,
  not: (value) => !toBoolean(value),
  boolean: toBoolean,
  "boolean-from-string": (value) => ["true", "1"].includes(toText(value)),
  coalesce: (first, second) => (toText(first) !== "" ? first : second),
  selected: (value, choice) => words(value).includes(strip(toText(choice))),
  "selected-at": at,
  "count-selected": (value) => words(value).length,
  string: toText,
  concat: (...values) => cut(texts(values).join("")),
  join: (mark, ...values) => cut(texts(values).join(toText(mark))),
  "string-length": (value) => signs(toText(value)).length,
  substr,
  "substring-before": before,
  "substring-after": after,
  contains: (value, part) => toText(value).includes(toText(part)),
  "starts-with": (value, part) => toText(value).startsWith(toText(part)),
  "ends-with": (value, part) => toText(value).endsWith(toText(part)),
  translate,
  "normalize-space": (value) => words(value).join(" "),
  number: toNumber,
  int: (value) => whole(toNumber(value), Math.trunc),
  round,
  floor: (value) => whole(toNumber(value), Math.floor),
  ceiling: (value) => whole(toNumber(value), Math.ceil),
  abs: (value) => Math.abs(toNumber(value)),
  sqrt: (value) => Math.sqrt(toNumber(value)),
  pow: power,
  min: (...values) => extreme(values, (one, other) => one < other),
  max: (...values) => extreme(values, (one, other) => one > other),
  sum: (value) => numbers([value]).reduce((total, number) => total + number, 0),
  count: (value) => nodesOf(value).length,
  "count-non-empty": (value) => nodesOf(value).filter((node) => node !== "").length,
  date,
  "date-time": dateTime,
  "format-date": formatDate,
  "format-date-time": formatDate,
  "decimal-date-time": toNumber,
  "decimal-time": decimalTime,
};

// Runs the program of a pattern (guyub/fieldwork/patterns.py) over the whole of a text.
export function matches(program, text) {
  const all = signs(text);
  let states = reached(program, [0], true, all.length === 0);
  for (let i = 0; i < all.length; i += 1) {
    const next = states.filter((state) => program[state][0] === "set" && takes(program[state], all[i]));
    states = reached(program, next.map((state) => state + 1), false, i === all.length - 1);
    if (!states.length) return false;
  }
  return states.some((state) => program[state][0] === "match");
}

function reached(program, start, atBegin, atEnd) {
  const seen = new Set();
  const waiting = [];
  const todo = [...start].reverse();
  while (todo.length) {
    const state = todo.pop();
    if (seen.has(state)) continue;
    seen.add(state);
    const step = program[state];
    if (step[0] === "split") todo.push(step[2], step[1]);
    else if (step[0] === "jump") todo.push(step[1]);
    else if (step[0] === "begin") todo.push(...(atBegin ? [state + 1] : []));
    else if (step[0] === "end") todo.push(...(atEnd ? [state + 1] : []));
    else waiting.push(state);
  }
  return waiting;
}

function takes(step, sign) {
  const code = sign.codePointAt(0);
  const inside =
    step[2].some(([low, high]) => low <= code && code <= high) ||
    step[3].some((name) => new RegExp(`^\\p{${name}}$`, "u").test(sign));
  return inside !== step[1];
}
