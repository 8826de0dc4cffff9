// The page: opens the session, reads the record, draws its parts; a fault is shown as "not assessed", never as nothing.
import { Fault, LIMIT_SECONDS, ask, openSession } from "./api.js";
import { cards } from "./cards.js";
import { el, folded } from "./dom.js";
import { liverMap } from "./liver.js";
import { matrix } from "./matrix.js";
import { openPanel } from "./panel.js";
import { plots } from "./plots.js";
import { readingRoom } from "./reading.js";
import { named, speak, t } from "./texts.js";

const SLOW_SECONDS = 5;
const main = document.querySelector("#main");
const top = document.querySelector("#top");
let session = null;
let over = 0;

async function start() {
  speak(navigator.language);
  bar(null);
  let slow = 0;
  try {
    busy(t("busy.session"));
    session = await openSession();
    expire(session.expiresIn);
    const said = busy(t("busy.data"));
    slow = setTimeout(() => { said.textContent = t("busy.slow", { seconds: SLOW_SECONDS, limit: LIMIT_SECONDS }); }, SLOW_SECONDS * 1000);
    draw(checked(await ask("data")));
  } catch (fault) {
    if (!(fault instanceof Fault)) console.error(fault);
    failed(fault);
  } finally {
    clearTimeout(slow);
    main.removeAttribute("aria-busy");
  }
}

// A page left open shows nobody the patient once the session is over.
function expire(seconds) {
  clearTimeout(over);
  if (!(seconds > 0)) return;
  over = setTimeout(() => {
    for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
    session = null;
    bar(null);
    failed(new Fault([], { session: true }));
  }, Math.min(seconds * 1000, 2 ** 31 - 1));
}

function busy(text) {
  const said = el("p", { role: "status" }, text);
  main.setAttribute("aria-busy", "true");
  main.replaceChildren(el("div", { class: "busy" }, el("span", { class: "spinner", "aria-hidden": "true" }), said));
  return said;
}

// Half a document is worse than none.
function checked(found) {
  const lists = ["studies", "lesions", "treatments", "cards", "findings", "cea", "waterfall", "theatre", "gaps"];
  if (found?.schema !== 1 || !lists.every((name) => Array.isArray(found[name]))) throw new Fault([t("failure.shape")]);
  return found;
}

function failed(fault) {
  const ended = fault instanceof Fault && fault.session;
  const texts = fault instanceof Fault ? fault.texts : [t("failure.part")];
  main.replaceChildren(el("section", { class: "failure whole", role: "alert" },
    el("h1", {}, ended ? t("session.none") : t("failure.title")),
    el("p", {}, ended ? t("session.how") : t("failure.lead")), texts.map((text) => el("p", { class: "detail-text" }, text)),
    el("p", { class: "buttons" }, el("button", { type: "button", click: start }, t("again")))));
}

function bar(patient) {
  top.replaceChildren(
    el("a", { class: "skip", href: "#main" }, t("skip")),
    el("p", { class: "brand" }, el("img", { src: "static/icon.svg", width: 26, height: 26, alt: "" }), "Vestige ", el("span", {}, t("title"))),
    session?.demo && el("p", { class: "notice" }, t("synthetic")) || "",
    patient ? el("button", { type: "button", class: "leave", click: leave }, t("leave")) : "");
}

async function leave() {
  try {
    await ask("logout");
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return failed(fault);
  }
  session = null;
  clearTimeout(over);
  bar(null);
  return main.replaceChildren(el("p", { class: "quiet" }, t("left")));
}

