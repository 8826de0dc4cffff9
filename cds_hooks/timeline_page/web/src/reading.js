// The reading room's form: asks what is missing, shows the decision before and after, then stores or downloads.
import { Fault, ask } from "./api.js";
import { el, folded, fresh } from "./dom.js";
import { mark, visibilityText } from "./marks.js";
import { complaint } from "./panel.js";
import { dayOf, millimetres, t } from "./texts.js";

const PERMISSION = { granted: "reading.granted", ask: "reading.ask" };
const CHOICES = ["seen", "sought-not-seen", "indeterminate", "not-assessed"];

export function readingRoom(writes, reload, pending) {
  const place = el("div", { class: "reading" });
  const start = el("button", { type: "button", click: () => show(place, null, writes, reload) }, t("reading.open"));
  place.append(el("p", {}, t("reading.lead")), el("p", { class: "buttons" }, start));
  if (pending) place.prepend(waiting(pending, writes, reload));
  return place;
}

// What was sent before the permission to write was asked for: shown again before it is stored.
function waiting(pending, writes, reload) {
  const answer = el("div", { class: "answer", role: "status" });
  preview(answer, () => pending, writes, reload);
  return el("section", { class: "pending" }, el("h3", {}, t("reading.pending")), answer);
}

async function show(place, study, writes, reload) {
  place.setAttribute("aria-busy", "true");
  try {
    const asked = await ask("reading/form", { study });
    const form = build(asked, writes, reload, (other) => show(place, other, writes, reload));
    place.replaceChildren(form);
    form.querySelector("select, input, button")?.focus();
  } catch (fault) {
    place.replaceChildren(complaint(fault));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function build(asked, writes, reload, other) {
  const lesions = asked.lesions.filter((one) => one.readable !== false).map(lesionFields);
  const unreadable = asked.lesions.filter((one) => one.readable === false).map((one) => one.label);
  const first = lesions.filter(({ lesion }) => lesion.asked);
  const rest = lesions.filter(({ lesion }) => !lesion.asked);
  const examination = asked.examination && examinationFields(asked.examination);
  const answer = el("div", { class: "answer", role: "status" });
  const form = el("form", { class: "reading-form", novalidate: true, autocomplete: "off" },
    el("p", {}, studyChoice(asked, other)), asks(asked.asks),
    examination && (asked.examination.needed ? examination.box : folded(t("reading.examination"), examination.box)),
    el("p", { class: "hint" }, t("reading.keys")), first.map(({ box }) => box),
    rest.length > 0 && (first.length ? folded(`${t("matrix.lesion")}: ${rest.map(({ lesion }) => lesion.label).join(", ")}`, rest.map(({ box }) => box)) : rest.map(({ box }) => box)),
    unreadable.length > 0 && el("p", { class: "hint" }, t("reading.unreadable", { labels: unreadable.join(", ") })),
    el("p", { class: "hint" }, t(PERMISSION[writes] ?? "reading.downloadOnly")),
    el("p", { class: "buttons" }, el("button", { type: "submit" }, t("reading.preview"))), answer);
  const collect = () => gathered(asked.study, lesions, examination);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    preview(answer, collect, writes, reload);
  });
  form.addEventListener("input", () => answer.childElementCount && stale(answer));
  return form;
}

function studyChoice({ study, studies }, other) {
  const choice = el("select", { change: ({ target }) => other(target.value) },
    studies.map((one) => el("option", { value: one.id, selected: one.id === study }, [dayOf(one), one.modality ?? t("modality.none"), one.asked && `(${t("reading.asked")})`].filter(Boolean).join(" "))));
  return el("label", {}, `${t("reading.study")} `, choice);
}

function asks(given) {
  if (!given?.length) return el("p", { class: "quiet" }, t("reading.noAsks"));
  return el("section", { class: "asks" }, el("h3", {}, t("reading.asks")), el("ul", { class: "bullets" }, given.map(({ label, text }) => el("li", {}, label ? `${label}: ${text}` : text))));
}

