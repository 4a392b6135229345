// Filling in a form: a screen for each of its parts, kept as a draft at every change.

import { announce, fill, h, say, texts } from "./elements.js";
import { Form, inLanguage, isEmpty, localNow, rowsOf } from "./form.js";
import { draw, LARGEST_OTHER, sha256, shrink, uuid } from "./photos.js";

const { store, sync } = self.lapangan;
const SILENT = new Set(["start", "end", "today", "calculate", "hidden"]);
const FILES = new Set(["image", "audio", "video", "file"]);
const MANY = 12; // choices beyond which they fold up
const PREVIEW = 320; // pixels

// The parts of a form: each group or repeat at the top, and the questions between them together.
function screensOf(definition) {
  const screens = [];
  for (const item of definition.items) {
    if (item.kind !== "question") screens.push({ item, items: item.kind === "repeat" ? [item] : item.items, label: item.label });
    else if (screens.length && !screens[screens.length - 1].item) screens[screens.length - 1].items.push(item);
    else screens.push({ item: null, items: [item], label: {} });
  }
  return screens;
}

export class Filling {
  constructor(visit, form, draft, { language, leave }) {
    Object.assign(this, { visit, draft, language, leave, formId: form.id });
    this.definition = form.definition;
    this.form = new Form(this.definition, draft.answers, { now: localNow(new Date(draft.begun_at)), language });
    // Of a visit that is no longer carried, the draft alone knows what it began with.
    this.told = (visit.left || visit.gone ? draft.seen : visit.seen) || {};
    this.place = document.getElementById("isi");
    this.saving = Promise.resolve();
  }

  words(textsOf) { return inLanguage(textsOf || {}, this.language); }

  // Keeping

  save() {
    this.saving = this.saving.then(() => store.saveDraft(this.draft)).catch((error) => {
      const full = error && error.name === "QuotaExceededError";
      this.warn(say(full ? "storage_full" : "not_saved"));
    });
    return this.saving;
  }

  warn(text) {
    const old = document.getElementById("peringatan");
    if (old) old.remove();
    this.place.prepend(h("div", { class: "alert alert-error", role: "alert", id: "peringatan" }, text));
  }

  container(path, at) { return this.form.containers(path, at)[0][0]; }

  answer(item, at, value) {
    const container = this.container(item.path, at);
    if (isEmpty(value)) delete container[item.path]; else container[item.path] = value;
    this.form.forget();
    this.save();
    this.refresh();
  }

  // Which questions are asked changes with the answers; what stays keeps its place and the cursor.
  refresh() {
    for (const { element, item, at } of this.shown) {
      const relevant = this.form.isRelevant(item.path, at);
      if (element.hidden === relevant) element.hidden = !relevant;
      if (relevant && item.kind === "question") this.renew(element, item, at);
    }
  }

  renew(element, item, at) {
    if (element.problem && !this.problem(item, at)) this.mark(element, "");
    if (item.choice_filter && item.type.startsWith("select")) {
      const offered = this.form.choices(item, at).map((choice) => choice.name).join(" ");
      if (element.offered !== offered) element.replaceChildren(...this.question(item, at).childNodes);
    }
    if (item.type === "note" && element.firstChild) element.firstChild.textContent = this.words(item.label);
  }

  // Screens

  async show(number = this.draft.screen || 0) {
    this.screens = screensOf(this.definition).filter((screen) => this.isAsked(screen));
    this.number = Math.max(0, Math.min(number, this.screens.length));
    this.draft.screen = this.number;
    this.shown = [];
    const last = this.number === this.screens.length;
    const title = last ? say("check_and_send") : this.words(this.screens[this.number].label) || this.words(this.definition.title);
    fill(
      this.place,
      h("nav", { class: "crumbs", "aria-label": say("back") }, h("a", { href: "#/" }, say("list"))),
      h("h1", { tabindex: -1 }, title),
      h("p", { class: "muted" }, [this.visit.name, this.visit.where].filter(Boolean).join(" · ")),
      this.visit.left || this.visit.gone ? h("div", { class: "alert alert-warning" }, say(this.visit.left ? "left_draft" : "gone_draft")) : null,
      h("p", { class: "muted small-text", id: "bagian" }, say("part", { n: this.number + 1, of: this.screens.length + 1 })),
      h("progress", { max: this.screens.length, value: this.number, "aria-label": say("progress") }),
      last ? await this.summary() : this.screen(),
    );
    scrollTo(0, 0);
    this.place.querySelector("h1").focus({ preventScroll: true });
  }

