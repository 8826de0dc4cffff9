// A schematic liver from the front, drawn here, with each lesion at its Couinaud segment; and the theatre list.
import { el, svg, table } from "./dom.js";
import { render } from "../../../page/static/markdown.js";
import { absent, t } from "./texts.js";

// The outline cuts what the segments leave over; places are where lesions and names stand.
const OUTLINE = "M38 236C26 128 96 52 236 40c92-8 132 14 196 24 92 14 204 4 246 26 34 18-30 74-112 108-74 30-118 54-158 96-66 68-150 128-254 130C84 426 50 344 38 236Z";
const SEGMENTS = {
  VII: { points: "0,0 236,0 210,226 0,226", name: [112, 104], at: [142, 150], room: [150, 140] },
  VIII: { points: "236,0 372,0 340,226 210,226", name: [254, 66], at: [288, 112], room: [124, 120] },
  VI: { points: "0,226 210,226 188,460 0,460", name: [66, 262], at: [122, 292], room: [150, 150] },
  V: { points: "210,226 340,226 280,460 188,460", name: [216, 262], at: [256, 294], room: [104, 150] },
  IVa: { points: "372,0 478,0 468,166 351,166", name: [384, 84], at: [416, 114], room: [104, 76] },
  IVb: { points: "351,166 468,166 424,330 280,460 340,226", name: [362, 196], at: [384, 236], room: [100, 90] },
  II: { points: "478,0 720,0 720,66 470,146", name: [490, 90], at: [590, 90], room: [160, 44] },
  III: { points: "470,146 720,66 720,300 424,330 468,166", name: [474, 166], at: [540, 168], room: [140, 60] },
};
const CAUDATE = { name: [331, 144], at: [338, 172], room: [110, 66] };
const STEP = [62, 42];
// So many lesions and more are printed smaller, so that about twenty still fit on one page.
const MANY = 8;

const GONE = new Set(["APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"]);
const SEEN = new Set(["VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED"]);
const state = ({ status }) => (status === "TREATED" ? "treated" : GONE.has(status) ? "gone" : SEEN.has(status) ? "seen" : "unclear");

const latest = (lesion, visibility) => lesion.landmarks.filter((one) => one.latest?.visibility === visibility).map((one) => one.modality);

export function liverMap(document, sheet) {
  const place = (lesion) => (lesion.segments?.length ? lesion.segments : [lesion.segment])[0];
  const homes = new Map();
  for (const lesion of document.lesions) {
    const home = known(place(lesion));
    homes.set(home, [...(homes.get(home) ?? []), lesion]);
  }
  const nowhere = homes.get(null) ?? [];
  return el("div", { class: document.lesions.length > MANY ? "map many" : "map" },
    el("div", { class: "map-picture" }, picture(homes),
      nowhere.length > 0 && el("p", { class: "nowhere" }, el("b", {}, `${t("map.nowhere")}: `), nowhere.map((one) => one.label).join(", ")),
      keyList(), el("p", { class: "hint" }, t("map.schematic"))),
    el("div", { class: "map-side" }, el("h3", {}, t("map.list")), theatre(document)),
    document.lesions.length > 0 && el("div", { class: "map-table" }, lesionTable(document)),
    el("p", { class: "buttons no-print" }, sheet));
}

// IV without a letter stands at IVa; an unknown name stands nowhere.
function known(segment) {
  const name = String(segment ?? "").trim();
  const exact = { iva: "IVa", ivb: "IVb", iv: "IVa" }[name.toLowerCase()] ?? name.toUpperCase();
  return exact === "I" || exact in SEGMENTS ? exact : null;
}

function picture(homes) {
  const shape = ([name, { points }]) => svg("polygon", { points, class: "segment", "data-segment": name });
  const label = (name, [x, y]) => svg("text", { x, y, class: "segment-name" }, name);
  return el("div", { class: "liver-box", dir: "ltr" },
    svg("svg", { viewBox: "0 0 720 440", class: "liver", role: "img", "aria-labelledby": "liver-picture" },
      svg("title", { id: "liver-picture" }, t("map.picture")),
      svg("clipPath", { id: "liver-outline" }, svg("path", { d: OUTLINE })),
      svg("g", { "clip-path": "url(#liver-outline)" }, Object.entries(SEGMENTS).map(shape)),
      svg("path", { d: OUTLINE, class: "outline" }),
      svg("ellipse", { cx: 344, cy: 164, rx: 40, ry: 36, class: "caudate", "data-segment": "I" }),
      label("I", CAUDATE.name), Object.entries(SEGMENTS).map(([name, { name: at }]) => label(name, at)),
      svg("text", { x: 8, y: 432, class: "side" }, t("map.right")), svg("text", { x: 712, y: 432, class: "side", "text-anchor": "end" }, t("map.left")),
      [...homes].filter(([home]) => home).map(([home, lesions]) => cluster(home === "I" ? CAUDATE : SEGMENTS[home], lesions))));
}

