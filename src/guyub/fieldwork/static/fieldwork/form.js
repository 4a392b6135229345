// A form with answers: what is asked, which choices are offered, what is reckoned. The same as
// guyub/fieldwork/checking.py (Filled) on the server. Answers and definition are JSON as
// guyub/fieldwork/definition.py describes; `at` tells, by the path of each repeat around a question, which
// repetition is meant, from 1.

import { evaluate, toBoolean, toNumber, toText } from "./expressions.js";

const NUMBERS = new Set(["integer", "decimal", "range"]);
const SILENT = new Set(["start", "end", "today", "calculate", "hidden"]);
const OTHER = "other";

export const isEmpty = (answer) =>
  answer === undefined || answer === null || answer === "" || (Array.isArray(answer) && !answer.length);

export function inLanguage(texts, language = "id") {
  return texts[language] || texts.id || Object.values(texts)[0] || "";
}

// What an expression sees of an answer.
export function asNode(item, answer) {
  if (answer === undefined || answer === null) return "";
  if (typeof answer === "boolean") return answer ? "true" : "false";
  if (typeof answer === "number") return answer;
  if (Array.isArray(answer)) return answer.join(" ");
  const text = String(answer);
  if (!NUMBERS.has(item.type)) return text;
  const number = toNumber(text);
  return Number.isNaN(number) ? text : number;
}

export function rowsOf(container, repeat) {
  const rows = container[repeat];
  return Array.isArray(rows) ? rows.filter((row) => row && typeof row === "object") : [];
}

// Local time in ISO form, as expressions want it.
export function localNow(date = new Date()) {
  const two = (number) => String(Math.trunc(Math.abs(number))).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60000).toISOString().slice(0, 23);
  return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

export class Form {
  constructor(definition, answers, { now = localNow(), language = "id" } = {}) {
    this.definition = definition;
    this.answers = answers;
    this.now = now;
    this.language = language;
    this.items = new Map();
    this.around = new Map();
    const walk = (items, around) => {
      for (const item of items) {
        this.items.set(item.path, item);
        this.around.set(item.path, around);
        walk(item.items || [], [...around, item]);
      }
    };
    walk(definition.items, []);
    this.forget();
  }

  // To be called after an answer has changed.
  forget() {
    this.known = new Map();
    this.reckonings = new Map();
  }

  repeatsAround(path) {
    return this.around.get(path).filter((item) => item.kind === "repeat").map((item) => item.path);
  }

  containers(path, at = {}) {
    let found = [[this.answers, {}]];
    for (const repeat of this.repeatsAround(path)) {
      found = found.flatMap(([container, place]) => {
        const rows = rowsOf(container, repeat);
        const chosen = repeat in at ? [at[repeat]] : rows.map((_row, i) => i + 1);
        return chosen
          .filter((number) => number > 0 && number <= rows.length)
          .map((number) => [rows[number - 1], { ...place, [repeat]: number }]);
      });
    }
    return found;
  }

  nodes(path, at = {}) {
    const item = this.items.get(path);
    if (!item) return [];
    return this.containers(path, at).flatMap(([container, place]) => {
      if (item.kind === "repeat") return rowsOf(container, path).map((_row, i) => i + 1);
      if (!this.isRelevant(path, place)) return [""];
      if (item.calculation && isEmpty(container[path])) return [this.reckoned(path, place)];
      return [asNode(item, container[path])];
    });
  }

  isRelevant(path, at = {}) {
    const key = path + JSON.stringify(at);
    if (!this.known.has(key)) {
      this.known.set(key, true);
      const around = [...this.around.get(path), this.items.get(path)];
      this.known.set(key, around.every((item) => !item.relevant || this.holds(item, item.relevant, at)));
    }
    return this.known.get(key);
  }

  place(item, at, choice = null) {
    const within = {};
    for (const repeat of this.repeatsAround(item.path)) if (repeat in at) within[repeat] = at[repeat];
    const [container] = this.containers(item.path, within)[0] || [{}];
    const numbers = Object.values(within);
    return {
      now: this.now,
      position: numbers.length ? numbers[numbers.length - 1] : 1,
      itself: asNode(item, container[item.path]),
      nodes: (path, chosen = {}) => this.nodes(path, { ...within, ...chosen }),
      choiceLabel: (path, value) => this.choiceLabel(path, value),
      column: (name) => (choice === null ? "" : name === "name" ? choice.name : choice.extra[name] || ""),
    };
  }

  workedOut(item, expression, at = {}) {
    return evaluate(expression.tree, this.place(item, at));
  }

  holds(item, expression, at = {}) {
    return toBoolean(this.workedOut(item, expression, at));
  }

  isRequired(item, at = {}) {
    return (
      Boolean(item.required) &&
      !SILENT.has(item.type) &&
      item.type !== "note" &&
      this.holds(item, item.required, at)
    );
  }

  fulfils(item, at = {}) {
    return !item.constraint || this.holds(item, item.constraint, at);
  }

  reckoned(path, at = {}) {
    const key = path + JSON.stringify(at);
    if (!this.reckonings.has(key)) {
      this.reckonings.set(key, "");
      const item = this.items.get(path);
      if (item.calculation) {
        const value = this.workedOut(item, item.calculation, at);
        const isNumber = typeof value === "number" && !Number.isNaN(value);
        this.reckonings.set(key, isNumber ? value : toText(value));
      }
    }
    return this.reckonings.get(key);
  }

  choices(item, at = {}) {
    if (!item.choice_filter) return item.choices;
    return item.choices.filter(
      (choice) =>
        choice.name === OTHER || toBoolean(evaluate(item.choice_filter.tree, this.place(item, at, choice))),
    );
  }

  choiceLabel(path, value) {
    const item = this.items.get(path);
    const choice = item && item.choices.find((one) => one.name === value);
    return choice ? inLanguage(choice.label, this.language) || value : "";
  }

  // A default is a text, or an expression that is worked out when the form is opened.
  defaultOf(item, at = {}) {
    if (!item.default) return "";
    if (typeof item.default === "string") return item.default;
    const value = this.workedOut(item, item.default, at);
    return typeof value === "number" && NUMBERS.has(item.type) ? value : toText(value);
  }
}