  isAsked(screen) {
    const any = (items, at) => items.some((item) =>
      this.form.isRelevant(item.path, at) && (item.kind === "question" ? !SILENT.has(item.type) : item.kind === "repeat" || any(item.items, at)));
    return any(screen.items, {});
  }

  screen() {
    const here = this.screens[this.number];
    const form = h("form", { class: "card visit-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.next(); } });
    form.append(...this.items(here.items, {}));
    form.append(h("div", { class: "visit-steps" },
      this.number ? h("button", { type: "button", class: "secondary big", onclick: () => this.go(this.number - 1) }, say("previous")) : null,
      h("button", { class: "big" }, say("next"))));
    return form;
  }

  async go(number) { await this.save(); await this.show(number); }

  async next() {
    const wrong = [];
    for (const { element, item, at } of this.shown) {
      if (item.kind !== "question" || element.hidden || element.closest("[hidden]")) continue;
      const problem = this.problem(item, at);
      this.mark(element, problem);
      if (problem) wrong.push(element);
    }
    if (!wrong.length) { await this.go(this.number + 1); return; }
    announce(say("mend", { n: wrong.length }));
    const first = wrong[0].querySelector("input, select, textarea, button");
    if (first) first.focus(); else wrong[0].scrollIntoView();
  }

  mark(element, problem) {
    element.problem = problem;
    const folded = problem && element.closest("details");
    if (folded) folded.open = true;
    element.classList.toggle("field-bad", Boolean(problem));
    const note = element.querySelector(".errorlist");
    if (note) { note.textContent = problem; note.hidden = !problem; }
    for (const input of element.querySelectorAll("input, select, textarea")) {
      if (problem) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    }
  }

  problem(item, at) {
    const value = this.container(item.path, at)[item.path];
    if (isEmpty(value)) {
      if (!this.form.isRequired(item, at) || item.calculation) return "";
      return this.words(item.required_message) || say("required");
    }
    if (typeof value === "string" && (item.type === "integer" || item.type === "decimal" || item.type === "range")) return say("number");
    if (item.type === "integer" && !Number.isInteger(value)) return say("whole_number");
    if (item.type.startsWith("select")) {
      const offered = new Set(this.form.choices(item, at).map((choice) => choice.name));
      if ([value].flat().some((name) => !offered.has(name))) return say("choose_again");
    }
    if (!this.form.fulfils(item, at)) return this.words(item.constraint_message) || say("constraint");
    return "";
  }

  // All problems of the whole form, with the screen that each is on.
  problems() {
    const found = [];
    const walk = (items, at, number) => {
      for (const item of items) {
        if (!this.form.isRelevant(item.path, at)) continue;
        if (item.kind === "group") walk(item.items, at, number);
        else if (item.kind === "repeat") rowsOf(this.container(item.path, at), item.path).forEach((_row, i) => walk(item.items, { ...at, [item.path]: i + 1 }, number));
        else if (!SILENT.has(item.type)) {
          const problem = this.problem(item, at);
          if (problem) found.push({ item, problem, number });
        }
      }
    };
    this.screens.forEach((screen, number) => walk(screen.items, {}, number));
    return found;
  }

  // Items

  items(items, at) {
    return items.filter((item) => item.kind !== "question" || !SILENT.has(item.type)).map((item) => {
      const element = item.kind === "question" ? this.question(item, at) : item.kind === "group" ? this.group(item, at) : this.repeat(item, at);
      element.hidden = !this.form.isRelevant(item.path, at);
      this.shown.push({ element, item, at });
      return element;
    });
  }

  group(item, at) {
    return h("fieldset", { class: "visit-group" }, h("legend", {}, this.words(item.label)), this.items(item.items, at));
  }

  repeat(item, at) {
    const container = this.container(item.path, at);
    const rows = rowsOf(container, item.path);
    const again = async () => { this.form.forget(); await this.save(); await this.show(this.number); };
    const label = this.words(item.label) || item.name;
    return h("div", { class: "visit-repeat" },
      rows.map((row, i) => {
        const here = { ...at, [item.path]: i + 1 }, member = this.memberOf(row, item);
        // Whom the registry knows is folded up, and said to have moved or died instead of being taken out.
        if (member) return h("details", { class: "visit-group visit-member" }, h("summary", {}, this.nameOf(member, item) || `${label} ${i + 1}`), this.items(item.items, here));
        return h("fieldset", { class: "visit-group" }, h("legend", {}, `${label} ${i + 1}`), this.items(item.items, here),
          h("button", { type: "button", class: "secondary small", onclick: () => { rows.splice(i, 1); container[item.path] = rows; again(); } }, say("remove_row", { label, n: i + 1 })));
      }),
      h("button", { type: "button", class: "secondary big", onclick: () => { container[item.path] = [...rows, {}]; again(); } }, say("add_row", { label })));
  }

  // Which member of the registry a row was made for.
  memberOf(row, repeat) {
    const question = memberQuestion(repeat);
    return question && (this.told.members || []).find((one) => one.id === row[question.path]);
  }

  nameOf(member, repeat) {
    const relation = questionsIn(repeat).find((one) => one.field === "member.relation");
    const code = member.values["member.relation"];
    return [member.values["member.name"], relation && code ? this.form.choiceLabel(relation.path, code) || code : "", member.values["member.nik"]].filter(Boolean).join(" · ");
  }

  id(item, at) { return `q${item.path}${Object.values(at).map((n) => `-${n}`).join("")}`.replace(/[^\w-]/g, "_"); }

  question(item, at) {
    const id = this.id(item, at), value = this.container(item.path, at)[item.path];
    const label = this.words(item.label) || item.name;
    if (item.type === "note") return h("div", { class: "field note" }, h("p", {}, this.words(item.label)), this.words(item.hint) ? h("small", {}, this.words(item.hint)) : null);
    const several = item.type.startsWith("select") && !this.folds(item);
    const described = [this.words(item.hint) || this.known(item, at) ? `${id}-hint` : "", `${id}-salah`].filter(Boolean).join(" ");
    const inner = [
      this.words(item.hint) || this.known(item, at) ? h("small", { id: `${id}-hint` }, this.words(item.hint), this.words(item.hint) && this.known(item, at) ? h("br") : null, this.known(item, at)) : null,
      several ? this.boxes(item, at, id, value) : this.input(item, at, id, value, described),
      h("p", { class: "errorlist", id: `${id}-salah`, hidden: true }),
    ];
    const name = [label, item.required ? h("span", { class: "muted" }, " *") : null];
    const element = several || item.type === "geopoint" || FILES.has(item.type)
      ? h("fieldset", { class: "field", "aria-describedby": described }, h("legend", {}, name), inner)
      : h("div", { class: "field" }, h("label", { for: id }, name), inner);
    if (item.choice_filter) element.offered = this.form.choices(item, at).map((choice) => choice.name).join(" ");
    return element;
  }

  // What the registry says now, in the words of the question.
  known(item, at) {
    const now = item.field && (item.field.startsWith("member.") ? this.knownOfMember(item, at) : (this.told.values || {})[item.field]);
    if (!now) return "";
    const shown = item.choices.length ? now.split(",").map((code) => this.form.choiceLabel(item.path, code) || code).join(", ") : now;
    return say("registry_says", { value: shown });
  }

  knownOfMember(item, at) {
    const paths = Object.keys(at);
    if (!paths.length) return "";
    const repeat = this.form.items.get(paths[paths.length - 1]);
    const member = this.memberOf(this.container(item.path, at), repeat);
    return member ? member.values[item.field] : "";
  }

  folds(item) { return item.choices.length > MANY || /\bminimal\b|\bautocomplete\b/.test(item.appearance); }

  boxes(item, at, id, value) {
    const many = item.type === "select_multiple";
    const chosen = new Set([value].flat().filter((one) => !isEmpty(one)));
    return h("div", { class: "visit-choices" }, this.form.choices(item, at).map((choice, i) =>
      h("label", { class: "visit-choice" },
        h("input", {
          type: many ? "checkbox" : "radio", name: id, id: i ? `${id}-${i}` : id, value: choice.name, checked: chosen.has(choice.name),
          onchange: (event) => {
            if (!many) { this.answer(item, at, choice.name); return; }
            if (event.target.checked) chosen.add(choice.name); else chosen.delete(choice.name);
            // In the order of the form, so that the same answer is always the same text.
            this.answer(item, at, item.choices.map((one) => one.name).filter((name) => chosen.has(name)));
          },
        }), this.words(choice.label) || choice.name)));
  }

  input(item, at, id, value, described) {
    const common = { id, "aria-describedby": described, disabled: item.read_only || undefined };
    const put = (event) => this.answer(item, at, event.target.value);
    switch (item.type) {
      case "select_one":
      case "select_multiple": {
        const many = item.type === "select_multiple";
        const chosen = new Set([value].flat());
        return h("select", { ...common, multiple: many, onchange: (event) => this.answer(item, at, many ? Array.from(event.target.selectedOptions, (option) => option.value) : event.target.value) },
          many ? null : h("option", { value: "" }, say("choose")),
          this.form.choices(item, at).map((choice) => h("option", { value: choice.name, selected: chosen.has(choice.name) }, this.words(choice.label) || choice.name)));
      }
      case "integer":
      case "decimal":
      case "range": {
        const { start, end, step } = item.parameters || {};
        return h("input", {
          ...common, type: "number", inputmode: item.type === "integer" ? "numeric" : "decimal", step: step || (item.type === "integer" ? 1 : "any"), min: start, max: end, value: value ?? "",
          oninput: (event) => this.answer(item, at, event.target.value === "" ? "" : Number(event.target.value)),
        });
      }
      case "date": return h("input", { ...common, type: "date", value: value || "", onchange: (event) => this.answer(item, at, event.target.value) });
      case "time": return h("input", { ...common, type: "time", value: value || "", onchange: (event) => this.answer(item, at, event.target.value) });
      case "datetime": return h("input", { ...common, type: "datetime-local", value: (value || "").slice(0, 16), onchange: (event) => this.answer(item, at, event.target.value) });
      case "acknowledge": return h("input", { ...common, type: "checkbox", checked: value === true, onchange: (event) => this.answer(item, at, event.target.checked || "") });
      case "geopoint": return this.geopoint(item, at, id, value);
      case "image":
      case "audio":
      case "video":
      case "file": return this.file(item, at, id, value, described);
      default:
        return /multiline/.test(item.appearance)
          ? h("textarea", { ...common, rows: 4, value: value || "", oninput: put })
          : h("input", { ...common, type: "text", inputmode: /numbers/.test(item.appearance) ? "numeric" : undefined, value: value ?? "", oninput: put, autocomplete: "off" });
    }
  }

  geopoint(item, at, id, value) {
    const shown = h("output", { id: `${id}-isi` });
    const tell = (text) => {
      const parts = (text || "").split(" ");
      shown.textContent = text ? say("place", { lat: Number(parts[0]).toFixed(5), lon: Number(parts[1]).toFixed(5), metres: Math.round(Number(parts[3]) || 0) }) : say("no_place");
    };
    tell(value);
    const button = h("button", { type: "button", id, class: "secondary", onclick: () => {
      if (!navigator.geolocation) { shown.textContent = say("no_gps"); return; }
      button.setAttribute("aria-busy", "true");
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        button.removeAttribute("aria-busy");
        const text = [coords.latitude.toFixed(6), coords.longitude.toFixed(6), (coords.altitude || 0).toFixed(1), (coords.accuracy || 0).toFixed(1)].join(" ");
        tell(text);
        this.answer(item, at, text);
      }, () => { button.removeAttribute("aria-busy"); shown.textContent = say("gps_failed"); }, { enableHighAccuracy: true, timeout: 30000, maximumAge: 0 });
    } }, say("take_place"));
    return h("div", { class: "visit-row" }, button, shown);
  }

