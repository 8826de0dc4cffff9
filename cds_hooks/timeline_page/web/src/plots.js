// What is plotted: change per lesion, latest change, CEA and the other measures, each with its table.
import { el, fresh, svg, table, folded } from "./dom.js";
import { visibilityText } from "./marks.js";
import { look, span, timePlot } from "./plot.js";
import { millimetres, named, number, percent, t } from "./texts.js";

export function plots(document) {
  const range = span(document);
  const at = { range, treatments: document.treatments };
  const nothing = (why) => el("p", { class: "quiet" }, t(document.unread ? "plots.notRead" : why));
  return el("div", { class: "figures" }, range && spider(document, at) || nothing("plots.noSpider"),
    document.lesions.length > 0 && waterfall(document), range && cea(document, at) || nothing("plots.noCea"), range && measures(document, at));
}

function spider(document, at) {
  const lines = [];
  const rows = [];
  const unseen = [];
  const unsized = [];
  document.lesions.forEach((lesion, place) => {
    const several = lesion.changes.filter((change) => change.points.some((point) => point.percent !== null)).length > 1;
    for (const change of lesion.changes) {
      const label = several ? `${lesion.label} ${change.modality}` : lesion.label;
      const dated = change.points.filter((point) => point.day);
      if (!dated.some((point) => point.percent !== null)) continue;
      lines.push({ label, look: look(place), points: dated.map((point) => ({ day: point.day, value: point.percent, nadir: point.nadir })) });
    }
    for (const change of lesion.changes) {
      for (const point of change.points) {
        if (point.day && point.percent === null) (point.visibility === "sought-not-seen" ? unseen : unsized).push(point.day);
        rows.push([lesion.label, change.modality, point.day ?? t("day.none"), visibilityText(point.visibility), millimetres(point.mm), point.percent === null ? "" : percent(point.percent), point.nadir ? t("plots.nadir") : ""]);
      }
    }
  });
  if (!lines.length) return null;
  const { partialResponsePercent: pr, progressionPercent: pd, maxTargetsPerOrgan: organ } = document.recist;
  return timePlot({
    ...at, title: t("plots.spider"), unit: "%", lines, rows,
    note: [t("plots.spiderNote"), document.recist.note ?? t("plots.recist", { organ, pr, pd: `+${pd}` })].join(" "),
    levels: [{ value: pr, label: `${pr} %` }, { value: pd, label: `+${pd} %` }],
    rails: [{ label: t("plots.notSeen"), shape: "circle", days: unseen }, { label: t("plots.noSize"), shape: "square", days: unsized }],
    heads: [t("matrix.lesion"), t("study.modality"), t("plots.day"), t("plots.note"), t("plots.size"), t("plots.change"), t("plots.nadir")],
  });
}

function waterfall(document) {
  const labels = new Map(document.lesions.map((lesion) => [lesion.id, lesion.label]));
  const bars = document.waterfall.filter((one) => typeof one.percent === "number").sort((a, b) => b.percent - a.percent);
  const title = t("plots.waterfall");
  const without = document.lesions.filter((lesion) => !bars.some((bar) => bar.lesion === lesion.id)).map((lesion) => lesion.label);
  const note = t("plots.waterfallNote", { missing: without.join(", ") || t("plots.noneMissing") });
  if (!bars.length) return el("figure", { class: "figure" }, el("figcaption", {}, el("h3", {}, title), el("p", { class: "hint" }, note)));
  const rows = bars.map((bar) => [labels.get(bar.lesion) ?? bar.lesion, bar.modality, bar.fromDay, millimetres(bar.fromMm), bar.toDay, millimetres(bar.toMm), percent(bar.percent)]);
  return el("figure", { class: "figure" }, el("figcaption", {}, el("h3", {}, title), el("p", { class: "hint" }, note)),
    chart(title, bars, labels, document.recist),
    folded(t("table"), table(title, [t("matrix.lesion"), t("study.modality"), t("plots.from"), t("plots.size"), t("plots.to"), t("plots.size"), t("plots.change")], rows)));
}