// A crowd stands in the rows and columns that let it be drawn largest within its segment.
function cluster({ at: [x, y], room: [width, height] }, lesions) {
  const layouts = lesions.map((_one, n) => [n + 1, Math.ceil(lesions.length / (n + 1))])
    .map(([columns, rows]) => ({ columns, rows, scale: Math.min(1, width / (columns * STEP[0]), height / (rows * STEP[1])) }));
  const { columns, rows, scale } = layouts.reduce((best, one) => (one.scale > best.scale ? one : best));
  // A symbol's name stands to its right, so a row begins a little further left.
  const first = x - ((columns - 1) / 2) * STEP[0] * scale - (columns > 1 ? 14 * scale : 0);
  return lesions.map((lesion, n) => symbol(lesion, scale,
    first + (n % columns) * STEP[0] * scale, y + (Math.floor(n / columns) - (rows - 1) / 2) * STEP[1] * scale));
}

function symbol(lesion, scale, x, y) {
  const kind = state(lesion);
  const gone = latest(lesion, "sought-not-seen");
  const shapes = {
    seen: () => svg("circle", { r: 9, class: "dot" }),
    gone: () => svg("circle", { r: 9, class: "ring" }),
    unclear: () => [svg("path", { d: "M0-11 11 0 0 11-11 0Z", class: "ring" }), svg("text", { y: 4.5, "text-anchor": "middle", class: "query" }, "?")],
    treated: () => [svg("rect", { x: -8, y: -8, width: 16, height: 16, class: "ring" }), svg("path", { d: "M-8 8 8-8", class: "bar" })],
  };
  return svg("g", { class: `lesion ${kind}`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(2)})`, "data-lesion": lesion.id },
    lesion.inPlannedSpecimen === true && svg("rect", { x: -14, y: -14, width: 28, height: 28, rx: 3, class: "specimen" }),
    shapes[kind](),
    lesion.marker === true && svg("path", { d: "M-4 0H4M0-4V4", class: kind === "seen" ? "marker light" : "marker" }),
    svg("text", { x: 13, y: -5, class: "name" }, short(lesion.label)),
    gone.length > 0 && svg("text", { x: 13, y: 9, class: "modalities" }, gone.join(" ")));
}

const short = (label) => (label.length > 12 ? `${label.slice(0, 11)}…` : label);

function keyList() {
  const item = (lesion, key) => el("li", {}, svg("svg", { viewBox: "-16 -16 32 32", width: 22, height: 22, "aria-hidden": "true", class: "liver-key" },
    symbol({ id: "", label: "", landmarks: [], marker: null, inPlannedSpecimen: null, ...lesion }, 1, 0, 0)), t(`map.key.${key}`));
  return el("ul", { class: "legend map-key" }, item({ status: "VISIBLE" }, "seen"), item({ status: "APPARENT_DLM" }, "gone"), item({ status: "CANNOT_DECIDE" }, "unclear"),
    item({ status: "TREATED" }, "treated"), item({ status: "VISIBLE", marker: true }, "marker"), item({ status: "VISIBLE", inPlannedSpecimen: true }, "specimen"));
}

function theatre({ theatre: lines }) {
  if (!lines.length) return el("p", { class: "quiet" }, t("map.noList"));
  return el("ol", { class: "theatre" }, lines.map((line) => el("li", {}, render(line))));
}

function lesionTable(document) {
  const { lesions } = document;
  const yes = (value) => (value === true ? t("yes") : value === false ? t("no") : absent(document));
  const rows = lesions.map((one) => [one.label, (one.segments?.length ? one.segments : [one.segment]).filter(Boolean).join(", ") || absent(document), one.statusText,
    latest(one, "seen").join(", ") || "–", latest(one, "sought-not-seen").join(", ") || "–", one.markerMigrated ? t("marker.migrated") : yes(one.marker), yes(one.inPlannedSpecimen)]);
  return table(t("map.lesions"), [t("matrix.lesion"), t("fact.segment"), t("matrix.status"), t("map.seenOn"), t("map.goneOn"), t("fact.marker"), t("fact.specimen")], rows);
}