function examinationFields({ known, options }) {
  const chosen = (name, given) => el("select", { name }, el("option", { value: "" }, t("reading.notSaid")),
    (given ?? []).map(({ code, display }) => el("option", { value: code, selected: known?.[name] === code }, display)));
  const yes = (name) => el("select", { name }, el("option", { value: "" }, t("reading.notSaid")),
    [true, false].map((value) => el("option", { value: String(value), selected: known?.[name] === value }, t(value ? "yes" : "no"))));
  const fields = { adequacy: chosen("adequacy", options?.adequacy), agent: chosen("agent", options?.agent), hbp: yes("hbp"), dwi: yes("dwi"), coverage: chosen("coverage", options?.coverage),
    sliceMm: el("input", { name: "sliceMm", inputmode: "decimal", size: 5, value: known?.sliceMm }) };
  const names = { adequacy: "reading.adequacy", agent: "reading.agent", hbp: "reading.hbp", dwi: "reading.dwi", coverage: "reading.coverage", sliceMm: "reading.slice" };
  const box = el("fieldset", { class: "examination" }, el("legend", {}, t("reading.examination")),
    Object.entries(fields).map(([name, field]) => el("label", {}, t(names[name]), " ", field)));
  return { box, fields, before: values(fields) };
}

function values(fields) {
  const found = {};
  for (const [name, field] of Object.entries(fields)) {
    const text = field.value.trim();
    if (text === "") continue;
    found[name] = name === "hbp" || name === "dwi" ? text === "true" : name === "sliceMm" ? millimetresOf(text, t("reading.slice")) : text;
  }
  return found;
}

function lesionFields(lesion) {
  const name = fresh("visibility");
  const known = CHOICES.includes(lesion.known?.visibility) ? lesion.known.visibility : "";
  const radio = (value, text, place) => el("label", {}, el("input", { type: "radio", name, value, checked: value === known }), value && mark(value), el("kbd", {}, place), ` ${text}`);
  const size = el("input", { inputmode: "decimal", size: 5, value: lesion.known?.mm });
  const small = el("input", { type: "checkbox" });
  const radios = el("div", { class: "choices" }, CHOICES.map((value, place) => radio(value, visibilityText(value), place + 1)), radio("", t("reading.notRead"), 0));
  const sizes = el("div", { class: "sizes" }, el("label", {}, `${t("reading.size")} `, size), el("label", {}, small, ` ${t("reading.small")}`));
  const onRecord = lesion.known ? t("reading.known", { what: [visibilityText(lesion.known.visibility), lesion.known.mm === null ? null : millimetres(lesion.known.mm)].filter(Boolean).join(", ") }) : t("reading.noneKnown");
  const box = el("fieldset", { class: lesion.asked ? "lesion-fields asked" : "lesion-fields", "data-lesion": lesion.id },
    el("legend", {}, `${lesion.label}, ${lesion.segment ? t("matrix.segment", { segment: lesion.segment }) : t("matrix.noSegment")}`, lesion.asked && el("em", {}, ` ${t("reading.asked")}`)),
    el("p", { class: "hint" }, [lastSeen(lesion), onRecord].filter(Boolean).join("; ")), radios, sizes);
  const said = () => box.querySelector(`input[name="${name}"]:checked`)?.value ?? "";
  const settle = () => { sizes.hidden = said() !== "seen"; };
  box.addEventListener("change", settle);
  box.addEventListener("keydown", (event) => {
    if (!/^[0-4]$/.test(event.key) || event.target === size || event.ctrlKey || event.altKey || event.metaKey) return;
    const chosen = radios.querySelectorAll("input")[event.key === "0" ? CHOICES.length : Number(event.key) - 1];
    chosen.checked = true;
    chosen.focus();
    chosen.dispatchEvent(new Event("input", { bubbles: true }));
    settle();
    event.preventDefault();
  });
  settle();
  return { lesion, box, said, size, small, before: JSON.stringify([known, known === "seen" ? lesion.known?.mm ?? null : null]) };
}

const lastSeen = ({ lastSeen: at }) => (at ? t("reading.lastSeen", { mm: millimetres(at.mm), day: at.day ?? t("day.none") }) : null);

class Unusable extends Error {}

function millimetresOf(text, label) {
  const value = Number(text.replace(",", "."));
  if (!Number.isFinite(value) || value <= 0) throw new Unusable(t("reading.badSize", { label }));
  return value;
}

