// A plot against days by uPlot, with what it cannot draw: a rail below the axis for studies that gave no size.
import uPlot from "uplot";

import { el, folded, table } from "./dom.js";
import { t } from "./texts.js";

// Colour, dash and shape differ together, so that none of them alone carries a meaning.
const COLOURS = ["#0b6e86", "#a3142b", "#7a4a00", "#5b3c99", "#2e6b1f", "#1d5c96", "#8f2570", "#42545d"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const SHAPES = ["circle", "square", "diamond", "plus"];
const FONT = "12px system-ui, sans-serif";
const RAIL = 22;

export const seconds = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;
const isoDay = (at) => new Date(at * 1000).toISOString().slice(0, 10);

export const look = (place) => ({
  colour: COLOURS[place % COLOURS.length],
  dash: DASHES[Math.floor(place / COLOURS.length) % DASHES.length],
  shape: SHAPES[place % SHAPES.length],
});

// The first and last day of everything that is drawn, so that all plots share one axis of time.
export function span(document) {
  const days = [
    ...document.studies.map((one) => one.day), ...document.cea.map((one) => one.day),
    ...document.treatments.filter((one) => one.status !== "planned").map((one) => one.day),
  ].filter(Boolean).map(seconds);
  if (!days.length) return null;
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const edge = Math.max((last - first) * 0.05, 3 * 86400);
  return [first - edge, last + edge];
}

// lines: [{label, look, points: [{day, value|null, hollow, nadir}]}]; null leaves a gap.
// rails: [{label, shape, days: [day, ...]}]; levels: [{value, label}]; limits: points of the dashed limit.
export function timePlot({ title, note, lines, rails = [], levels = [], range, treatments = [], unit, rows, heads }) {
  const days = [...new Set(lines.flatMap((line) => line.points.map((point) => seconds(point.day))))].sort((a, b) => a - b);
  const data = [days, ...lines.map((line) => aligned(line.points, days))];
  const used = rails.filter((rail) => rail.days.length);
  const place = el("div", { class: "plot", dir: "ltr", role: "img", "aria-label": t("plots.picture", { title }) });
  const readout = el("p", { class: "readout", "aria-hidden": "true" });
  const options = (width) => ({
    width, height: 260 + RAIL * used.length, legend: { show: false },
    padding: [14, 56, 0, 0],
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false }, focus: { prox: 24 }, points: { show: false } }, focus: { alpha: 0.3 },
    scales: { x: { time: true, range: () => range }, y: { range: (_u, low, high) => fitted(low, high, levels) } },
    axes: [
      { font: FONT, stroke: "#14232b", grid: { show: false }, space: 92, size: 34 + RAIL * used.length, values: (_u, splits) => splits.map(isoDay) },
      { font: FONT, stroke: "#14232b", grid: { stroke: "#dde6ea", width: 1 }, size: 58, values: (_u, splits) => splits.map((one) => `${one}${unit ? ` ${unit}` : ""}`) },
    ],
    series: [{}, ...lines.map((line) => ({
      label: line.label, stroke: line.look.colour, width: line.thin ? 1.5 : 2, dash: line.look.dash, spanGaps: false,
      points: { show: false }, paths: line.stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
    }))],
    hooks: {
      drawClear: [(u) => shade(u, treatments)],
      draw: [(u) => marks(u, lines), (u) => level(u, levels), (u) => rail(u, used)],
      setSeries: [(_u, at) => { readout.textContent = at ? spoken(lines[at - 1], unit) : ""; }],
    },
  });
  draw(place, options, data);
  return el("figure", { class: "figure" }, el("figcaption", {}, el("h3", {}, title), note && el("p", { class: "hint" }, note)),
    place, readout, key(lines), folded(t("table"), table(title, heads, rows)));
}

// A canvas needs its width: it is drawn when the page gives it one, and again when that changes.
function draw(place, options, data) {
  let plot = null;
  new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width < 40) return;
    if (plot) plot.setSize({ width, height: plot.height });
    else plot = new uPlot(options(width), data, place);
  }).observe(place);
}

function aligned(points, days) {
  const at = new Map(points.map((point) => [seconds(point.day), point.value]));
  // undefined: the lesion has nothing to do with this day; null: a study of it that gives no value, hence a gap.
  return days.map((day) => (at.has(day) ? at.get(day) : undefined));
}

function fitted(low, high, levels) {
  const all = [low, high, ...levels.map((one) => one.value)].filter((one) => Number.isFinite(one));
  const [least, most] = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
  const edge = Math.max((most - least) * 0.12, 1);
  return [least >= 0 ? Math.max(0, least - edge) : least - edge, most + edge];
}

const spoken = (line, unit) =>
  `${line.label}: ${line.points.filter((point) => point.value !== null).map((point) => `${point.day} ${point.value}${unit ? ` ${unit}` : ""}`).join("; ")}`;

function key(lines) {
  return el("ul", { class: "key" }, lines.map((line) => el("li", {}, sample(line), line.label)));
}