function chart(title, bars, labels, { partialResponsePercent: low, progressionPercent: high }) {
  const [width, height, left, top] = [Math.max(360, 60 + bars.length * 34), 240, 48, 22];
  const most = Math.max(high, ...bars.map((bar) => bar.percent)) + 8;
  const least = Math.min(low, ...bars.map((bar) => bar.percent)) - 8;
  const y = (value) => top + ((most - value) / (most - least)) * (height - top - 8);
  const step = Math.min(72, (width - left - 10) / bars.length);
  const id = fresh("waterfall");
  const level = (value, name) => [
    svg("line", { x1: left, x2: width, y1: y(value), y2: y(value), class: value === 0 ? "axis" : "level" }),
    svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, name)];
  const bar = (one, place) => {
    const x = left + place * step + step * 0.15;
    const [from, to] = [y(Math.max(one.percent, 0)), y(Math.min(one.percent, 0))];
    return [
      svg("rect", { x, y: from, width: step * 0.7, height: Math.max(to - from, 1.5), class: one.percent > 0 ? "grown" : "shrunk" }),
      svg("text", { x: x + step * 0.35, y: one.percent > 0 ? from - 5 : to + 14, "text-anchor": "middle", class: "value" }, number(one.percent)),
      svg("text", { x: x + step * 0.35, y: one.percent > 0 ? y(0) + 15 : y(0) - 6, "text-anchor": "middle" }, labels.get(one.lesion) ?? one.lesion)];
  };
  return el("div", { class: "scroll", dir: "ltr", tabindex: "0", role: "region", "aria-label": t("plots.drawn", { title }) },
    svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "waterfall", width, height, role: "img", "aria-labelledby": id },
      svg("title", { id }, t("plots.picture", { title })), level(0, "0 %"), level(low, `${low} %`), level(high, `+${high} %`), bars.map(bar)));
}

function cea({ cea: values }, at) {
  const shown = values.filter((one) => one.day);
  if (!values.length) return null;
  const usable = shown.filter((one) => one.value !== null && !one.rejected);
  const unit = usable.at(-1)?.unit ?? null;
  const same = usable.filter((one) => one.unit === unit);
  const points = same.map((one) => ({ day: one.day, value: one.value, hollow: Boolean(one.comparator) }));
  const limits = same.filter((one) => typeof one.limit === "number").map((one) => ({ day: one.day, value: one.limit }));
  const lines = [{ label: "CEA", look: look(0), points }];
  if (limits.length) lines.push({ label: t("plots.limit"), look: { ...look(7), dash: [6, 4], shape: null }, points: limits, plain: true, stepped: true, thin: true });
  return timePlot({
    ...at, title: t("plots.cea"), unit: "", lines,
    note: [unit, t("plots.ceaNote"), same.length < usable.length && t("plots.ceaOther")].filter(Boolean).join(". ").replace("..", "."),
    levels: [], rails: [{ label: t("plots.unusable"), shape: "square", days: shown.filter((one) => one.value === null || one.rejected).map((one) => one.day) }],
    heads: [t("plots.day"), t("plots.value"), t("plots.limit"), t("plots.note"), t("cards.source")],
    rows: values.map((one) => [one.day ?? t("day.none"), [one.comparator, one.value === null ? t("unknown") : number(one.value), one.unit].filter(Boolean).join(" "), typeof one.limit === "number" ? number(one.limit) : t("unknown"), one.rejected ?? "", one.source ?? ""]),
  });
}

function measures(document, at) {
  const kinds = new Map();
  document.lesions.forEach((lesion, place) => {
    for (const measure of lesion.measures) {
      const key = JSON.stringify([measure.kind, measure.unit]);
      if (!kinds.has(key)) kinds.set(key, []);
      kinds.get(key).push({ ...measure, lesion, place });
    }
  });
  return [...kinds.values()].map((all) => measure(all, document, at));
}

function measure(all, document, at) {
  const [{ kind, unit }] = all;
  const title = [t(`plots.${kind}`), unit && named("unit", unit)].filter(Boolean).join(", ");
  const lines = document.lesions.map((lesion, place) => ({
    label: lesion.label, look: look(place),
    points: all.filter((one) => one.lesion === lesion && one.day).map((one) => ({ day: one.day, value: one.value })),
  })).filter((line) => line.points.some((point) => point.value !== null));
  return timePlot({
    ...at, title, unit: "", lines,
    rails: [{ label: t("plots.unusable"), shape: "square", days: all.filter((one) => one.day && one.value === null).map((one) => one.day) }],
    heads: [t("matrix.lesion"), t("plots.day"), t("plots.value")],
    rows: all.map((one) => [one.lesion.label, one.day ?? t("day.none"), one.value === null ? t("plots.unusable") : number(one.value)]),
  });
}