// Only what this reading says anew: what already stands on record is not written a second time.
function gathered(study, lesions, examination) {
  const reading = { study, lesions: [] };
  for (const { lesion, said, size, small, before } of lesions) {
    const visibility = said();
    if (!visibility) continue;
    const sized = visibility === "seen"; // only what is seen has a size
    const text = sized && !small.checked ? size.value.trim() : "";
    const mm = text === "" ? null : millimetresOf(text, lesion.label);
    if (!(sized && small.checked) && JSON.stringify([visibility, mm]) === before) continue;
    reading.lesions.push({ lesion: lesion.id, visibility, ...(mm === null ? {} : { mm }), ...(sized && small.checked ? { tooSmall: true } : {}) });
  }
  const now = examination && values(examination.fields);
  if (now && JSON.stringify(now) !== JSON.stringify(examination.before)) {
    if (!now.adequacy) throw new Unusable(t("reading.needsAdequacy"));
    reading.examination = now;
  }
  if (!reading.lesions.length && !reading.examination) throw new Unusable(t("reading.nothing"));
  return reading;
}

async function preview(answer, collect, writes, reload) {
  try {
    const reading = collect();
    answer.setAttribute("aria-busy", "true");
    const shown = await ask("reading/preview", reading);
    if (JSON.stringify(collect()) !== JSON.stringify(reading)) return stale(answer);
    const store = el("button", { type: "button", class: "store", click: () => send(answer, reading, shown, writes, reload) }, t(writes === "download" ? "reading.download" : "reading.store"));
    const save = writes !== "download" && el("button", { type: "button", class: "quiet-button", click: () => download(answer, shown.bundle) }, t("reading.download"));
    const usable = !shown.problems?.length;
    answer.replaceChildren(...[usable ? compared(shown) : problems(shown.problems), usable && el("p", { class: "buttons" }, store, save), el("div", { class: "outcome" })].filter(Boolean));
  } catch (fault) {
    answer.replaceChildren(fault instanceof Unusable ? problems([fault.message]) : complaint(fault));
  } finally {
    answer.removeAttribute("aria-busy");
  }
}

const problems = (texts) => el("div", { class: "failure" }, el("h3", {}, t("reading.problems")), el("ul", { class: "bullets" }, texts.map((text) => el("li", {}, text))));

function compared({ before, after, changes }) {
  const change = (one) => el("tr", {}, el("th", { scope: "row" }, one.label), el("td", {}, one.beforeText ?? one.before), el("td", {}, one.afterText ?? one.after));
  const cardsOf = (key, { cards }) => el("section", {}, el("h4", {}, t(key)), cards.length ? el("ul", { class: "bullets" }, cards.map(({ summary }) => el("li", {}, summary))) : el("p", {}, t("reading.noCards")));
  return el("section", { class: "compared" }, el("h3", {}, t("reading.changes")),
    changes.length ? el("table", { class: "plain" }, el("thead", {}, el("tr", {}, [t("matrix.lesion"), t("reading.before"), t("reading.after")].map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, changes.map(change))) : el("p", {}, t("reading.noChange")),
    el("div", { class: "scales" }, cardsOf("reading.cardsBefore", before), cardsOf("reading.cardsAfter", after)));
}

async function send(answer, reading, shown, writes, reload) {
  const outcome = answer.querySelector(".outcome");
  const button = answer.querySelector(".store");
  button.disabled = true;
  try {
    const done = await ask("reading", reading);
    if (done.stored) outcome.replaceChildren(el("p", { class: "done" }, t("reading.stored", { n: done.resources?.length ?? 0 })), el("p", { class: "buttons" }, el("button", { type: "button", click: reload }, t("reading.reload"))));
    else if (done.authorise) outcome.replaceChildren(authorise(done.authorise, button));
    else download(answer, done.bundle ?? shown.bundle);
  } catch (fault) {
    outcome.replaceChildren(el("p", {}, t("reading.failed")), complaint(fault));
    button.disabled = false;
  }
}

// The sign-in takes the place of the page, or a tab of its own where the page stands in a frame of the chart.
function authorise(url, button) {
  if (!/^https?:\/\//.test(new URL(url, location.href).href)) throw new Fault([t("failure.shape")]);
  button.disabled = false;
  const target = globalThis.self === globalThis.top ? null : "_blank";
  return el("p", {}, el("a", { href: url, target, rel: target && "noreferrer" }, t("reading.authorise")), `. ${t("reading.authoriseHow")}`);
}

function download(answer, bundle) {
  const name = "reading.json";
  const address = URL.createObjectURL(new Blob([JSON.stringify(bundle, null, 2)], { type: "application/fhir+json" }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  answer.querySelector(".outcome").replaceChildren(el("p", { class: "done" }, t("reading.downloaded", { name })));
}

// What was previewed is not what the form says any more.
function stale(answer) {
  answer.replaceChildren(el("p", { class: "hint" }, t("reading.changed")));
}