  file(item, at, id, value, described) {
    const picture = item.type === "image";
    const box = h("div", { class: "visit-file" });
    const input = h("input", {
      id, type: "file", "aria-describedby": described, accept: picture ? "image/*" : item.type === "file" ? undefined : `${item.type}/*`,
      capture: picture && !/new-front/.test(item.appearance) ? "environment" : picture ? "user" : undefined,
      "aria-label": this.words(item.label),
      onchange: async () => {
        const chosen = input.files[0];
        if (!chosen) return;
        const element = input.closest(".field");
        this.mark(element, "");
        try {
          if (!picture && chosen.size > LARGEST_OTHER) throw new Error("too_large");
          const content = picture ? await shrink(chosen) : await chosen.arrayBuffer();
          const key = uuid(), ending = picture ? "jpg" : (/\.(\w{1,5})$/.exec(chosen.name) || ["", "bin"])[1];
          const kept = { key, instance: this.draft.instance, path: item.path, name: `${key}.${ending}`, media_type: picture ? "image/jpeg" : chosen.type, sha256: await sha256(content), size: content.byteLength, content, confirmed: false };
          await store.saveFile(kept);
          const former = this.container(item.path, at)[item.path];
          this.answer(item, at, kept.name);
          await this.saving;
          if (former) await this.dropNamed(former);
          await this.preview(box, item, at, kept);
        } catch (error) {
          this.mark(element, say(error.name === "QuotaExceededError" ? "storage_full" : error.message === "too_large" ? "file_too_large" : "photo_unreadable"));
        }
        input.value = "";
      },
    });
    box.append(input);
    const place = h("div", { class: "visit-preview" });
    box.append(place);
    if (value) store.filesOf(this.draft.instance).then((files) => { const kept = files.find((one) => one.name === value); if (kept) this.preview(box, item, at, kept); });
    return box;
  }