function sample({ look: { colour, dash, shape } }) {
  const drawn = el("canvas", { width: 64, height: 24, "aria-hidden": "true" });
  const pen = drawn.getContext("2d");
  pen.scale(2, 2);
  Object.assign(pen, { strokeStyle: colour, fillStyle: colour, lineWidth: 2 });
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(0, 6);
  pen.lineTo(32, 6);
  pen.stroke();
  pen.setLineDash([]);
  if (shape) symbol(pen, shape, 16, 6, 4);
  return drawn;
}

function symbol(pen, shape, x, y, r, hollow = false) {
  pen.beginPath();
  if (shape === "circle") pen.arc(x, y, r, 0, 7);
  else if (shape === "square") pen.rect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === "diamond") { pen.moveTo(x, y - r * 1.3); pen.lineTo(x + r * 1.3, y); pen.lineTo(x, y + r * 1.3); pen.lineTo(x - r * 1.3, y); pen.closePath(); }
  else if (shape === "nadir") { pen.moveTo(x - r * 1.3, y); pen.lineTo(x + r * 1.3, y); pen.lineTo(x, y + r * 1.7); pen.closePath(); }
  else { pen.moveTo(x - r, y); pen.lineTo(x + r, y); pen.moveTo(x, y - r); pen.lineTo(x, y + r); pen.stroke(); return; }
  if (hollow) pen.stroke();
  else pen.fill();
}

// All hooks paint in device pixels, as uPlot does.
function paint(u, work) {
  const pen = u.ctx;
  pen.save();
  pen.setLineDash([]);
  pen.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  pen.lineWidth = 1.5 * devicePixelRatio;
  pen.textBaseline = "middle";
  work(pen, devicePixelRatio, u.bbox);
  pen.restore();
}

function marks(u, lines) {
  paint(u, (pen, dot, box) => {
    const ends = [];
    pen.textAlign = "left";
    for (const { label, look: style, points, plain } of lines) {
      pen.fillStyle = pen.strokeStyle = style.colour;
      const there = points.filter((point) => point.value !== null);
      for (const point of there) {
        const [x, y] = [u.valToPos(seconds(point.day), "x", true), u.valToPos(point.value, "y", true)];
        if (!plain) symbol(pen, style.shape, x, y, 4 * dot, point.hollow);
        if (point.nadir) symbol(pen, "nadir", x, y + 7 * dot, 4 * dot);
      }
      const end = there.at(-1);
      if (there.length > 1 || (end && lines.length < 4)) ends.push({ label, colour: style.colour, x: u.valToPos(seconds(end.day), "x", true), y: u.valToPos(end.value, "y", true) });
    }
    // Names at the ends of lines keep 13 pixels between each other.
    ends.sort((a, b) => a.y - b.y);
    const step = 13 * dot;
    ends.forEach((end, place) => { end.at = Math.max(end.y, place ? ends[place - 1].at + step : box.top); });
    let lowest = box.top + box.height;
    for (const end of [...ends].reverse()) {
      end.at = Math.min(end.at, lowest);
      lowest = end.at - step;
    }
    for (const end of ends) {
      if (end.at < box.top - step) continue;
      pen.fillStyle = end.colour;
      pen.fillText(end.label, end.x + 9 * dot, end.at);
    }
  });
}

function level(u, levels) {
  paint(u, (pen, dot, box) => {
    pen.setLineDash([6 * dot, 4 * dot]);
    pen.strokeStyle = pen.fillStyle = "#42545d";
    for (const { value, label } of levels) {
      const y = u.valToPos(value, "y", true);
      pen.beginPath();
      pen.moveTo(box.left, y);
      pen.lineTo(box.left + box.width, y);
      pen.stroke();
      pen.textAlign = "left";
      pen.fillText(label, box.left + 4 * dot, y - 8 * dot);
    }
  });
}

function rail(u, rails) {
  paint(u, (pen, dot, box) => {
    rails.forEach(({ label, shape, days }, line) => {
      const y = box.top + box.height + (34 + RAIL * (line + 0.5)) * dot;
      pen.strokeStyle = pen.fillStyle = "#14232b";
      pen.textAlign = "right";
      pen.fillText(label, box.left - 6 * dot, y);
      pen.textAlign = "left";
      const counted = new Map();
      for (const day of days) counted.set(day, (counted.get(day) ?? 0) + 1);
      for (const [day, n] of counted) {
        const x = u.valToPos(seconds(day), "x", true);
        symbol(pen, shape, x, y, 4.5 * dot, true);
        pen.fillText(String(n), x + 8 * dot, y);
      }
    });
  });
}

function shade(u, treatments) {
  paint(u, (pen, dot, box) => {
    for (const one of treatments) {
      if (!one.day || one.status === "planned") continue;
      const from = u.valToPos(seconds(one.day), "x", true);
      const to = one.dayLast ? u.valToPos(seconds(one.dayLast), "x", true) : from;
      pen.fillStyle = one.kind === "cycle" ? "#e3ecf0" : "#c9a24a";
      pen.fillRect(from - 1.5 * dot, box.top, Math.max(3 * dot, to - from), box.height);
    }
  });
}