function draw(found) {
  speak(found.language);
  bar(found.patient);
  document.title = t("title");
  const selected = session.selected ?? [];
  const sheet = el("button", { type: "button", click: toggleSheet }, t("map.sheet"));
  const parts = [
    ["matrix", () => matrix(found, selected, (id, back) => openPanel(found, id, back))],
    ["cards", () => cards(found)],
    ["map", () => liverMap(found, sheet)],
    ["plots", () => plots(found)],
    ["reading", () => readingRoom(found.writes ?? "download", start, session.pending)],
  ];
  main.replaceChildren(head(found, selected), contents(parts), el("div", { class: "sheet-bar no-print" },
    el("button", { type: "button", click: toggleSheet }, t("map.back")), el("button", { type: "button", click: () => print() }, t("map.print"))),
    ...parts.map(([name, make]) => part(name, make)), foot(found));
  if (session.pending) document.querySelector("#reading").scrollIntoView();
}

const contents = (parts) => el("nav", { class: "contents no-print", "aria-label": t("nav") },
  el("ul", {}, parts.map(([name]) => el("li", {}, el("a", { href: `#${name}` }, t(`${name}.title`))))));

// A part that cannot be drawn says so, and leaves the others standing.
function part(name, make) {
  const box = el("section", { id: name, class: "part", "aria-labelledby": `${name}-title`, tabindex: "-1" }, el("h2", { id: `${name}-title` }, t(`${name}.title`)));
  try {
    box.append(make());
  } catch (error) {
    console.error(error);
    box.append(el("p", { class: "failure", role: "alert" }, t("failure.part")));
  }
  return box;
}

function toggleSheet() {
  const on = document.body.classList.toggle("sheet");
  document.querySelector(on ? ".sheet-bar button" : "#map .buttons button")?.focus();
}

function head(found, selected) {
  const { patient, patientStatus, lesions, rulePack } = found;
  const status = patientStatus?.value ? named("status", patientStatus.value) : t("status.none");
  const labels = lesions.filter((lesion) => selected.includes(lesion.id)).map((lesion) => lesion.label);
  const open = lesions.filter((lesion) => lesion.status === "CANNOT_DECIDE").map((lesion) => lesion.label);
  const decisive = found.gaps.filter((gap) => gap.decisive);
  return el("header", { class: "patient" },
    el("h1", {}, patient.display ?? patient.id), " ",
    el("p", {}, [patient.birthDate && t("born", { day: patient.birthDate }), t("today", { day: found.today })].filter(Boolean).join(" · ")),
    el("p", { class: "pack" }, t("pack", rulePack)),
    found.undecided
      ? el("div", { class: "failure", role: "alert" }, el("h2", {}, t("failure.title")), el("p", {}, t("undecided")))
      : el("p", { class: "patient-status" }, el("b", {}, status), patientStatus?.certainty && ` (${t("status.certainty", patientStatus)})`,
        open.length > 0 && [". ", el("span", { class: "flag" }, t("status.undecided", { labels: open.join(", ") }))]),
    labels.length > 0 && el("p", { class: "hint" }, t("selected", { labels: labels.join(", ") })),
    [...(rulePack.refused ?? []), ...(rulePack.alarms ?? []).map((alarm) => alarm.message)].map((what) => el("p", { class: "failure" }, t("alarm", { what }))),
    decisive.length > 0 && el("div", { class: "failure" }, el("h2", {}, t("gaps.title")), el("p", {}, t("gaps.decisive")), gapList(decisive)));
}

const gapList = (gaps) => el("ul", { class: "bullets" }, gaps.map((gap) => el("li", {}, [gap.resource, gap.reasonText ?? gap.reason, gap.detail].filter(Boolean).join(": "))));

function foot(found) {
  const rest = found.gaps.filter((gap) => !gap.decisive);
  const lines = (given) => el("ul", { class: "bullets" }, given.map((one) => el("li", {}, [one.resource, one.reason, one.detail].filter(Boolean).join(": "))));
  return el("footer", { class: "foot" },
    rest.length > 0 && folded(t("gaps.title"), gapList(rest)),
    found.notUsed?.length > 0 && folded(t("notUsed.title", { n: found.notUsed.length }), lines(found.notUsed)),
    found.notes?.length > 0 && folded(t("notes.title", { n: found.notes.length }), lines(found.notes)));
}

start();