  async dropNamed(name) {
    const kept = (await store.filesOf(this.draft.instance)).find((one) => one.name === name);
    if (kept) await store.dropFile(kept.key);
  }

  async preview(box, item, at, kept) {
    const place = box.querySelector(".visit-preview");
    let shown = h("span", {}, kept.name);
    if (kept.media_type === "image/jpeg") {
      try {
        shown = await draw(new Blob([kept.content], { type: "image/jpeg" }), PREVIEW);
        shown.setAttribute("role", "img");
        shown.setAttribute("aria-label", say("photo_of", { what: this.words(item.label) }));
      } catch (error) { /* the name will do */ }
    }
    place.replaceChildren(shown, h("button", { type: "button", class: "secondary small", onclick: async () => {
      this.answer(item, at, "");
      await this.saving;
      await this.dropNamed(kept.name);
      place.replaceChildren();
      box.querySelector("input").focus();
    } }, say("remove_file")));
  }

  // The end

  async summary() {
    const problems = this.problems();
    const files = await store.filesOf(this.draft.instance);
    return h("section", { class: "card" },
      problems.length
        ? [h("div", { class: "alert alert-warning" }, say("incomplete", { n: problems.length })),
           h("ul", { class: "visit-problems" }, problems.map(({ item, problem, number }) => h("li", {}, h("a", { href: "#", onclick: (event) => { event.preventDefault(); this.go(number); } }, this.words(item.label) || item.name), ": ", problem)))]
        : [h("p", {}, say("complete")), h("p", { class: "muted" }, say("photos", { n: files.length }))],
      h("div", { class: "visit-steps" },
        h("button", { type: "button", class: "secondary big", onclick: () => this.go(this.number - 1) }, say("previous")),
        h("button", { type: "button", class: "big", disabled: problems.length > 0, onclick: () => this.send() }, say("finish"))),
      h("details", { class: "visit-discard" }, h("summary", {}, say("discard")),
        h("p", {}, say("discard_sure")), h("button", { type: "button", class: "danger", onclick: async () => { await this.saving; await store.dropDraft(this.visit.key); this.leave(say("discarded")); } }, say("discard_now"))));
  }

