// One lesion in a dialog: what every study said, why the status is what it is, and the FHIR resources behind it.
import { Fault, ask } from "./api.js";
import { el, folded, table, whole } from "./dom.js";
import { indicatorMark, indicatorText, mark, sizeText, visibilityText } from "./marks.js";
import { absent, dayOf, millimetres, t } from "./texts.js";

export function openPanel(document, id, back) {
  const lesion = document.lesions.find((one) => one.id === id);
  // Where the focus goes once the dialog is gone: the close event comes later than close().
  let then = () => back?.focus();
  const close = el("button", { type: "button", class: "quiet-button", click: () => dialog.close() }, t("close"));
  const why = el("div", { class: "why", role: "status" }, t("panel.whyBusy"));
  const dialog = el("dialog", { class: "panel", "aria-labelledby": "panel-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "panel-title" }, `${lesion.label}: ${lesion.statusText}`), close),
    reasons(lesion), openAdvice(lesion, (card) => { then = () => toCard(card); dialog.close(); }), facts(document, lesion), sightings(document, lesion), events(lesion),
    el("section", {}, el("h3", {}, t("panel.why")), why));
  dialog.addEventListener("close", () => {
    dialog.remove();
    then();
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  globalThis.document.body.append(dialog);
  dialog.showModal();
  tell(why, id);
}

function reasons({ reasons: given }) {
  return given.length > 0 && el("section", {}, el("h3", {}, t("panel.reasons")), el("ul", { class: "bullets" }, given.map(({ text }) => el("li", {}, text))));
}

function openAdvice({ openAdvice: open }, lead) {
  if (!open.length) return null;
  const item = (one) => el("li", { class: one.indicator }, indicatorMark(one.indicator), el("b", {}, indicatorText(one.indicator)), el("span", {}, one.summary),
    el("button", { type: "button", class: "link", click: () => lead(one.card) }, t("panel.toCard")));
  return el("section", {}, el("h3", {}, t("panel.advice")), el("ul", { class: "advice-list" }, open.map(item)));
}

function toCard(place) {
  const card = globalThis.document.querySelector(`[data-card="${Number(place)}"]`);
  card?.scrollIntoView({ block: "start" });
  card?.focus();
}

function facts(document, lesion) {
  const at = (one) => one && [millimetres(one.mm), one.modality, one.day].filter(Boolean).join(", ");
  const yes = (value) => (value === true ? t("yes") : value === false ? t("no") : null);
  const rows = [
    ["fact.segment", (lesion.segments?.length ? lesion.segments : [lesion.segment]).filter(Boolean).join(", ")],
    ["fact.baseline", at(lesion.baseline)],
    ["fact.lastSeen", at(lesion.lastSeen)],
    ["fact.lastSaid", lesion.lastSaid && [visibilityText(lesion.lastSaid.visibility), lesion.lastSaid.modality, lesion.lastSaid.day].filter(Boolean).join(", ")],
    ["fact.depth", lesion.depthMm === null ? null : millimetres(lesion.depthMm)],
    ["fact.marker", lesion.markerMigrated ? t("marker.migrated") : yes(lesion.marker)],
    ["fact.specimen", yes(lesion.inPlannedSpecimen)],
    ["fact.remnant", yes(lesion.inFutureRemnant)],
    ["fact.target", lesion.targetRole],
    ["fact.disposition", lesion.disposition && [lesion.disposition.text, lesion.disposition.reasonText, lesion.disposition.day, lesion.disposition.draft && t("draft")].filter(Boolean).join(", ")],
    ["fact.treated", lesion.treated.map((one) => [one.kind, one.day].filter(Boolean).join(" ")).join("; ")],
  ];
  return el("section", {}, el("h3", {}, t("panel.facts")),
    el("dl", { class: "facts" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, t(name)), el("dd", {}, whole(value || absent(document)))))));
}

function sightings(document, lesion) {
  const item = (study) => {
    const said = lesion.cells[study.id];
    const visibility = said?.visibility ?? "not-mentioned";
    const more = (said?.statements ?? []).length > 1 && el("ul", { class: "bullets" }, said.statements.map((one) => el("li", {}, statement(one))));
    const notes = (said?.notes ?? []).map((one) => (typeof one === "string" ? one : one?.text)).filter(Boolean);
    return el("li", {},
      el("p", { class: "said" }, mark(visibility), el("b", {}, `${dayOf(study)} ${study.modalityText ?? ""}`), " ", said ? statement(said) : visibilityText(visibility)),
      more, notes.length > 0 && el("p", { class: "hint" }, notes.join("; ")), resources([...(said?.sources ?? []), ...(study.sources ?? [])]));
  };
  return el("section", {}, el("h3", {}, t("panel.sightings")), el("ol", { class: "sightings" }, document.studies.map(item)));
}

function statement(said) {
  const traits = ["remnant", "conspicuity", "rim", "hbpSignal", "petAvid"].map((name) => (typeof said[name] === "string" ? said[name] : null));
  return [visibilityText(said.visibility), sizeText(said), ...traits].filter(Boolean).join(", ");
}

function events({ events: given }) {
  if (!given?.length) return null;
  const rows = given.map((one) => [one.day ?? t("day.none"), one.modality ?? "", one.text, one.deltaMm === null ? "" : millimetres(one.deltaMm)]);
  return el("section", {}, el("h3", {}, t("panel.events")),
    table(t("panel.events"), [t("plots.day"), t("study.modality"), t("plots.note"), t("plots.change")], rows));
}

// The resources behind a statement, each fetched when it is asked for and shown as it is.
export function resources(tokens) {
  const unique = [...new Set(tokens ?? [])];
  if (!unique.length) return null;
  const show = (token) => {
    const place = el("div", { role: "status" });
    const button = el("button", { type: "button", class: "token", "aria-expanded": "false", "aria-label": t("panel.show", { token }), click: () => toggle(button, place, token) }, token);
    return el("li", {}, button, place);
  };
  return folded(t("panel.resources"), el("ul", { class: "tokens" }, unique.map(show)));
}

async function toggle(button, place, token) {
  const opened = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!opened));
  if (opened) return place.replaceChildren();
  try {
    const found = (await ask("resources", { tokens: [token] }))?.[token];
    place.replaceChildren(found ? el("pre", { tabindex: "0" }, JSON.stringify(found, null, 2)) : t("panel.gone", { token }));
  } catch (fault) {
    place.replaceChildren(complaint(fault));
  }
}

async function tell(place, lesion) {
  try {
    const { chains } = await ask("why", { lesion });
    place.replaceChildren(chains.length ? el("ul", { class: "chain" }, chains.map((one) => link(one, 0))) : t("panel.noWhy"));
  } catch (fault) {
    place.replaceChildren(complaint(fault));
  }
}

function link({ said, because = [], resources: tokens }, depth) {
  if (!because.length) return el("li", {}, said, resources(tokens));
  return el("li", {}, el("details", { open: depth < 1 }, el("summary", {}, said),
    el("ul", { class: "chain" }, because.map((one) => link(one, depth + 1))), resources(tokens)));
}

export function complaint(fault) {
  if (!(fault instanceof Fault)) throw fault;
  return el("div", { class: "failure" }, fault.texts.map((text) => el("p", {}, text)));
}