  // Answers as they are sent: without what is not asked after all, with what is reckoned.
  finished() {
    const now = new Date();
    const pick = (items, given, at) => {
      const found = {};
      for (const item of items) {
        if (!this.form.isRelevant(item.path, at)) continue;
        if (item.kind === "group") Object.assign(found, pick(item.items, given, at));
        else if (item.kind === "repeat") {
          const rows = rowsOf(given, item.path).map((row, i) => pick(item.items, row, { ...at, [item.path]: i + 1 }));
          if (rows.length) found[item.path] = rows;
        } else {
          let value = given[item.path];
          if (item.type === "start") value = this.draft.begun_at;
          else if (item.type === "end") value = localNow(now);
          else if (item.type === "today") value = localNow(now).slice(0, 10);
          else if (item.calculation) value = this.form.reckoned(item.path, at);
          if (!isEmpty(value)) found[item.path] = value;
        }
      }
      return found;
    };
    return pick(this.definition.items, this.draft.answers, {});
  }

  async send() {
    await this.saving;
    const answers = this.finished();
    const text = JSON.stringify(answers);
    const files = [];
    for (const file of await store.filesOf(this.draft.instance)) {
      // A photo of a question that is not asked any more is not sent.
      if (text.includes(JSON.stringify(file.name))) files.push({ key: file.key, name: file.name, path: file.path, media_type: file.media_type, sha256: file.sha256, size: file.size });
      else await store.dropFile(file.key);
    }
    await store.enqueue(this.visit.key, {
      instance: this.draft.instance, visit: this.visit.key, form: this.formId, begun_at: this.draft.begun_at,
      finished_at: localNow(), answers, seen: this.draft.seen, replaces: this.draft.replaces || null, files,
    });
    this.leave(say("queued"));
    registerSync();
    sync.run();
  }
}

// Lets the browser send the queue when there is signal again, even with the page closed.
export async function registerSync() {
  try {
    const registration = await navigator.serviceWorker.ready;
    if (registration.sync) await registration.sync.register("guyub-kirim");
  } catch (error) { /* then on the next opening */ }
}

// A new submission about a visit, with what the form puts in by itself.
export function newDraft(visit, form, language, replaces = null) {
  const begun_at = localNow();
  const draft = { visit: visit.key, instance: uuid(), form: form.id, answers: {}, begun_at, seen: visit.seen, replaces, screen: 0 };
  const filled = new Form(form.definition, draft.answers, { now: begun_at, language });
  const put = (items) => {
    for (const item of items) {
      if (item.kind === "group") put(item.items);
      else if (item.kind === "question" && item.default && !SILENT.has(item.type)) {
        const value = filled.defaultOf(item);
        if (!isEmpty(value)) draft.answers[item.path] = item.type === "select_multiple" ? String(value).split(" ") : value;
      }
    }
  };
  put(form.definition.items);
  putMembers(form.definition, visit, draft);
  return draft;
}

function questionsIn(item) {
  return (item.items || []).flatMap((one) => (one.kind === "group" ? questionsIn(one) : one.kind === "question" ? [one] : []));
}

const memberQuestion = (repeat) => questionsIn(repeat).find((one) => one.field === "member.id");

// A row for each member that the registry knows, where the form has a place for whom it is about.
function putMembers(definition, visit, draft) {
  const members = (visit.seen && visit.seen.members) || [];
  const walk = (items) => items.forEach((item) => {
    if (item.kind === "group") walk(item.items);
    const question = item.kind === "repeat" && memberQuestion(item);
    if (question && members.length) draft.answers[item.path] = members.map((one) => ({ [question.path]: one.id }));
  });
  walk(definition.items);
}

export const language = texts.language;
